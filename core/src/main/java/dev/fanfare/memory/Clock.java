package dev.fanfare.memory;

import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * The two clocks that the parts of one store read.
 *
 * @param nanos monotonic, for durations; compare only differences, the numbers may wrap
 * @param millis wall clock, for stamps
 */
record Clock(LongSupplier nanos, LongSupplier millis) {

    /** Longer durations count as this one, about 73 years, so that sums of two never overflow. */
    private static final Duration FOREVER = Duration.ofNanos(Long.MAX_VALUE / 4);

    static Clock system() {
        return new Clock(System::nanoTime, System::currentTimeMillis);
    }

    static Clock of(TimeSource time) {
        return new Clock(time::nanos, time::millis);
    }

    long now() {
        return nanos.getAsLong();
    }

    long wallMillis() {
        return millis.getAsLong();
    }

    static long nanosOf(Duration duration) {
        return duration.compareTo(FOREVER) < 0 ? duration.toNanos() : FOREVER.toNanos();
    }
}
