package dev.fanfare.netty.connection;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.io.IOException;

/**
 * A way to one channel's socket past the channel's own queue, for the moments in which that queue is empty:
 * most publications fit into the kernel's buffer, and need none of what the queue is for.
 *
 * <p><b>Threading:</b> called on the channel's event loop.
 */
@FunctionalInterface
public interface Wire {

    /** No way but through the channel. */
    Wire NONE = buffer -> 0;

    /**
     * Sends as much of the readable bytes as the kernel takes at once; nothing may be waiting in the channel's
     * queue. The indices stay as they are.
     *
     * @return how many bytes; 0 also if this buffer has no such way, or the channel is closed
     * @throws IOException if the socket is broken, as the channel finds out too when it writes
     */
    int send(ByteBuf buffer) throws IOException;

    /** Finds the way to a channel's socket; one for each kind of event loop. */
    @FunctionalInterface
    interface Finder {

        /** No channel has one. */
        Finder NONE = channel -> Wire.NONE;

        /** Returns the way to that channel's socket. */
        Wire to(Channel channel);
    }
}
