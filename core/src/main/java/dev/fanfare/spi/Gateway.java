package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.ClientLimits;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

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
     * @throws dev.fanfare.RefusedException if the user has as many connections as may be
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

    /** Returns a new connection id, unique among all nodes. */
    String newConnectionId();

    /** Returns this node's id. */
    String node();
}
