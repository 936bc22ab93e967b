package dev.fanfare;

/** Says why a subscription ended. */
public enum UnsubscribeReason {
    /** The subscriber asked for it. */
    BY_SUBSCRIBER,
    /** The connection closed. */
    CONNECTION_CLOSED,
    /** The host asked for it, through {@link Connections#unsubscribe}. */
    BY_HOST,
    /** The permission ran out and was not prolonged. */
    EXPIRED,
    /** The position could not be continued; the client is told to subscribe again. */
    INSUFFICIENT_STATE,
    /** An in-process subscriber threw. */
    SUBSCRIBER_FAILED,
    /** It could not begin: refused, or the store failed. */
    NOT_STARTED,
    /** Fanfare was closed. */
    SHUTDOWN
}
