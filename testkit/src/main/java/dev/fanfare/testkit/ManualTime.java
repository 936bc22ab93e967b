package dev.fanfare.testkit;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.PriorityQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A time that stands still until a test moves it. {@link #advance} runs the timers that fall due, in the
 * order of their times, on the calling thread, each at its own time.
 *
 * <p>{@link #nanos} begins shortly before the largest number and wraps in the tenth second, as a real
 * monotonic clock may: code that compares readings instead of differences fails.
 *
 * <p><b>Threading:</b> thread-safe; timers run on the thread that advances, one at a time, under no lock.
 * They may schedule more, but not advance.
 */
public final class ManualTime implements TimeSource {

    private static final long FIRST_NANOS =
            Long.MAX_VALUE - Duration.ofSeconds(10).toNanos();
    private static final long FIRST_MILLIS = 1_767_225_600_000L;

    private final ReentrantLock lock = new ReentrantLock();
    private final ReentrantLock advancing = new ReentrantLock();

    @GuardedBy("lock")
    private final PriorityQueue<ManualTimer> timers = new PriorityQueue<>();

    /** Since the beginning; written under the lock. */
    private volatile long elapsedNanos;

    @GuardedBy("lock")
    private long scheduled;

    /** Makes a time that stands at the beginning of 2026. */
    public ManualTime() {}

    @Override
    public long millis() {
        return FIRST_MILLIS + Duration.ofNanos(elapsedNanos).toMillis();
    }

    @Override
    public long nanos() {
        return FIRST_NANOS + elapsedNanos;
    }

    @CanIgnoreReturnValue
    @Override
    public Timer schedule(Duration delay, Runnable task) {
        requireNonNull(task, "task");
        lock.lock();
        try {
            long dueNanos = elapsedNanos + Math.max(0, delay.toNanos());
            ManualTimer timer = new ManualTimer(dueNanos, scheduled++, task);
            timers.add(timer);
            return timer;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Lets the time pass and runs what falls due. What a task throws ends the advance at its time.
     *
     * @throws IllegalStateException if called from a timer
     */
    public void advance(Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("Time does not go back: " + duration);
        }
        if (advancing.isHeldByCurrentThread()) {
            throw new IllegalStateException("A timer must not advance the time");
        }
        advancing.lock();
        try {
            long target = elapsedNanos + duration.toNanos();
            for (ManualTimer timer = nextUntil(target); timer != null; timer = nextUntil(target)) {
                timer.task.run();
            }
        } finally {
            advancing.unlock();
        }
    }

    /** Runs what is due by now, without letting time pass. */
    public void runDue() {
        advance(Duration.ZERO);
    }

    /** Returns how many timers wait. */
    public int pendingTimers() {
        lock.lock();
        try {
            return timers.size();
        } finally {
            lock.unlock();
        }
    }

    /** Moves to the next timer's time and returns it; moves to the target if none is due before. */
    private @Nullable ManualTimer nextUntil(long target) {
        lock.lock();
        try {
            ManualTimer next = timers.peek();
            if (next == null || next.dueNanos > target) {
                elapsedNanos = target;
                return null;
            }
            timers.remove(next);
            elapsedNanos = Math.max(elapsedNanos, next.dueNanos);
            return next;
        } finally {
            lock.unlock();
        }
    }

    private final class ManualTimer implements Timer, Comparable<ManualTimer> {
        private final long dueNanos;
        private final long number;
        private final Runnable task;

        ManualTimer(long dueNanos, long number, Runnable task) {
            this.dueNanos = dueNanos;
            this.number = number;
            this.task = task;
        }

        @Override
        public void cancel() {
            lock.lock();
            try {
                timers.remove(this);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public int compareTo(ManualTimer other) {
            int byTime = Long.compare(dueNanos, other.dueNanos);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }

        // Timers are told apart by identity; the order never calls two of them equal.
        @Override
        public boolean equals(@Nullable Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }
}
