package dev.fanfare;

/** What a client wants to do with a channel, as an {@link Authorizer} is asked. */
public enum Action {
    /**
     * Receive its publications, and those that were missed meanwhile. What a client says about where it was cannot be
     * proven, so this is also the permission to get what is retained, as far back as {@link ChannelRules#recoveryLimit}
     * publications.
     */
    SUBSCRIBE,
    /** Publish to it. */
    PUBLISH,
    /** Read its history, or begin with its newest publications without having been there before. */
    HISTORY,
    /**
     * See who is there, and who comes and goes. Where the rules say {@link ChannelRules.Builder#presenceForAll}, nobody is
     * asked about the latter.
     */
    PRESENCE
}
