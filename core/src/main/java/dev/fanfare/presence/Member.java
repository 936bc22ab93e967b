package dev.fanfare.presence;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Payload;
import org.jspecify.annotations.Nullable;

/**
 * One connection through which a user is present in a channel.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param user the user, {@code ""} for an anonymous one
 * @param connection the id of the connection
 * @param info what the host said of the connection when it was authenticated
 * @param countsAlone whether it joins and leaves by itself, whatever other connections its user has
 */
public record Member(
        String user, String connection, @Nullable Payload info, boolean countsAlone) {

    /** Checks the parts. */
    public Member {
        requireNonNull(user, "user");
        requireNonNull(connection, "connection");
    }

    /** Joins with its user's first connection and leaves with the last. */
    public Member(String user, String connection, @Nullable Payload info) {
        this(user, connection, info, false);
    }

    /** Returns the same connection as one that joins and leaves by itself. */
    public Member alone() {
        return new Member(user, connection, info, true);
    }

    /**
     * Returns what joins and leaves are counted by: the user; or the connection, if it counts alone, and for
     * anonymous ones, who cannot be told apart by name.
     */
    public String identity() {
        return countsAlone || user.isEmpty() ? "\0" + connection : user;
    }
}
