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

    private static final LogLine PUBLICATION =
            LogLine.warn(Malformed.class, "A publication in the database cannot be read; it counts as trimmed");
    private static final LogLine MEMBER =
            LogLine.warn(Malformed.class, "A member in the database cannot be read; nobody is told of it");
    private static final LogLine VALUE =
            LogLine.warn(Malformed.class, "A latest value in the database cannot be read; it counts as absent");

    private final LongAdder count = new LongAdder();

    void publication(ChannelId channel, long offset, RuntimeException failure) {
        count.increment();
        PUBLICATION.log("channel", channel, "offset", offset, "failure", failure);
    }

    void member(String channel, RuntimeException failure) {
        count.increment();
        MEMBER.log("channel", channel, "failure", failure);
    }

    void value(ChannelId channel, RuntimeException failure) {
        count.increment();
        VALUE.log("channel", channel, "failure", failure);
    }

    long count() {
        return count.sum();
    }
}
