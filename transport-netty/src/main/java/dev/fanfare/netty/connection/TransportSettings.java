package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * The settings that all protocols of one transport share.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param pingInterval how often a connection is pinged
 * @param pongTimeout how soon it must answer; less than the interval
 * @param handshakeTimeout how soon a client must connect, and its authenticator answer
 * @param maxMessageBytes the largest message that a client may send
 * @param allowedOrigins from which web pages browsers may connect
 * @param compresses whether messages are compressed for clients that can
 */
public record TransportSettings(
        Duration pingInterval,
        Duration pongTimeout,
        Duration handshakeTimeout,
        int maxMessageBytes,
        AllowedOrigins allowedOrigins,
        boolean compresses) {

    /** Compresses nothing. */
    public TransportSettings(
            Duration pingInterval,
            Duration pongTimeout,
            Duration handshakeTimeout,
            int maxMessageBytes,
            AllowedOrigins allowedOrigins) {
        this(pingInterval, pongTimeout, handshakeTimeout, maxMessageBytes, allowedOrigins, false);
    }

    /** Checks the parts. */
    public TransportSettings {
        if (pongTimeout.compareTo(pingInterval) >= 0) {
            throw new IllegalArgumentException(
                    "pongTimeout must be less than pingInterval, " + pingInterval + ": " + pongTimeout);
        }
        if (pongTimeout.toMillis() < 1 || handshakeTimeout.toMillis() < 1) {
            throw new IllegalArgumentException(
                    "Time-outs must be at least a millisecond: " + pongTimeout + ", " + handshakeTimeout);
        }
        if (maxMessageBytes < 1) {
            throw new IllegalArgumentException("maxMessageBytes must be positive: " + maxMessageBytes);
        }
        requireNonNull(allowedOrigins, "allowedOrigins");
    }

    /** Returns the defaults: 25 s, 8 s, 10 s, 64 KiB, pages of the same host, no compression. */
    public static TransportSettings defaults() {
        return new TransportSettings(
                Duration.ofSeconds(25),
                Duration.ofSeconds(8),
                Duration.ofSeconds(10),
                64 * 1024,
                AllowedOrigins.sameHost());
    }

    /** Returns how exactly time-outs need to be kept. */
    Duration tick() {
        Duration shortest = pongTimeout.compareTo(handshakeTimeout) < 0 ? pongTimeout : handshakeTimeout;
        long millis = Math.max(1, Math.min(1000, shortest.toMillis() / 8));
        return Duration.ofMillis(millis);
    }
}
