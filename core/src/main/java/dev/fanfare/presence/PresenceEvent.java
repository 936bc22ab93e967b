package dev.fanfare.presence;

import static java.util.Objects.requireNonNull;

/**
 * A user joined a channel with a first connection, or left it with the last one.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param kind which of the two
 * @param member the connection that brought it about
 */
public record PresenceEvent(Kind kind, Member member) {

    /** The two kinds. */
    public enum Kind {
        /** The first connection of a user came. */
        JOIN,
        /** The last connection of a user went, and the grace period is over. */
        LEAVE
    }

    /** Checks the parts. */
    public PresenceEvent {
        requireNonNull(kind, "kind");
        requireNonNull(member, "member");
    }
}
