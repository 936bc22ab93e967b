package dev.fanfare.netty.http;

import java.time.Duration;

/**
 * Says what a client may send, and how slowly.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param maxLineBytes longest request line; beyond it 414
 * @param maxHeaderBytes all headers together; beyond it 431
 * @param maxBodyBytes largest body; beyond it 413
 * @param requestTime how long a request may take to arrive, from its first byte to its last; and how long the first
 *     one may be waited for
 * @param idleTime how long a connection may wait for its next request
 * @param lingerTime how long a refused client may go on sending before the connection is cut
 */
public record HttpLimits(
        int maxLineBytes,
        int maxHeaderBytes,
        int maxBodyBytes,
        Duration requestTime,
        Duration idleTime,
        Duration lingerTime) {

    /** Returns 8 KiB, 8 KiB, 1 MiB, 10 seconds, 3 minutes, 2 seconds. */
    public static HttpLimits standard() {
        return new HttpLimits(
                8192, 8192, 1024 * 1024, Duration.ofSeconds(10), Duration.ofMinutes(3), Duration.ofSeconds(2));
    }

    /** Returns the same, with room for a body in which one message of that size is, and something around it. */
    public static HttpLimits forMessages(int maxMessageBytes) {
        HttpLimits standard = standard();
        return new HttpLimits(
                standard.maxLineBytes,
                standard.maxHeaderBytes,
                Math.max(standard.maxBodyBytes, maxMessageBytes + 1024),
                standard.requestTime,
                standard.idleTime,
                standard.lingerTime);
    }
}
