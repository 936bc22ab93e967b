package dev.fanfare;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * Names the client that published something.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param user the user, {@code ""} for an anonymous one
 * @param connection the id of the client's connection
 * @param info what the host said of the connection when it was authenticated
 */
public record Publisher(
        String user, String connection, @Nullable Payload info) {

    /** Checks the parts. */
    public Publisher {
        requireNonNull(user, "user");
        requireNonNull(connection, "connection");
    }
}
