package dev.fanfare.internal;

import java.time.Instant;

/** Writes moments as milliseconds since 1970. Those beyond a {@code long}, such as {@link Instant#MAX}, are its end. */
final class EpochMillis {

    private EpochMillis() {}

    static long of(Instant moment) {
        if (moment.isAfter(Instant.ofEpochMilli(Long.MAX_VALUE))) {
            return Long.MAX_VALUE;
        } else if (moment.isBefore(Instant.ofEpochMilli(Long.MIN_VALUE))) {
            return Long.MIN_VALUE;
        }
        return moment.toEpochMilli();
    }
}
