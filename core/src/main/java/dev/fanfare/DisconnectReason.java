package dev.fanfare;

/**
 * Says why a connection was closed, and whether the client should come back by itself.
 *
 * <p>Codes and words are those of the Centrifuge client protocol, which published SDKs understand:
 * below 3500 a client reconnects, from 3500 on it stays away.
 */
public enum DisconnectReason {
    /** The client closed, or the network did. Never sent. */
    BY_CLIENT(3000, "connection closed"),
    /** This Fanfare is being closed. */
    SHUTDOWN(3001, "shutdown"),
    /** Something failed inside. */
    INTERNAL_ERROR(3004, "internal server error"),
    /** The permission of the connection ran out. */
    EXPIRED(3005, "connection expired"),
    /** The permission of a subscription that the server holds for the client ran out. */
    SUBSCRIPTION_EXPIRED(3006, "subscription expired"),
    /** The client did not read and no delivery class could help. */
    SLOW(3008, "slow"),
    /** What was due to the client could not be written. */
    WRITE_ERROR(3009, "write error"),
    /** A subscription that the server holds for the client lost its place. */
    INSUFFICIENT_STATE(3010, "insufficient state"),
    /** The host wants the client to connect anew. */
    FORCE_RECONNECT(3011, "force reconnect"),
    /** The client did not answer a ping. */
    NO_PONG(3012, "no pong"),
    /** The client asks for too much in too short a time. */
    TOO_MANY_REQUESTS(3013, "too many requests"),
    /** The client's token is not valid. */
    INVALID_TOKEN(3500, "invalid token"),
    /** The client broke the protocol. */
    BAD_REQUEST(3501, "bad request"),
    /** The client did not connect in time. */
    STALE(3502, "stale"),
    /** The host does not want the client. */
    FORCE_DISCONNECT(3503, "force disconnect"),
    /** The user has too many connections. */
    CONNECTION_LIMIT(3504, "connection limit"),
    /** More server-side subscriptions than a connection may have. */
    CHANNEL_LIMIT(3505, "channel limit"),
    /** A payload cannot be sent in the client's wire format. */
    INAPPROPRIATE_PROTOCOL(3506, "inappropriate protocol"),
    /** The host refused the connection. */
    PERMISSION_DENIED(3507, "permission denied"),
    /** The client sent something for which the host has no handler. */
    NOT_AVAILABLE(3508, "not available"),
    /** The client made too many errors. */
    TOO_MANY_ERRORS(3509, "too many errors");

    private final int code;
    private final String text;

    DisconnectReason(int code, String text) {
        this.code = code;
        this.text = text;
    }

    /** Returns the code, which is also the WebSocket close code. */
    public int code() {
        return code;
    }

    /** Returns the plain words that go with it; never empty. */
    public String text() {
        return text;
    }

    /** Tells whether the client comes back by itself. */
    public boolean isReconnect() {
        return code < 3500;
    }
}
