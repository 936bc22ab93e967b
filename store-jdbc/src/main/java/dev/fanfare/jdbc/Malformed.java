package dev.fanfare.jdbc;

import dev.fanfare.ChannelId;
import dev.fanfare.spi.LogLine;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts the rows that cannot be read and are passed over, since whoever reads them would fail for ever.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class Malformed {

    private static final LogLine PASSED_OVER =
            LogLine.warn(Malformed.class, "A publication in the database cannot be read; it counts as trimmed");

    private final LongAdder count = new LongAdder();

    void passedOver(ChannelId channel, long offset, RuntimeException failure) {
        count.increment();
        PASSED_OVER.log("channel", channel, "offset", offset, "failure", failure);
    }

    long count() {
        return count.sum();
    }
}
