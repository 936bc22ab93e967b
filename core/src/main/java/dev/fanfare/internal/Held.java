package dev.fanfare.internal;

import dev.fanfare.DropReason;
import dev.fanfare.Publication;

/**
 * What a subscriber has coming that could not be sent at once, in a channel whose rules do not make it catch up
 * from the log. It is bounded, so something may have to be left out.
 *
 * <p>What is held is sent in the order of offsets. So whatever the client got last is a valid position.
 *
 * <p><i>Threads.</i> Confined to the subscriber's loop.
 */
interface Held {

    /** Takes a publication in; returns how many were left out for it. */
    int hold(Publication publication);

    boolean isHolding();

    /** Takes the oldest of what is held. */
    Publication take();

    /** Returns how long to wait before something may be sent. */
    long nanosUntilDue(long nanos);

    /** Takes note that something was sent. */
    void sent(long nanos);

    /** Returns how many were left out since the last call. */
    long takeSkipped();

    /** Says why something is left out. */
    DropReason reason();
}
