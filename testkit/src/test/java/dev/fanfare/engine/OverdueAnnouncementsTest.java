package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.FanfareListener;
import dev.fanfare.StartAt;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A log that does not announce itself, beside a bus that is away for a while. */
@ExtendWith(Quiet.class)
class OverdueAnnouncementsTest {

    private static final int KEPT = 10_000;
    private static final int AT_ONCE = 64;

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final Map<Boolean, Integer> failed = new HashMap<>();
    private final ManualNode node;

    OverdueAnnouncementsTest() {
        store.announcesItself = false;
        this.node = ManualNode.open(store, time, this::settings);
    }

    private FanfareBuilder settings(FanfareBuilder builder) {
        return builder.namespace("log", rules -> rules.retain(10, Duration.ofHours(1)))
                .listener(new FanfareListener() {
                    @Override
                    public void onAnnounceFailed(ChannelId channel, boolean willRetry) {
                        failed.merge(willRetry, 1, Integer::sum);
                    }
                });
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void whatFindsNoRoomToBeAnnouncedAgainIsCounted() {
        store.failsAnnouncements = true;

        for (int i = 0; i < KEPT + 3; i++) {
            node.publish("log:" + i, "1");
        }
        node.publish("log:0", "2");

        assertThat(failed).containsOnly(Map.entry(true, KEPT + 1), Map.entry(false, 3));
        assertThat(node.fanfare.stats().overdueAnnouncements()).isEqualTo(KEPT);
    }

    @Test
    void aBusThatIsBackIsToldOfOneChannelAndThenOfAFewAtATime() {
        RecordingOutlet client = node.subscribed("log:500", StartAt.live());
        store.failsAnnouncements = true;
        for (int i = 0; i < 1_000; i++) {
            node.publish("log:" + i, "1");
        }

        store.failsAnnouncements = false;
        store.holdsAnnouncements = true;
        node.pass(Duration.ofSeconds(1));
        int first = store.announcements.size();
        store.announcements.remove(0).answer();
        int most = 0;
        while (!store.announcements.isEmpty()) {
            most = Math.max(most, store.announcements.size());
            store.announcements.remove(0).answer();
        }
        node.settle();

        assertThat(first).isEqualTo(1);
        assertThat(most).isEqualTo(AT_ONCE);
        assertThat(node.fanfare.stats().overdueAnnouncements()).isZero();
        assertThat(client.texts("log:500")).containsExactly("1");
    }

    @Test
    void aBusThatFailsAgainIsTriedAgain() {
        store.failsAnnouncements = true;
        node.publish("log:a", "1");
        node.publish("log:b", "1");
        node.pass(Duration.ofSeconds(3));
        int before = node.fanfare.stats().overdueAnnouncements();

        store.failsAnnouncements = false;
        node.pass(Duration.ofSeconds(1));

        assertThat(before).isEqualTo(2);
        assertThat(node.fanfare.stats().overdueAnnouncements()).isZero();
    }
}
