package dev.fanfare.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ThreadsTest {

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
