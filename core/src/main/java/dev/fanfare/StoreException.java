package dev.fanfare;

import org.jspecify.annotations.Nullable;

/**
 * A store failed or did not answer in time. For a publish the outcome is then unknown; repeat it with
 * the same dedup key.
 */
public final class StoreException extends FanfareException {

    private static final long serialVersionUID = 1;

    /** Makes one. */
    public StoreException(String message, @Nullable Throwable cause, boolean retryable) {
        super(message, cause, retryable);
    }
}
