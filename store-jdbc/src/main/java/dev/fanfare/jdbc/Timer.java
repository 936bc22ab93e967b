package dev.fanfare.jdbc;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Starts what is due; the work itself runs on store threads. Thread-safe. */
final class Timer implements AutoCloseable {

    private final ScheduledThreadPoolExecutor executor;

    Timer() {
        this.executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "fanfare-jdbc-timer");
            thread.setDaemon(true);
            return thread;
        });
        executor.setRemoveOnCancelPolicy(true);
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        executor.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
    }

    /** Runs a short task once; not any more after {@link #close}. */
    void after(long nanos, Runnable task) {
        if (!executor.isShutdown()) {
            executor.schedule(task, nanos, TimeUnit.NANOSECONDS);
        }
    }

    /** Runs a short task again and again. */
    void every(Duration period, Runnable task) {
        executor.scheduleWithFixedDelay(task, period.toNanos(), period.toNanos(), TimeUnit.NANOSECONDS);
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
