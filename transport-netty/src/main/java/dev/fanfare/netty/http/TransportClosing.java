package dev.fanfare.netty.http;

/**
 * Tells the handlers of an open channel, as a user event, that the transport is being closed: streams say
 * farewell, requests that are being answered are the last ones, and idle connections are closed.
 *
 * <p><b>Threading:</b> immutable.
 */
public enum TransportClosing {
    /** The one value. */
    NOW
}
