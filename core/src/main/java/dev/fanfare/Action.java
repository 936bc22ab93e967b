package dev.fanfare;

/** What a client wants to do with a channel, as an {@link Authorizer} is asked. */
public enum Action {
    /** Receive its publications. */
    SUBSCRIBE,
    /** Publish to it. */
    PUBLISH,
    /** Read its history. */
    HISTORY,
    /** See who is there. */
    PRESENCE
}
