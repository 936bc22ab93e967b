package dev.fanfare;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CheckReturnValue;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Says which connections are meant, on all nodes.
 *
 * <p><b>Threading:</b> immutable.
 */
@CheckReturnValue
public final class Selection {

    private static final int MAX_EXCEPTIONS = 1000;

    private final @Nullable String user;
    private final @Nullable String connection;
    private final Set<String> exceptions;

    private Selection(@Nullable String user, @Nullable String connection, Set<String> exceptions) {
        this.user = user;
        this.connection = connection;
        this.exceptions = exceptions;
    }

    /**
     * Selects every connection of the user.
     *
     * @param user {@code ""} selects anonymous ones
     */
    public static Selection ofUser(String user) {
        return new Selection(requireNonNull(user, "user"), null, Set.of());
    }

    /**
     * Selects one connection, whoever's it is.
     *
     * @param connection its {@link ConnectionInfo#id}
     */
    public static Selection ofConnection(String connection) {
        return new Selection(null, requireNonNull(connection, "connection"), Set.of());
    }

    /** Selects, of those, only this connection. */
    public Selection only(String connection) {
        return new Selection(user, requireNonNull(connection, "connection"), exceptions);
    }

    /**
     * Leaves these connections out.
     *
     * @param connections at most 1,000
     */
    public Selection except(Set<String> connections) {
        if (connections.size() > MAX_EXCEPTIONS) {
            throw new IllegalArgumentException(
                    "At most " + MAX_EXCEPTIONS + " connections can be left out: " + connections.size());
        }
        return new Selection(user, connection, Set.copyOf(connections));
    }

    /** Returns whose connections, {@code ""} for anonymous ones; null for anybody's. */
    public @Nullable String user() {
        return user;
    }

    /** Returns the id of the only connection that is meant; null for any. */
    public @Nullable String connection() {
        return connection;
    }

    /** Returns the ids of the connections that are not meant; unmodifiable. */
    public Set<String> exceptions() {
        return exceptions;
    }

    /** Tells whether that connection is meant. */
    public boolean has(ConnectionInfo info) {
        return (user == null || user.equals(info.user()))
                && (connection == null || connection.equals(info.id()))
                && !exceptions.contains(info.id());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Selection that && parts().equals(that.parts());
    }

    @Override
    public int hashCode() {
        return parts().hashCode();
    }

    /** Tells what is selected. */
    @Override
    public String toString() {
        return "Selection" + parts();
    }

    private List<Object> parts() {
        return List.of(
                user == null ? "any user" : "user " + user,
                connection == null ? "any connection" : "connection " + connection,
                exceptions);
    }
}
