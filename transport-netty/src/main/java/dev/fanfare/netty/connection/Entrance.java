package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Rate;
import dev.fanfare.Rejection;
import dev.fanfare.spi.Gateway;
import dev.fanfare.spi.TokenBucket;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a client may come in at all, before anything costly is done for it: no token is looked at, no host
 * is asked, nothing is registered. When everybody comes back at once, those for whom there is no room are told so for
 * the price of one small answer, and come again later.
 *
 * <p><i>Bounds.</i> Handshakes a second, open channels, and questions to the authenticator that wait for an answer.
 * Nothing queues here. What is turned away is told to the listener.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class Entrance {

    private final Gateway gateway;
    private final TokenBucket handshakes;
    private final int maxConnections;
    private final int maxAuthentications;
    private final IntSupplier connections;
    private final AtomicInteger authentications = new AtomicInteger();

    /**
     * Makes an entrance.
     *
     * @param connections tells how many channels are open
     */
    public Entrance(
            Gateway gateway, Rate handshakes, int maxConnections, int maxAuthentications, IntSupplier connections) {
        this.gateway = requireNonNull(gateway, "gateway");
        this.handshakes = new TokenBucket(handshakes);
        this.maxConnections = maxConnections;
        this.maxAuthentications = maxAuthentications;
        this.connections = requireNonNull(connections, "connections");
    }

    /** Makes one that lets everybody in while Fanfare takes anybody. */
    static Entrance unlimited(Gateway gateway) {
        return new Entrance(gateway, Rate.unlimited(), Integer.MAX_VALUE, Integer.MAX_VALUE, () -> 0);
    }

    /** Lets a client in, or says why not. */
    public @Nullable Rejection enter() {
        Rejection reason = null;
        if (!gateway.isAccepting()) {
            reason = Rejection.DRAINING;
        } else if (connections.getAsInt() > maxConnections) {
            reason = Rejection.CONNECTION_LIMIT;
        } else if (authentications.get() >= maxAuthentications) {
            reason = Rejection.AUTHENTICATION_LIMIT;
        } else if (!handshakes.tryTake(gateway.time().nanos())) {
            reason = Rejection.CONNECT_RATE;
        }
        if (reason != null) {
            gateway.listener().onReject(reason);
        }
        return reason;
    }

    /** Takes a place for a question to the authenticator; false if there is none. Give it back with {@link #asked}. */
    boolean mayAsk() {
        if (authentications.incrementAndGet() > maxAuthentications) {
            authentications.decrementAndGet();
            gateway.listener().onReject(Rejection.AUTHENTICATION_LIMIT);
            return false;
        }
        return true;
    }

    /** Gives the place for a question back. */
    void asked() {
        authentications.decrementAndGet();
    }
}
