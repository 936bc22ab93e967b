package dev.fanfare.internal;

import dev.fanfare.Expiry;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Ends something when its permission has run out and nobody prolonged it.
 *
 * <p><i>Threads.</i> Confined to the loop.
 */
final class Deadline {

    private final LoopQueue loop;
    private final TimeSource time;
    private final Runnable end;
    private @Nullable Expiry expiry;
    private TimeSource.@Nullable Timer timer;

    /**
     * Waits for an expiry to be set.
     *
     * @param end what to do when it is over, on the loop
     */
    Deadline(LoopQueue loop, TimeSource time, Runnable end) {
        this.loop = loop;
        this.time = time;
        this.end = end;
    }

    @Nullable
    Expiry expiry() {
        return expiry;
    }

    /** Sets or moves the end; null for none. */
    void set(@Nullable Expiry next) {
        TimeSource.Timer before = timer;
        if (before != null) {
            before.cancel();
            timer = null;
        }
        expiry = next;
        if (next != null) {
            Duration left = next.left(time.millis()).plus(Expiry.GRACE);
            timer = time.schedule(left.isNegative() ? Duration.ZERO : left, () -> loop.add(() -> due(next)));
        }
    }

    /** A timer may have gone off just before it was cancelled. */
    private void due(Expiry due) {
        if (due.equals(expiry)) {
            set(null);
            end.run();
        }
    }
}
