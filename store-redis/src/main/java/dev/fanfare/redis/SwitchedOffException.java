package dev.fanfare.redis;

import dev.fanfare.StoreException;
import org.jspecify.annotations.Nullable;

/** Says, as the cause of a {@link StoreException}, that nothing was sent since the circuit breaker of a server is open. */
final class SwitchedOffException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** When to try again, at most. */
    final long retryMillis;

    private SwitchedOffException(long retryMillis) {
        super("too many publishes failed, and nothing was sent", null, false, false);
        this.retryMillis = retryMillis;
    }

    static StoreException at(String address, long retryMillis) {
        return new StoreException(
                "Redis at " + address + " failed too often: nothing is published there for a while",
                new SwitchedOffException(retryMillis),
                true);
    }

    /** Returns the one that caused a failure; null if another thing did. */
    static @Nullable SwitchedOffException of(Throwable failure) {
        return failure.getCause() instanceof SwitchedOffException found ? found : null;
    }
}
