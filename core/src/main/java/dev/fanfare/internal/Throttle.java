package dev.fanfare.internal;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** Lets one log line of a kind through in a while, and counts the others. Thread-safe. */
final class Throttle {

    private final long pauseNanos;
    private final AtomicLong quietUntil = new AtomicLong(Long.MIN_VALUE);
    private final AtomicLong suppressed = new AtomicLong();

    Throttle(Duration pause) {
        this.pauseNanos = pause.toNanos();
    }

    /** Returns how many were left out before this one, or -1 to leave this one out too. */
    long enter() {
        long now = System.nanoTime();
        long until = quietUntil.get();
        boolean isOpen = until == Long.MIN_VALUE || now - until >= 0;
        if (isOpen && quietUntil.compareAndSet(until, now + pauseNanos)) {
            return suppressed.getAndSet(0);
        }
        suppressed.incrementAndGet();
        return -1;
    }

    /** Says how many were left out, at the end of a line. */
    static String more(long suppressed) {
        return suppressed == 0 ? "" : " (and " + suppressed + " more like this)";
    }
}
