package dev.fanfare.netty.sse;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.netty.connection.BufferFrame;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;

/**
 * The three forms of an event. Each is encoded once for all connections that want it.
 *
 * <p><b>Threading:</b> immutable.
 */
enum SseEncoder implements FrameEncoder {
    /** The data as it is, with the cursor as id: for connections with one channel. */
    STAMPED,
    /** The data as it is; the connection writes the id itself. */
    PLAIN,
    /** A JSON object around the data; the connection writes the id itself. */
    ENVELOPE;

    private static final int ROOM = 192;

    @Override
    public Frame publication(ChannelId channel, Publication publication) {
        ByteBuf out = PooledByteBufAllocator.DEFAULT.ioBuffer(publication.data().size() + ROOM);
        write(out, channel, publication);
        return new BufferFrame(out);
    }

    @Override
    public Frame presence(ChannelId channel, PresenceEvent event) {
        ByteBuf out = PooledByteBufAllocator.DEFAULT.ioBuffer(ROOM);
        SseText.presence(out, channel, event);
        return new BufferFrame(out);
    }

    /** Writes one event. */
    void write(ByteBuf out, ChannelId channel, Publication publication) {
        if (this == ENVELOPE) {
            SseText.envelope(out, channel, publication);
            return;
        }
        if (this == STAMPED && publication.isLogged()) {
            SseText.id(out, publication.cursor());
        }
        SseText.plain(out, publication);
    }
}
