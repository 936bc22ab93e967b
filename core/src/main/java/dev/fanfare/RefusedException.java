package dev.fanfare;

/** An in-process subscription could not begin, for a reason that is not a fault. */
public final class RefusedException extends FanfareException {

    private static final long serialVersionUID = 1;

    private final Refusal reason;

    /** Makes one. */
    public RefusedException(String message, Refusal reason) {
        super(message, null, reason.isTemporary());
        this.reason = reason;
    }

    /** Returns why. */
    public Refusal reason() {
        return reason;
    }
}
