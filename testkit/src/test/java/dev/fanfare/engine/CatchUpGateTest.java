package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
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

/** Readers of many channels that come back at the same time. */
@ExtendWith(Quiet.class)
class CatchUpGateTest {

    private static final int CHANNELS = 200;
    private static final int AT_A_TIME = 64;

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final ManualNode node = ManualNode.open(store, time, this::settings);
    private final List<ChannelId> delayed = new ArrayList<>();
    private final List<RecordingOutlet> clients = new ArrayList<>();

    private FanfareBuilder settings(FanfareBuilder builder) {
        return builder.namespace("log", rules -> rules.retain(100, Duration.ofHours(1)))
                .listener(new FanfareListener() {
                    @Override
                    public void onCatchUpDelayed(ChannelId channel) {
                        delayed.add(channel);
                    }
                });
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void onlySoManyReadTheLogAtATimeAndAllGetWhatTheyMissed() {
        for (int i = 0; i < CHANNELS; i++) {
            node.publishMany("log:" + i, 1, 3);
        }
        store.holdsReads = true;
        for (int i = 0; i < CHANNELS; i++) {
            String epoch = store.head("log:" + i).epoch();
            clients.add(node.connect().subscribe("log:" + i, StartAt.after(Cursor.of(epoch, 1))));
        }
        node.settle();
        answer(CHANNELS); // the heads, which every channel that is opened needs

        assertThat(store.reads).hasSize(AT_A_TIME);
        assertThat(delayed).as("who waits is counted").hasSize(CHANNELS - AT_A_TIME);
        for (int left = CHANNELS; left > 0; left--) {
            assertThat(store.reads).hasSize(Math.min(left, AT_A_TIME));
            answer(1);
        }

        for (int i = 0; i < CHANNELS; i++) {
            assertThat(clients.get(i).texts("log:" + i)).containsExactly("2", "3");
        }
    }

    private void answer(int count) {
        for (int i = 0; i < count; i++) {
            store.reads.remove(0).answer();
        }
        node.settle();
    }
}
