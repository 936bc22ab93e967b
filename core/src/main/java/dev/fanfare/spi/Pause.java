package dev.fanfare.spi;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The pause between two lines of one kind: a second, and twice as long each time that something was left out in it, up to half
 * a minute.
 *
 * <p><i>Threads.</i> Thread-safe; of several that ask at once when it is over, one is told so.
 */
final class Pause {

    static final long SHORTEST = TimeUnit.SECONDS.toNanos(1);
    static final long LONGEST = TimeUnit.SECONDS.toNanos(32);

    private final AtomicReference<@Nullable Present> present = new AtomicReference<>();

    /** Tells whether a line is due now, in nanoseconds; if so, the next pause begins. */
    boolean isOver(long now) {
        Present before = present.get();
        if (before != null && now - before.end() < 0) {
            before.hasLeftOut = true;
            return false;
        }
        return present.compareAndSet(before, new Present(now, lengthAfter(before, now)));
    }

    private static long lengthAfter(@Nullable Present before, long now) {
        if (before == null || !before.hasLeftOut || now - before.end() >= before.length) {
            return SHORTEST;
        }
        return Math.min(before.length * 2, LONGEST);
    }

    private static final class Present {

        private final long begin;
        private final long length;
        private volatile boolean hasLeftOut;

        Present(long begin, long length) {
            this.begin = begin;
            this.length = length;
        }

        long end() {
            return begin + length;
        }
    }
}
