package dev.fanfare;

/**
 * What was asked for is not to be had, for a reason that is not a fault: an in-process subscription that
 * could not begin ({@link Subscription#ready}), a look at the presence of a channel that has none, a publication within a
 * transaction that is to fail with it. {@link Fanfare#publish} and {@link Fanfare#history} never fail with it: they have
 * outcomes of their own for this, {@link PublishResult.Refused} and {@link
 * HistoryResult.Refused}.
 */
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
