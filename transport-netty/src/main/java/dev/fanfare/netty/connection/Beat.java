package dev.fanfare.netty.connection;

import org.jspecify.annotations.Nullable;

/**
 * Something that falls due on a {@link Heartbeats} wheel. One object serves a connection for all its
 * life: it is scheduled again for the next thing to watch.
 *
 * <p><b>Threading:</b> confined to the event loop of its wheel.
 */
public abstract class Beat {

    @Nullable
    Beat previous;

    @Nullable
    Beat next;

    long dueTick;

    /** Has nothing scheduled. */
    protected Beat() {}

    /** The time has come. It may schedule itself again. */
    protected abstract void due();

    /** Tells whether it is scheduled. */
    public final boolean isScheduled() {
        return next != null;
    }
}
