package dev.fanfare;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * Which part of a channel's history to read.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param since the exclusive start; null for the oldest retained (or, reversed, the newest)
 * @param limit at most that many publications, and fewer beyond 8 MiB of payloads: then there are more as long as the last
 *     one is not at the {@code top} of the page; 0 reads only the position
 * @param isReverse newest first
 */
public record HistoryQuery(@Nullable Cursor since, int limit, boolean isReverse) {

    /** Most publications that one read may ask for. */
    public static final int MAX_LIMIT = 10_000;

    /** So many bytes of payloads are enough for one answer to the host. */
    public static final int ENOUGH_BYTES = 8 * 1024 * 1024;

    /** Checks the limit. */
    public HistoryQuery {
        if (limit < 0 || limit > MAX_LIMIT) {
            throw new IllegalArgumentException("limit must be in [0, " + MAX_LIMIT + "]: " + limit);
        }
    }

    /** Asks for the newest publications, newest first. */
    public static HistoryQuery latest(int limit) {
        return new HistoryQuery(null, limit, true);
    }

    /** Asks for the oldest retained publications, oldest first. */
    public static HistoryQuery first(int limit) {
        return new HistoryQuery(null, limit, false);
    }

    /** Asks for what came after the position, oldest first. */
    public static HistoryQuery after(Cursor since, int limit) {
        return new HistoryQuery(requireNonNull(since, "since"), limit, false);
    }

    /** Asks for what came before the position, newest first. */
    public static HistoryQuery before(Cursor since, int limit) {
        return new HistoryQuery(requireNonNull(since, "since"), limit, true);
    }
}
