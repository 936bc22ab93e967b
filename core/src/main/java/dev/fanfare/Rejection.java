package dev.fanfare;

/**
 * Says why a request or a handshake was turned away before it was a connection of anybody. What happens to a
 * connection after that is told by {@link Refusal} and {@link DisconnectReason}.
 *
 * <p>The HTTP status, where there is one, stands in brackets.
 */
public enum Rejection {
    /** More handshakes in a second than the node takes (503). */
    CONNECT_RATE,
    /** More connections than the node takes (503). */
    CONNECTION_LIMIT,
    /** More connections of one user than the node takes; see {@link ClientLimits} (429). */
    USER_CONNECTION_LIMIT,
    /** More clients wait for the authenticator than may (503). */
    AUTHENTICATION_LIMIT,
    /** The node is being drained or closed (503). */
    DRAINING,
    /** What came is not HTTP/1.1 as it should be, or WebSocket frames as they should be (400). */
    MALFORMED,
    /** No TLS came to be: the client spoke something else, did not take the certificate, was late, or went. */
    NO_TLS,
    /** Another major version of HTTP (505). */
    HTTP_VERSION,
    /** The request line is too long (414). */
    LINE_TOO_LONG,
    /** The headers are too large (431). */
    HEADERS_TOO_LARGE,
    /** The body, or a message before the connect, is too large (413). */
    TOO_LARGE,
    /** More bytes of bodies of requests wait to be answered than the node holds (503). */
    REQUESTS_LIMIT,
    /** The request did not arrive in time (408), or none came at all. */
    SLOW_REQUEST,
    /** A page of an origin that is not allowed (403). */
    FORBIDDEN_ORIGIN,
    /** The API key is missing or wrong (401). */
    WRONG_API_KEY,
    /** The {@link Authenticator} said no (401, 403). */
    UNAUTHENTICATED,
    /** The {@link Authenticator} failed, or was late (503). */
    AUTHENTICATOR_FAILED,
    /** The client opened a connection, and did not connect in time. */
    STALE,
    /** A request that cannot be read or makes no sense (400), or a client that broke the client protocol before it was connected. */
    BAD_REQUEST,
    /** What is not there: a path or node (404), a path for that method (405), or without an upgrade to WebSocket (426). */
    NOT_FOUND,
    /** A post for a connection of which too many wait already (429). */
    POSTS_LIMIT,
    /** A post for another node, to which too many are under way already (503). */
    REMOTE_POSTS_LIMIT,
    /** A post for another node, which could not be reached or did not say in time that it has it (500). */
    REMOTE_POST_FAILED,
    /** More pages of the console than may watch at a time (503). */
    CONSOLE_LIMIT
}
