package dev.fanfare;

/** Says why a publication, a join or a leave was not given to a subscriber. */
public enum DropReason {
    /** An EPHEMERAL subscriber could not be written to. */
    EPHEMERAL,
    /** A newer publication with the same key took its place. */
    CONFLATED,
    /** The channel retains nothing, so a subscriber that lagged could not catch up. */
    NOT_RETAINED,
    /** A join or leave found no room; the snapshot tells who is there. */
    PRESENCE
}
