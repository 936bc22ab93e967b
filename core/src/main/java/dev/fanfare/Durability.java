package dev.fanfare;

/**
 * What a store that has the choice waits for before it says that a publication is accepted.
 *
 * <p>The memory store and Redis have no such choice: what their acceptance is worth is written in their own
 * descriptions. On SQL databases see {@code docs/JDBC.md}.
 *
 * <p><b>Threading:</b> immutable.
 */
public enum Durability {
    /** Until it would survive a crash of the store. */
    SYNC,

    /**
     * Until it is in the log, for all to see. A crash of the store may take back what was accepted in the last
     * fraction of a second; those who saw it are then reset with DIVERGED, never continued as if nothing had happened.
     */
    ASYNC
}
