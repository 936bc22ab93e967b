package dev.fanfare;

import org.jspecify.annotations.Nullable;

/**
 * A promise that Fanfare could not keep. Ordinary outcomes, a refusal, a duplicate, a reset, are
 * values and never exceptions.
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
