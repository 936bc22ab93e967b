package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import dev.fanfare.Publication;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import java.util.concurrent.Executor;

/**
 * The write side of one connection, as a transport gives it to the core.
 *
 * <p><b>Threading:</b> confined to its {@link #loop}: the core calls every other method there, and so
 * must the transport call its {@link Connection}. No method blocks or throws. The core never writes
 * while {@link #isWritable} says no; the transport calls {@link Connection#writable} when it changes to
 * yes.
 */
public interface Outlet {

    /**
     * Returns the serial executor that confines this connection. Outlets of one event loop return the
     * same object; fan-out costs one task per loop.
     */
    Executor loop();

    /** Returns the encoder of this connection's wire format. */
    FrameEncoder encoder();

    /** Tells whether the connection takes more without queueing beyond its bound. */
    boolean isWritable();

    /** Writes a publication; the frame stays valid only during the call unless retained. */
    void write(ChannelId channel, Frame frame, Publication publication);

    /** Writes a join or leave. */
    void writePresence(ChannelId channel, Frame frame);

    /** Sends on what was written; called once per connection and turn of the loop. */
    void flush();

    /**
     * Tells the client that its run is broken.
     *
     * @return true to go on from the reset's position; false to end the subscription with {@link
     *     UnsubscribeReason#INSUFFICIENT_STATE}, because the client will subscribe again
     */
    boolean reset(ChannelId channel, Resume.Reset reset);

    /**
     * Tells the client that so many publications were left out, as the delivery class allows, and so many joins and
     * leaves, for which there was no room; one of the two may be 0.
     */
    void skipped(ChannelId channel, long publications, long presence);

    /**
     * Tells the client that the host subscribed it to a channel; everything after the position follows.
     *
     * @return false if this kind of connection has no way to say so; the subscription then ends again
     */
    default boolean subscribed(ChannelId channel, Connection.SubscribeResult.Subscribed how) {
        return false;
    }

    /** Tells the client that a subscription ended; not called when the client itself ended it. */
    void ended(ChannelId channel, UnsubscribeReason reason);

    /**
     * Tells the client that the host ended a subscription, in the host's own words; without a way to say
     * those, as {@link UnsubscribeReason#BY_HOST}.
     */
    default void ended(ChannelId channel, HostCode code) {
        ended(channel, UnsubscribeReason.BY_HOST);
    }

    /** Closes the connection. The transport calls {@link Connection#closed} in its course. */
    void disconnect(DisconnectReason reason);

    /** Closes the connection, in the host's own words; without a way to say those, for {@link HostCode#reason}. */
    default void disconnect(HostCode code) {
        disconnect(code.reason());
    }
}
