package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * How much may wait for clients that do not read, and how long.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param patience how long a client may take nothing of what waits for it
 * @param maxBytes how many bytes may wait for all such clients of one event loop
 */
public record UnsentLimits(Duration patience, long maxBytes) {

    /** Checks the parts. */
    public UnsentLimits {
        requireNonNull(patience, "patience");
        if (patience.isZero() || patience.isNegative() || maxBytes < 1) {
            throw new IllegalArgumentException("must be positive: " + patience + ", " + maxBytes);
        }
    }

    /** Returns 30 s, and on all event loops together a quarter of the heap's size. */
    public static UnsentLimits defaults(int loops) {
        return new UnsentLimits(
                Duration.ofSeconds(30), Math.max(1, Runtime.getRuntime().maxMemory() / 4 / loops));
    }
}
