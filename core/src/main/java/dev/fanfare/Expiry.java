package dev.fanfare;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;

/**
 * When a permission ends, be it to connect or to a channel, and who prolongs it before that.
 *
 * <p>A permission that was not prolonged is over {@link #GRACE} after its instant, which leaves a client
 * time to fetch a new token where the old one was used to the last second.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param at when it ends
 * @param isByClient whether the client prolongs it, by showing a new token, and so is told how long it has;
 *     otherwise the host does, through {@link Connections}
 */
public record Expiry(Instant at, boolean isByClient) {

    /** How long after its end a permission is still honoured. */
    public static final Duration GRACE = Duration.ofSeconds(25);

    /** The longest that a permission is honoured without being prolonged, whatever it says itself. */
    public static final Duration LONGEST = Duration.ofDays(365);

    /** Checks the parts. */
    public Expiry {
        requireNonNull(at, "at");
    }

    /** Ends then, unless the client shows a new token before. */
    public static Expiry prolongedByClient(Instant at) {
        return new Expiry(at, true);
    }

    /** Ends then, unless the host prolongs it before. */
    public static Expiry prolongedByHost(Instant at) {
        return new Expiry(at, false);
    }

    /** Tells whether it is not over yet; the grace does not count. */
    public boolean isAhead(long nowMillis) {
        return at.isAfter(Instant.ofEpochMilli(nowMillis));
    }

    /** Returns how long is left, without the grace; zero or less if it is over, at most {@link #LONGEST}. */
    public Duration left(long nowMillis) {
        Duration left = Duration.between(Instant.ofEpochMilli(nowMillis), at);
        return left.compareTo(LONGEST) > 0 ? LONGEST : left;
    }
}
