package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.presence.PresenceEvent;

/**
 * What a {@link Bus} tells the watchers of a channel.
 *
 * <p><b>Threading:</b> immutable.
 */
public sealed interface Announcement {

    /** Returns the channel. */
    ChannelId channel();

    /**
     * A publication, whole.
     *
     * @param channel where
     * @param publication the publication; offset 0 if it is not logged
     */
    record Published(ChannelId channel, Publication publication) implements Announcement {}

    /**
     * The log has moved on; read it. For payloads too large for the bus.
     *
     * @param channel where
     * @param head the position that it reached at least
     */
    record Moved(ChannelId channel, Cursor head) implements Announcement {}

    /**
     * A user joined or left.
     *
     * @param channel where
     * @param event who and which
     */
    record Presence(ChannelId channel, PresenceEvent event) implements Announcement {}
}
