package dev.fanfare.engine;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

/** Publishing to many channels at once, and a Fanfare whose log and bus are set one by one. */
class BroadcastTest {

    /** Appends only when it is told to. */
    private static final class HeldLog implements ChannelLog {
        final MemoryStore store = MemoryStore.create();
        final Queue<Runnable> held = new ConcurrentLinkedQueue<>();

        @Override
        public CompletionStage<AppendResult> append(AppendRequest request) {
            CompletableFuture<AppendResult> answer = new CompletableFuture<>();
            held.add(() -> store.log().append(request).thenAccept(answer::complete));
            return answer;
        }

        @Override
        public CompletionStage<LogPage> read(LogRead read) {
            return store.log().read(read);
        }

        @Override
        public CompletionStage<Void> clear(ChannelId channel) {
            return store.log().clear(channel);
        }

        void release() {
            for (Runnable next = held.poll(); next != null; next = held.poll()) {
                next.run();
            }
        }
    }

    private static Fanfare fanfare(HeldLog log) {
        return Fanfare.builder()
                .log(log)
                .bus(log.store.bus())
                .namespace("log", rules -> rules.retain(10, Duration.ofHours(1)))
                .build();
    }

    @Test
    void fiveHundredAreUnderWayAtATimeAndEachHasItsOwnOutcome() throws Exception {
        HeldLog log = new HeldLog();
        List<ChannelId> channels = new ArrayList<>();
        for (int i = 0; i < 1_234; i++) {
            channels.add(ChannelId.of("log:" + i));
        }
        channels.add(ChannelId.of("unknown:x"));
        try (Fanfare fanfare = fanfare(log)) {
            Map<ChannelId, CompletionStage<PublishResult>> outcomes =
                    fanfare.broadcast(channels, Payload.of("hello"), PublishOptions.dedupKey("k"));

            assertThat(outcomes.keySet()).containsExactlyElementsOf(channels);
            assertThat(log.held).hasSize(500);
            await().until(() -> {
                log.release();
                return outcomes.values().stream()
                        .allMatch(outcome -> outcome.toCompletableFuture().isDone());
            });

            for (ChannelId channel : channels.subList(0, 1_234)) {
                PublishResult result =
                        outcomes.get(channel).toCompletableFuture().get(1, SECONDS);
                assertThat(result).isInstanceOf(PublishResult.Stored.class);
            }
            assertThat(outcomes.get(ChannelId.of("unknown:x"))
                            .toCompletableFuture()
                            .get(1, SECONDS))
                    .isInstanceOfSatisfying(
                            PublishResult.Refused.class,
                            refused -> assertThat(refused.reason()).isEqualTo(Refusal.UNKNOWN_NAMESPACE));
        }
    }

    @Test
    void aMixtureThatWouldBreakAPromiseIsRefused() {
        HeldLog log = new HeldLog();

        assertThatThrownBy(() -> Fanfare.builder().log(log).build()).hasMessageContaining("log and bus");
        assertThatThrownBy(() -> Fanfare.builder()
                        .log(log)
                        .bus(log.store.bus())
                        .namespace("chat", rules -> rules.presence())
                        .build())
                .hasMessageContaining("presence");
    }
}
