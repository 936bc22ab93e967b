package dev.fanfare;

import org.jspecify.annotations.Nullable;

/**
 * What Fanfare could not do. Where a method has outcomes, as publish, history and resume have, a refusal, a duplicate
 * and a reset are among them, values and not exceptions; a method that has no room for that in its answer fails with a
 * {@link RefusedException}.
 */
public abstract class FanfareException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final boolean retryable;

    /** Makes one; for the leaves of this family. */
    protected FanfareException(String message, @Nullable Throwable cause, boolean retryable) {
        super(message, cause);
        this.retryable = retryable;
    }

    /** Tells whether doing the same again later can help. */
    public boolean isRetryable() {
        return retryable;
    }
}
