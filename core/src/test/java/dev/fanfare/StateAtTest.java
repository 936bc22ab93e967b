package dev.fanfare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class StateAtTest {

    private final ChannelId channel = ChannelId.of("orders:all");
    private final Set<String> state = ConcurrentHashMap.newKeySet();

    @Test
    void whoLoadsAndThenFollowsMissesNothing() throws Exception {
        int count = 2000;
        try (Fanfare fanfare = fanfare()) {
            CountDownLatch halfway = new CountDownLatch(count / 4);
            CompletableFuture<Void> publishing = CompletableFuture.runAsync(() -> {
                for (int i = 0; i < count; i++) {
                    state.add("n" + i);
                    fanfare.publish(channel, Payload.of("n" + i), PublishOptions.none())
                            .toCompletableFuture()
                            .join();
                    halfway.countDown();
                }
            });
            halfway.await();
            List<CompletableFuture<StateAt<Set<String>>>> loads = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                loads.add(fanfare.stateAt(channel, () -> CompletableFuture.completedStage(Set.copyOf(state)))
                        .toCompletableFuture());
            }
            publishing.get(30, TimeUnit.SECONDS);

            for (CompletableFuture<StateAt<Set<String>>> load : loads) {
                StateAt<Set<String>> at = load.get(10, TimeUnit.SECONDS);
                Set<String> known = new HashSet<>(at.state());
                HistoryResult.Page missed =
                        (HistoryResult.Page) fanfare.history(channel, HistoryQuery.after(at.cursor(), count))
                                .toCompletableFuture()
                                .join();
                missed.publications()
                        .forEach(publication -> known.add(publication.data().text()));
                assertThat(known).isEqualTo(state);
            }
        }
    }

    @Test
    void theLoaderRunsOnTheHostExecutor() throws Exception {
        try (Fanfare fanfare = fanfare()) {
            StateAt<String> at = fanfare.stateAt(
                            ChannelId.of("orders:a"),
                            () -> CompletableFuture.completedStage(
                                    Thread.currentThread().getName()))
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);

            assertThat(at.state()).startsWith("fanfare-host");
        }
    }

    @Test
    void aChannelWithoutHistoryHasNoPosition() {
        try (Fanfare fanfare = fanfare()) {
            assertThatThrownBy(() -> fanfare.stateAt(
                                    ChannelId.of("nowhere:a"), () -> CompletableFuture.completedStage("state"))
                            .toCompletableFuture()
                            .join())
                    .isInstanceOf(CompletionException.class)
                    .cause()
                    .isInstanceOfSatisfying(
                            RefusedException.class,
                            refused -> assertThat(refused.reason()).isEqualTo(Refusal.UNKNOWN_NAMESPACE));
        }
    }

    private static Fanfare fanfare() {
        return Fanfare.builder()
                .namespace("orders", rules -> rules.retain(10_000, Duration.ofHours(1)))
                .build();
    }
}
