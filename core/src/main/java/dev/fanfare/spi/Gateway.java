package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ClientLimits;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Where transports come in: they register connections here and get a {@link Connection} to act
 * through.
 *
 * <p><b>Threading:</b> thread-safe. Stages complete on any thread, perhaps an event loop, so nothing
 * long or blocking may hang on them.
 */
public interface Gateway {

    /**
     * Registers an authenticated connection; call it on the outlet's loop.
     *
     * @throws dev.fanfare.ClosedException if Fanfare is closed, or being drained
     * @throws dev.fanfare.RefusedException if the user has as many connections as may be ({@code LIMIT_EXCEEDED}), or
     *     this node has ({@code TOO_MANY_REQUESTS})
     */
    Connection open(ConnectionInfo info, Outlet outlet);

    /** Publishes for the host, as {@link dev.fanfare.Fanfare#publish} does, without the thread hop. */
    CompletionStage<PublishResult> publish(ChannelId channel, Payload data, PublishOptions options);

    /** Returns the mailboxes of all nodes. */
    Mailboxes mailboxes();

    /** Tells whether Fanfare is open; once it is closed, it stays so. */
    boolean isOpen();

    /** Tells whether new connections are taken: it is open, and not being drained. */
    default boolean isAccepting() {
        return isOpen();
    }

    /** Returns the limits for clients, of which some are the transport's to keep. */
    default ClientLimits limits() {
        return ClientLimits.standard();
    }

    /** Returns how many channels one connection may have; the core refuses more, and transports let as many wait. */
    default int maxChannelsPerConnection() {
        return 128;
    }

    /** Returns the rules of that channel; null if its namespace has none. */
    default @Nullable ChannelRules rules(ChannelId channel) {
        return null;
    }

    /**
     * Learns that a transport began to accept clients, and warns of what they will stumble over.
     *
     * @param maxMessageBytes the largest message that the transport takes from a client
     */
    default void transportStarted(int maxMessageBytes) {}

    /** Returns the executor for foreign code: authenticators and handlers. */
    Executor hostExecutor();

    /** Tells whether the calling thread runs foreign code of this Fanfare, in which nothing may wait for it. */
    default boolean isInCallback() {
        return false;
    }

    /** Returns the time source. */
    TimeSource time();

    /** Returns the listener that all events go to; it never throws. */
    FanfareListener listener();

    /** Adds one more who sees all events from now on, and for good. */
    void listen(FanfareListener listener);

    /**
     * Adds one who tells how many bytes wait for clients that do not read, for {@link dev.fanfare.Stats#unsentBytes}.
     *
     * @param bytes may be called on any thread
     * @return takes it out again when it is run
     */
    default Runnable countUnsent(LongSupplier bytes) {
        return () -> {};
    }

    /**
     * Looks at channels of this node, those with most subscribers first; for operators, as it goes through them all.
     *
     * @param part what is somewhere in their names; empty for all
     */
    default List<ChannelView> channels(String part, int limit) {
        return List.of();
    }

    /**
     * Looks at connections of this node; for operators.
     *
     * @param part what is somewhere in the user's name or the id; empty for all
     */
    default List<ConnectionInfo> connections(String part, int limit) {
        return List.of();
    }

    /** Looks at the subscriptions of a connection of this node; completes with none if it is not here. */
    default CompletionStage<List<ChannelId>> subscriptions(String connection) {
        return CompletableFuture.completedFuture(List.of());
    }

    /** Returns a new connection id, unique among all nodes. */
    String newConnectionId();

    /** Returns this node's id. */
    String node();
}
