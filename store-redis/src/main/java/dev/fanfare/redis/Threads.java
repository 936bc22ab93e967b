package dev.fanfare.redis;

import dev.fanfare.StoreException;
import dev.fanfare.spi.LogLine;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The threads behind all connections of a store: two event loops and a timer.
 *
 * <p><i>Threads.</i> Thread-safe. Tasks of the timer are short; those given to {@link #execute} run one after the other in
 * the order in which they were given. Once this is closed none is run any more: what waits for one fails.
 */
final class Threads {

    private static final LogLine FAILED =
            LogLine.error(Threads.class, "A task of the Redis store failed, which it must not");

    private final ClientResources resources;
    private final Duration timeout;
    private final ScheduledThreadPoolExecutor timer;
    /** What was not run yet, and somebody waits for. */
    private final Set<Task> awaited = ConcurrentHashMap.newKeySet();

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

    /** Runs a short task on the timer, as soon as it is free; nobody waits for it. */
    void execute(Runnable task) {
        schedule(0, new Task(task, null));
    }

    /** Runs a short task on the timer, as soon as it is free; if it is not run, or throws, what waits for it fails. */
    void execute(CompletableFuture<?> waiting, Runnable task) {
        schedule(0, new Task(task, waiting));
    }

    /** Runs a short task on the timer after about that time; nobody waits for it. */
    void later(Duration pause, Runnable task) {
        schedule(about(pause), new Task(task, null));
    }

    /** Runs a short task on the timer after about that time; if it is not run, or throws, what waits for it fails. */
    void later(Duration pause, CompletableFuture<?> waiting, Runnable task) {
        schedule(about(pause), new Task(task, waiting));
    }

    private static long about(Duration pause) {
        long millis = pause.toMillis();
        return millis - ThreadLocalRandom.current().nextLong(millis / 4 + 1);
    }

    private void schedule(long millis, Task task) {
        if (task.waiting != null) {
            awaited.add(task);
        }
        try {
            timer.schedule(task, millis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            task.drop();
        }
    }

    static StoreException closed() {
        return new StoreException("The Redis store is closed", null, false);
    }

    void close() {
        timer.shutdownNow();
        awaited.forEach(Task::drop);
        resources.shutdown(0, timeout.toMillis(), TimeUnit.MILLISECONDS).awaitUninterruptibly(timeout.toMillis());
    }

    private final class Task implements Runnable {
        private final Runnable steps;
        private final @Nullable CompletableFuture<?> waiting;

        Task(Runnable steps, @Nullable CompletableFuture<?> waiting) {
            this.steps = steps;
            this.waiting = waiting;
        }

        @Override
        public void run() {
            awaited.remove(this);
            try {
                steps.run();
            } catch (RuntimeException broken) {
                FAILED.logTrace(broken);
                fail(CommandLink.asStoreFailure(broken));
            }
        }

        void drop() {
            awaited.remove(this);
            fail(closed());
        }

        private void fail(StoreException failure) {
            if (waiting != null) {
                waiting.completeExceptionally(failure);
            }
        }
    }
}
