package dev.fanfare.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.StoreException;
import dev.fanfare.faults.CausesFault;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ThreadsTest {

    @Test
    void whatWaitsForATaskThatIsNotRunFails() {
        Threads threads = new Threads(Duration.ofSeconds(1));
        CompletableFuture<Void> early = new CompletableFuture<>();
        CompletableFuture<Void> late = new CompletableFuture<>();
        threads.later(Duration.ofHours(1), early, () -> early.complete(null));

        threads.close();
        threads.execute(late, () -> late.complete(null));

        for (CompletableFuture<Void> waiting : List.of(early, late)) {
            assertThat(waiting)
                    .failsWithin(Duration.ZERO)
                    .withThrowableThat()
                    .withCauseInstanceOf(StoreException.class)
                    .withMessageContaining("is closed");
        }
    }

    @Test
    @CausesFault("A task of the Redis store failed")
    void whatWaitsForATaskThatThrowsFails() {
        Threads threads = new Threads(Duration.ofSeconds(1));
        CompletableFuture<Void> waiting = new CompletableFuture<>();
        try {
            threads.execute(waiting, () -> {
                throw new IllegalStateException("on purpose");
            });

            assertThat(waiting)
                    .failsWithin(Duration.ofSeconds(40))
                    .withThrowableThat()
                    .withCauseInstanceOf(StoreException.class);
        } finally {
            threads.close();
        }
    }

    @Test
    void clientsShareTheThreadsAndOneThatEndsLeavesThemToTheOthers() {
        Threads threads = new Threads(Duration.ofSeconds(1));
        ClientResources one = threads.resources(new NettyCustomizer() {});
        ClientResources other = threads.resources(new NettyCustomizer() {});
        try {
            assertThat(one.eventLoopGroupProvider()).isSameAs(other.eventLoopGroupProvider());
            assertThat(one.ioThreadPoolSize()).isEqualTo(2);
            assertThat(one.eventExecutorGroup()).isSameAs(other.eventExecutorGroup());
            assertThat(one.timer()).isSameAs(other.timer());

            one.shutdown().awaitUninterruptibly();

            assertThat(other.eventExecutorGroup().isShuttingDown()).isFalse();
            assertThat(other.timer().newTimeout(late -> {}, 1, TimeUnit.HOURS))
                    .as("a timer that was stopped takes nothing")
                    .isNotNull();
        } finally {
            other.shutdown();
            threads.close();
        }
    }
}
