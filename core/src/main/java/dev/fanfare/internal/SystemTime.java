package dev.fanfare.internal;

import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The computer's clocks, and one daemon thread for what is due later. Thread-safe. */
final class SystemTime implements TimeSource {

    private static final Timer NEVER = () -> {};

    private final ScheduledThreadPoolExecutor timers = new ScheduledThreadPoolExecutor(1, new Daemons("fanfare-timer"));

    SystemTime() {
        timers.setRemoveOnCancelPolicy(true);
        timers.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    @Override
    public long millis() {
        return System.currentTimeMillis();
    }

    @Override
    public long nanos() {
        return System.nanoTime();
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
        try {
            Future<?> future = timers.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
            return () -> future.cancel(false);
        } catch (RejectedExecutionException closed) {
            return NEVER;
        }
    }

    void close() {
        timers.shutdownNow();
    }
}
