package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Sends what a turn of one event loop owes to its connections: shared among those that are owed the same,
 * and straight to the socket where nothing waits before it.
 *
 * <p><b>Threading:</b> confined to its event loop.
 */
public final class Turn {

    private final Wire wire;
    private @Nullable Owed newest;

    Turn(Wire wire) {
        this.wire = requireNonNull(wire, "wire");
    }

    /** Returns how to send to that channel: what a handler of it turns into something else must pass there. */
    Wire wireOf(Channel channel) {
        return channel.pipeline().get(SslHandler.class) == null ? wire : Wire.NONE;
    }

    /** Owes a frame to a connection that is owed something already, or nothing yet. */
    Owed add(@Nullable Owed owed, BufferFrame frame) {
        if (owed != null) {
            return owed.and(frame);
        }
        Owed known = newest;
        if (known == null || !known.isAlso(frame)) {
            known = Owed.of(frame);
            newest = known;
        }
        return known;
    }

    /** Puts what is owed into the channel's queue, before something else goes there. */
    static void enqueue(Channel channel, Owed owed) {
        try {
            enqueue(channel, owed.buffer(), 0);
        } finally {
            owed.release();
        }
    }

    /** Sends what is owed: what the kernel does not take at once goes into the channel's queue. */
    static void send(Channel channel, Wire wire, Owed owed) {
        try {
            ByteBuf bytes = owed.buffer();
            int sent = hasWaiting(channel) ? 0 : trySend(channel, wire, bytes);
            if (sent < bytes.readableBytes()) {
                enqueue(channel, bytes, sent);
                channel.flush();
            }
        } finally {
            owed.release();
        }
    }

    private static int trySend(Channel channel, Wire wire, ByteBuf bytes) {
        try {
            return wire.send(channel, bytes);
        } catch (IOException broken) {
            return 0; // the channel will see it when it writes, and close
        }
    }

    private static void enqueue(Channel channel, ByteBuf bytes, int from) {
        int length = bytes.readableBytes() - from;
        channel.write(bytes.retainedSlice(bytes.readerIndex() + from, length), channel.voidPromise());
    }

    private static boolean hasWaiting(Channel channel) {
        ChannelOutboundBuffer queue = channel.unsafe().outboundBuffer();
        return queue == null || queue.totalPendingWriteBytes() > 0;
    }
}
