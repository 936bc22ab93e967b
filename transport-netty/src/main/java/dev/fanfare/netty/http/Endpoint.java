package dev.fanfare.netty.http;

/**
 * Answers the requests of one path.
 *
 * <p><b>Threading:</b> called on the connection's event loop, so it must not block or call the host.
 * It answers each exchange once, now or later, on that same loop. What it throws becomes a 500.
 */
@FunctionalInterface
public interface Endpoint {

    /** Takes one request, whose body is complete. */
    void handle(Exchange exchange);

    /**
     * Looks at the head of a request, before any of its body is kept. What this answers, or refuses by throwing {@link
     * RequestRefused}, is over, and the body is not taken; else {@link #handle} follows. By default everything is fine.
     */
    default void admit(Exchange exchange) {}

    /** Returns how many bytes a body may have, where that is less than what the transport takes; by default it is not. */
    default int maxBodyBytes() {
        return Integer.MAX_VALUE;
    }

    /**
     * Tells whether it also takes requests that a page of a foreign origin made a browser send; by
     * default such requests are answered 403.
     */
    default boolean takesForeignOrigins() {
        return false;
    }
}
