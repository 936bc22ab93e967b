package dev.fanfare.spi;

import dev.fanfare.Rate;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts what is done against a {@link Rate}. It is the number that says when the bucket would be full again: each
 * token taken moves it further into the future, and a token is refused if that would be more than a whole burst away
 * (the generic cell rate algorithm).
 *
 * <p><b>Threading:</b> thread-safe, without locks.
 */
public final class TokenBucket {

    private static final double NANOS_PER_SECOND = 1e9;

    private final long nanosPerToken;
    private final long nanosPerBurst;
    private final boolean isUnlimited;
    /** When it is full again; {@link Long#MIN_VALUE} before anything was taken. */
    private final AtomicLong fullAt = new AtomicLong(Long.MIN_VALUE);

    /** Makes a full one. */
    public TokenBucket(Rate rate) {
        this.nanosPerToken = Math.max(1, Math.round(NANOS_PER_SECOND / rate.perSecond()));
        this.nanosPerBurst = nanosPerToken * rate.burst();
        this.isUnlimited = rate.isUnlimited();
    }

    /**
     * Takes a token if there is one.
     *
     * @param nanos the time now, as {@link TimeSource#nanos} tells it
     */
    public boolean tryTake(long nanos) {
        if (isUnlimited) {
            return true;
        }
        while (true) {
            long known = fullAt.get();
            boolean isFull = known == Long.MIN_VALUE || known - nanos <= 0;
            long next = (isFull ? nanos : known) + nanosPerToken;
            if (next - nanos > nanosPerBurst) {
                return false;
            }
            if (fullAt.compareAndSet(known, next)) {
                return true;
            }
        }
    }

    /** Returns in how many nanoseconds it is full again, 0 if it is. */
    public long nanosUntilFull(long nanos) {
        long known = fullAt.get();
        return known == Long.MIN_VALUE ? 0 : Math.max(0, known - nanos);
    }
}
