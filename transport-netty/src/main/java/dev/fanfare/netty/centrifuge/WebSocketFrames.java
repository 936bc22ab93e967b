package dev.fanfare.netty.centrifuge;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.netty.connection.BufferFrame;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import io.netty.buffer.PooledByteBufAllocator;

/**
 * Encodes what happens in channels into WebSocket frames that all connections of one format share.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class WebSocketFrames implements FrameEncoder {

    private final String transport;
    private final MessageEncoder messages;
    private final WebSocketFraming framing;

    WebSocketFrames(String transport, MessageEncoder messages, WebSocketFraming framing) {
        this.transport = transport;
        this.messages = messages;
        this.framing = framing;
    }

    @Override
    public Frame publication(ChannelId channel, Publication publication) {
        return frame(messages.publicationPush(channel, publication));
    }

    @Override
    public Frame presence(ChannelId channel, PresenceEvent event) {
        return frame(messages.presencePush(channel, event));
    }

    private Frame frame(MessageBuffer message) {
        return new BufferFrame(framing.frame(PooledByteBufAllocator.DEFAULT, message));
    }

    /** Tells the format, for logs. */
    @Override
    public String toString() {
        return transport;
    }
}
