package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.spi.TimeSource;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The threads of one Fanfare: one for what is due later, one worker for what a topic could not finish on
 * its caller's thread, one for what the host's pool has no room for, and a pool for the host's code unless the host brings its own. All are daemons, and
 * those of the worker and the pool end when idle.
 *
 * <p><i>Bounds.</i> The host pool refuses above {@link #HOST_QUEUE} waiting tasks; a completion then goes to
 * the overflow thread, which always has room: there is one completion for each call that the host made, and
 * one task for each local loop. The worker's queue holds at most one task per stripe. After the end, tasks
 * run on the thread that brings them, so that no stage is left incomplete.
 */
final class Threads {

    private static final int HOST_QUEUE = 10_000;
    private static final int IDLE_SECONDS = 10;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private final @Nullable SystemTime ownTime;
    private final TimeSource time;
    private final @Nullable ThreadPoolExecutor ownHost;
    private final Executor host;
    private final ThreadPoolExecutor worker;
    private final ThreadPoolExecutor overflow;

    Threads(@Nullable TimeSource givenTime, @Nullable Executor givenHost) {
        SystemTime systemTime = givenTime == null ? new SystemTime() : null;
        this.ownTime = systemTime;
        this.time = systemTime == null ? requireNonNull(givenTime) : systemTime;
        ThreadPoolExecutor pool = givenHost == null ? hostPool() : null;
        this.ownHost = pool;
        this.host = pool == null ? requireNonNull(givenHost) : pool;
        this.worker = single("fanfare-worker");
        this.overflow = single("fanfare-overflow");
    }

    private static ThreadPoolExecutor single(String name) {
        ThreadPoolExecutor thread = new ThreadPoolExecutor(
                1,
                1,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                new Daemons(name),
                (task, ended) -> task.run());
        thread.allowCoreThreadTimeOut(true);
        return thread;
    }

    private static ThreadPoolExecutor hostPool() {
        int size = Math.max(4, Runtime.getRuntime().availableProcessors() * 2);
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                size,
                size,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(HOST_QUEUE),
                new Daemons("fanfare-host"));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    TimeSource time() {
        return time;
    }

    Executor host() {
        return host;
    }

    Executor worker() {
        return worker;
    }

    /** Returns where completions and in-process subscribers go on when the host executor is full. */
    Executor overflow() {
        return overflow;
    }

    /** Returns how many tasks wait for a thread of our own host pool. */
    int waitingHostTasks() {
        return ownHost == null ? 0 : ownHost.getQueue().size();
    }

    /** Waits until something is so, or the time is over. */
    void awaitEnd(BooleanSupplier isSo, long seconds) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (!isSo.getAsBoolean()
                && System.nanoTime() < deadline
                && !Thread.currentThread().isInterrupted()) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** Ends the threads; what waits on the host pool is still done. */
    void close() {
        if (ownHost != null) {
            ownHost.shutdown();
        }
        worker.shutdown();
        overflow.shutdown();
        if (ownTime != null) {
            ownTime.close();
        }
    }
}
