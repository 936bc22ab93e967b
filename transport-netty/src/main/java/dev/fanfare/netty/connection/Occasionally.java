package dev.fanfare.netty.connection;

import dev.fanfare.Rate;
import dev.fanfare.spi.TimeSource;
import dev.fanfare.spi.TokenBucket;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Lets one kind of log line through at most once a second, with the number of those left out.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class Occasionally {

    private final TimeSource time;
    private final TokenBucket lines = new TokenBucket(Rate.of(1, 1));
    private final AtomicLong suppressed = new AtomicLong();

    /** Makes one; each kind of line needs its own. */
    public Occasionally(TimeSource time) {
        this.time = time;
    }

    /**
     * Runs what writes the line, unless there was one within the last second.
     *
     * @param line takes what to append: empty, or how many were left out before this one
     */
    public void log(Consumer<String> line) {
        if (lines.tryTake(time.nanos())) {
            long count = suppressed.getAndSet(0);
            line.accept(count == 0 ? "" : " (and " + count + " more like this)");
        } else {
            suppressed.incrementAndGet();
        }
    }
}
