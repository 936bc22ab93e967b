package dev.fanfare.testkit;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Holds calls back until the test opens it; then it stays open.
 *
 * <p><b>Threading:</b> thread-safe. What was held goes on upon the thread that opens.
 */
public final class Gate {

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();

    @GuardedBy("lock")
    private int arrivals;

    Gate() {}

    /** Lets through all that waits and all that will come. */
    public void open() {
        opened.complete(null);
    }

    /** Waits until that many calls have come to the gate, at most ten seconds. */
    public void awaitArrivals(int count) {
        long left = PATIENCE.toNanos();
        lock.lock();
        try {
            while (arrivals < count) {
                if (left <= 0) {
                    throw new AssertionError("Only " + arrivals + " of " + count + " calls came within " + PATIENCE);
                }
                left = arrived.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("Interrupted", e);
        } finally {
            lock.unlock();
        }
    }

    /** Returns a stage that completes when the caller may go on. */
    CompletionStage<Void> pass() {
        lock.lock();
        try {
            arrivals++;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
        return opened;
    }
}
