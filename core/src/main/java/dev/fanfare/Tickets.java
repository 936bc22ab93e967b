package dev.fanfare;

import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * One-time tickets, for browsers: they can set no headers on a WebSocket or an {@code EventSource}, and what
 * stands in a URL ends up in logs. So the page asks the host for a ticket, by whatever means it is known there, and
 * shows that when it connects: as its token, or as the parameter {@code ticket}. A ticket that was seen by somebody
 * else is worth nothing: it is good once, for {@link #LIFETIME}.
 *
 * <p>A ticket is 256 random bits. The store keeps only its hash, and what it is good for; any node takes a
 * ticket of any other. That it is good only once is decided by the log, as dedup keys are, in one atomic step for
 * all nodes. It is never written to a log file.
 *
 * <p><b>Threading:</b> thread-safe; stages complete on the host executor.
 */
public interface Tickets {

    /** How long a ticket can be shown. */
    Duration LIFETIME = Duration.ofSeconds(30);

    /**
     * Makes a ticket with which a client is let in as that.
     *
     * @return the ticket; exceptionally a {@link RefusedException} if there are too many already, 100,000 within
     *     {@link #LIFETIME} on this node
     * @throws IllegalArgumentException if what it is good for is longer than 16 KiB
     */
    CompletionStage<String> issue(Authenticator.Accepted admission);

    /**
     * Lets clients in who show a ticket, and leaves all others to another authenticator. A ticket that is not good
     * (any more) is {@link Authenticator.Rejected#EXPIRED_TOKEN}: the client should fetch a new one.
     */
    Authenticator before(Authenticator others);
}
