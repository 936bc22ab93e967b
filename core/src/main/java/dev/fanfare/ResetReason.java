package dev.fanfare;

/** Says why a cursor cannot be continued. */
public enum ResetReason {
    /** The log began a new life: the cursor's epoch is gone, and all it says is void. */
    EPOCH,
    /** Publications after the cursor are no longer retained. */
    TRIMMED,
    /** The log holds another history than the one the cursor comes from; what was seen may be void. */
    DIVERGED,
    /** More was missed than one resume may bring. */
    TOO_FAR
}
