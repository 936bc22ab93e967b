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
 */
public record Member(
        String user, String connection, @Nullable Payload info) {

    /** Checks the parts. */
    public Member {
        requireNonNull(user, "user");
        requireNonNull(connection, "connection");
    }

    /**
     * Returns what joins and leaves are counted by: the user, or for anonymous ones, who cannot be
     * told apart by name, the connection.
     */
    public String identity() {
        return user.isEmpty() ? "\0" + connection : user;
    }
}
