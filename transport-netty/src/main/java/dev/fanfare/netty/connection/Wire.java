package dev.fanfare.netty.connection;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.io.IOException;

/**
 * A way to a channel's socket past the channel's own queue, for the moments in which that queue is empty:
 * most publications fit into the kernel's buffer, and need none of what the queue is for.
 *
 * <p><b>Threading:</b> called on the channel's event loop.
 */
@FunctionalInterface
public interface Wire {

    /** No way but through the channel. */
    Wire NONE = (channel, buffer) -> 0;

    /**
     * Sends as much of the readable bytes as the kernel takes at once; nothing may be waiting in the channel's
     * queue. The indices stay as they are.
     *
     * @return how many bytes; 0 also if this buffer or channel has no such way
     * @throws IOException if the socket is broken, as the channel finds out too when it writes
     */
    int send(Channel channel, ByteBuf buffer) throws IOException;
}
