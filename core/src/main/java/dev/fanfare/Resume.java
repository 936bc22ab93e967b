package dev.fanfare;

/**
 * How a subscription begins: afresh, without a gap, with the newest alone, or with an honest reset.
 *
 * <p><b>Threading:</b> immutable.
 */
public sealed interface Resume {

    /** Returns the position from which the subscription goes on; what follows comes after it. */
    Cursor position();

    /**
     * The subscriber named no cursor.
     *
     * @param position where it begins
     */
    record Fresh(Cursor position) implements Resume {}

    /**
     * The cursor was good: the subscriber gets everything that it missed, then what is new.
     *
     * @param position the cursor, with the tag that the log has for it
     */
    record Continued(Cursor position) implements Resume {}

    /**
     * Only the newest publication counts here ({@link ChannelRules#resumesWithLatest}), and the cursor is not
     * at it: the subscriber gets that one, then what is new, whatever it missed in between.
     *
     * @param position right before the newest publication
     */
    record Latest(Cursor position) implements Resume {}

    /**
     * The cursor cannot be continued. Load the application's state anew and go on from the position.
     *
     * @param reason why
     * @param position where the subscription goes on
     */
    record Reset(ResetReason reason, Cursor position) implements Resume {}
}
