package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.presence.PresenceEvent;

/**
 * Turns what happens in a channel into frames of one wire format. Outlets of one format share one
 * encoder object: its identity is what "encode once per wire format" goes by.
 *
 * <p><b>Threading:</b> thread-safe; called on event loops; does not block. If it throws, the outlets of
 * this format are disconnected with {@link dev.fanfare.DisconnectReason#INAPPROPRIATE_PROTOCOL}.
 */
public interface FrameEncoder {

    /** Encodes a publication. */
    Frame publication(ChannelId channel, Publication publication);

    /** Encodes a join or leave. */
    Frame presence(ChannelId channel, PresenceEvent event);
}
