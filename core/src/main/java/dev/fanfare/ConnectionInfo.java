package dev.fanfare;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Describes one client's transport connection.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class ConnectionInfo {
    private final String id;
    private final String user;
    private final String transport;
    private final Instant connectedAt;
    private final @Nullable Payload info;

    /**
     * Describes a connection; transports and stores make them.
     *
     * @param id unique among all nodes
     * @param user the authenticated user, {@code ""} for an anonymous one
     * @param transport how it is connected, such as {@code websocket/json}
     * @param connectedAt since when
     * @param info what the host said of it when it was authenticated
     */
    public ConnectionInfo(String id, String user, String transport, Instant connectedAt, @Nullable Payload info) {
        this.id = requireNonNull(id, "id");
        this.user = requireNonNull(user, "user");
        this.transport = requireNonNull(transport, "transport");
        this.connectedAt = requireNonNull(connectedAt, "connectedAt");
        this.info = info;
    }

    /** Returns the id, unique among all nodes. */
    public String id() {
        return id;
    }

    /** Returns the user, {@code ""} for an anonymous one. */
    public String user() {
        return user;
    }

    /** Returns how the client is connected, such as {@code websocket/json}. */
    public String transport() {
        return transport;
    }

    /** Returns since when. */
    public Instant connectedAt() {
        return connectedAt;
    }

    /** Returns what the host said of the connection when it was authenticated; null in lists of connections. */
    public @Nullable Payload info() {
        return info;
    }

    /** Tells id, user and transport. */
    @Override
    public String toString() {
        return "Connection[" + id + ", user " + (user.isEmpty() ? "(anonymous)" : user) + ", " + transport + "]";
    }
}
