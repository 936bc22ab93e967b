package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.FanfareListener;
import dev.fanfare.StartAt;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Many channels that want to look at the log at the same time. */
@ExtendWith(Quiet.class)
class RepairGateTest {

    private static final int CHANNELS = 200;
    private static final int AT_A_TIME = 8;

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final List<ChannelId> delayed = new ArrayList<>();
    private final ManualNode node = ManualNode.open(store, time, this::settings);
    private final List<RecordingOutlet> clients = new ArrayList<>();

    private FanfareBuilder settings(FanfareBuilder builder) {
        return builder.repairReads(AT_A_TIME)
                .maxChannelsPerConnection(CHANNELS)
                .namespace("log", rules -> rules.retain(100, Duration.ofHours(1)))
                .listener(new FanfareListener() {
                    @Override
                    public void onRepairDelayed(ChannelId channel) {
                        delayed.add(channel);
                    }
                });
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void afterTheBusWasAwayOnlySoManyReadAtATime() {
        subscribeToAll();
        loseOneOfEach();

        store.interrupt();
        node.settle();

        assertThat(store.reads).hasSize(AT_A_TIME);
        assertThat(delayed).hasSize(CHANNELS - AT_A_TIME);
    }

    @Test
    void eachThatIsDoneLetsAnotherOneBegin() {
        subscribeToAll();
        loseOneOfEach();
        store.interrupt();
        node.settle();

        for (int done = 0; done < CHANNELS - AT_A_TIME; done++) {
            store.reads.remove(0).answer();
            node.settle();
            assertThat(store.reads).hasSize(AT_A_TIME);
        }
        store.answerAll();
        node.settle();

        for (int i = 0; i < CHANNELS; i++) {
            assertThat(clients.get(i).texts("log:" + i)).containsExactly("lost");
        }
    }

    @Test
    void thoseThatFailLetOthersBeginAndTryAgainLater() {
        subscribeToAll();
        loseOneOfEach();
        store.interrupt();
        node.settle();
        while (!store.reads.isEmpty()) {
            store.reads.remove(0).fail();
            node.settle();
        }
        List<String> before = allTexts();

        store.holdsReads = false;
        node.pass(Duration.ofSeconds(2));

        assertThat(before).isEmpty();
        assertThat(allTexts()).hasSize(CHANNELS);
    }

    @Test
    void thoseThatAreNotAnsweredLetOthersBeginWhenTheirTimeIsUp() {
        subscribeToAll();
        loseOneOfEach();
        store.interrupt();
        node.settle();
        store.reads.clear();

        node.pass(Duration.ofSeconds(10));

        assertThat(store.reads).as("of other channels").hasSize(AT_A_TIME);
    }

    @Test
    void tailProbesKeepToItToo() {
        subscribeToAll();
        loseOneOfEach();

        for (int millis = 0; millis < 45_000 && store.reads.isEmpty(); millis += 500) {
            node.pass(Duration.ofMillis(500));
        }

        assertThat(store.reads).hasSize(AT_A_TIME);
    }

    @Test
    void oneReadAtATimeIsEnoughForAll() {
        try (ManualNode narrow = ManualNode.open(
                store,
                time,
                builder -> builder.repairReads(1).namespace("log", rules -> rules.retain(100, Duration.ofHours(1))))) {
            RecordingOutlet one = narrow.subscribed("log:a", StartAt.live());
            RecordingOutlet other = narrow.subscribed("log:b", StartAt.live());
            store.holdsHints = true;
            narrow.publish("log:a", "lost");
            narrow.publish("log:b", "lost");
            store.watching.forEach(each -> each.hints.clear());

            store.interrupt();
            narrow.settle();

            assertThat(one.texts("log:a")).containsExactly("lost");
            assertThat(other.texts("log:b")).containsExactly("lost");
        }
    }

    @Test
    void thereMustBeAtLeastOne() {
        assertThatIllegalArgumentException().isThrownBy(() -> Fanfare.builder().repairReads(0));
    }

    private void subscribeToAll() {
        for (int i = 0; i < CHANNELS; i++) {
            clients.add(node.subscribed("log:" + i, StartAt.live()));
        }
        delayed.clear();
    }

    private void loseOneOfEach() {
        store.holdsHints = true;
        for (int i = 0; i < CHANNELS; i++) {
            node.publish("log:" + i, "lost");
        }
        store.watching.forEach(each -> each.hints.clear());
        store.holdsReads = true;
    }

    private List<String> allTexts() {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < clients.size(); i++) {
            texts.addAll(clients.get(i).texts("log:" + i));
        }
        return texts;
    }
}
