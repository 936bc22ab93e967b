package dev.fanfare.redis;

/**
 * How a {@link RedisStore} is doing at a moment.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param hasCommands whether commands get through: appends, reads, presence
 * @param hasBus whether announcements get through, as the last probe saw it
 * @param reconnects how often a lost connection was made anew
 * @param interruptions how often the watchers of a channel were told to look at the log, because announcements may
 *     have been lost
 * @param overflows how many announcements were dropped because the node was too slow for them, and repaired from the log
 * @param malformed how many announcements or entries could not be read, and were passed over
 * @param failovers how often the identity of the primary changed
 * @param refusals how many appends were refused, because Redis was away, full, too slow or nothing but failing
 * @param dropped how many publications that are not logged were dropped for the same reasons
 * @param breaker whether publishes go to Redis, to the server where it is worst: closed (they do), open (not for a while,
 *     after five failures in a row) or half_open (one is tried)
 */
public record RedisHealth(
        boolean hasCommands,
        boolean hasBus,
        long reconnects,
        long interruptions,
        long overflows,
        long malformed,
        long failovers,
        long refusals,
        long dropped,
        String breaker) {

    /** Tells whether everything works. */
    public boolean isGood() {
        return hasCommands && hasBus && !breaker.equals("open");
    }
}
