package dev.fanfare.redis;

import dev.fanfare.spi.LogLine;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * The threads behind all connections of a store: two event loops and a timer.
 *
 * <p><i>Threads.</i> Thread-safe. Tasks of the timer are short; those given to {@link #execute} run one after the other in
 * the order in which they were given.
 */
final class Threads implements Executor {

    private static final LogLine FAILED =
            LogLine.error(Threads.class, "A task of the Redis store failed, which it must not");

    private final ClientResources resources;
    private final Duration timeout;
    private final ScheduledThreadPoolExecutor timer;

    Threads(Duration timeout) {
        this.timeout = timeout;
        this.resources = ClientResources.builder()
                .ioThreadPoolSize(2)
                .computationThreadPoolSize(2)
                .commandLatencyRecorder(CommandLatencyRecorder.disabled())
                .threadFactoryProvider(pool -> new DefaultThreadFactory("fanfare-redis-" + pool, true))
                .build();
        this.timer = new ScheduledThreadPoolExecutor(1, new DefaultThreadFactory("fanfare-redis-timer", true));
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /** Returns the event loops for a client whose channels are to be customized; who got them shuts them down. */
    ClientResources resources(NettyCustomizer customizer) {
        // What is not named here Lettuce would not share: it would be made anew, or end with the first that ends.
        return resources
                .mutate()
                .eventLoopGroupProvider(resources.eventLoopGroupProvider())
                .eventExecutorGroup(resources.eventExecutorGroup())
                .timer(resources.timer())
                .nettyCustomizer(customizer)
                .build();
    }

    /** Runs a short task on the timer, as soon as it is free; never once this is closed. */
    @Override
    public void execute(Runnable task) {
        schedule(0, task);
    }

    /** Runs a short task on the timer after about that time. */
    void later(Duration pause, Runnable task) {
        long millis = pause.toMillis();
        schedule(millis - ThreadLocalRandom.current().nextLong(millis / 4 + 1), task);
    }

    private void schedule(long millis, Runnable task) {
        try {
            timer.schedule(() -> run(task), millis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            // Nothing is wanted any more.
        }
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException broken) {
            FAILED.logTrace(broken);
        }
    }

    void close() {
        timer.shutdownNow();
        resources.shutdown(0, timeout.toMillis(), TimeUnit.MILLISECONDS).awaitUninterruptibly(timeout.toMillis());
    }
}
