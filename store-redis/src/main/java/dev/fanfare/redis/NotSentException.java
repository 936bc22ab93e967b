package dev.fanfare.redis;

import dev.fanfare.StoreException;

/** Says, as the cause of a {@link StoreException}, that a command was not sent: it may be sent elsewhere, or later. */
final class NotSentException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private NotSentException() {
        super("there is no connection, and nothing was sent", null, false, false);
    }

    static StoreException at(String address) {
        return new StoreException("Redis at " + address + " cannot be reached now", new NotSentException(), true);
    }

    static boolean isCauseOf(Throwable failure) {
        return failure.getCause() instanceof NotSentException;
    }
}
