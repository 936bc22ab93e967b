package dev.fanfare.netty.centrifuge;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.netty.connection.BufferFrame;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.DeltaEncoder;
import dev.fanfare.spi.Frame;
import io.netty.buffer.PooledByteBufAllocator;

/**
 * Encodes what happens in channels into frames that all connections of one format share.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class SharedFrames implements DeltaEncoder {

    private final String transport;
    private final MessageEncoder messages;
    private final Framing framing;
    private final boolean hasDeltas;

    /** Encodes for subscriptions without differences, or for those with. */
    SharedFrames(String transport, MessageEncoder messages, Framing framing, boolean hasDeltas) {
        this.transport = transport;
        this.messages = messages;
        this.framing = framing;
        this.hasDeltas = hasDeltas;
    }

    @Override
    public Frame publication(ChannelId channel, Publication publication) {
        return frame(
                hasDeltas
                        ? messages.deltaPush(channel, publication, null)
                        : messages.publicationPush(channel, publication));
    }

    @Override
    public Frame difference(ChannelId channel, Publication publication, Publication previous) {
        return frame(messages.deltaPush(channel, publication, previous));
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
        return hasDeltas ? transport + " with deltas" : transport;
    }
}
