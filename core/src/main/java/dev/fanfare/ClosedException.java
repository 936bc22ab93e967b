package dev.fanfare;

/** This Fanfare, or the thing asked of, is closed. */
public final class ClosedException extends FanfareException {

    private static final long serialVersionUID = 1;

    /** Makes one. */
    public ClosedException(String message) {
        super(message, null, false);
    }
}
