package dev.fanfare.jdbc;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Announcement;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A row of the bus table.
 *
 * <p><b>Threading:</b> immutable, as long as nobody writes to the array.
 *
 * @param sender the store object that sent it
 * @param kind what it says
 * @param channel where; empty if it is not about one channel
 * @param body as the kind has it
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record BusMessage(long sender, Kind kind, String channel, byte[] body) {

    /** What a message says; the numbers stand in the table. */
    enum Kind {
        /** Several channels have moved; whoever sent it has told its own watchers already. */
        HINTS(1),
        /** One channel has moved. */
        MOVED(2),
        /** A publication, whole. */
        PUBLISHED(3),
        /** A user joined. */
        JOINED(4),
        /** A user left. */
        LEFT(5),
        /** From node to node. */
        CONTROL(6);

        final int number;

        Kind(int number) {
            this.number = number;
        }

        /** Returns null for a number that a newer version may have. */
        static @Nullable Kind of(int number) {
            for (Kind kind : values()) {
                if (kind.number == number) {
                    return kind;
                }
            }
            return null;
        }
    }

    static BusMessage of(long sender, Announcement announcement) {
        String channel = announcement.channel().value();
        if (announcement instanceof Announcement.Published published) {
            return new BusMessage(sender, Kind.PUBLISHED, channel, Wire.publication(published.publication()));
        } else if (announcement instanceof Announcement.Presence presence) {
            PresenceEvent event = presence.event();
            Kind kind = event.kind() == PresenceEvent.Kind.JOIN ? Kind.JOINED : Kind.LEFT;
            return new BusMessage(sender, kind, channel, Wire.member(event.member()));
        }
        Cursor head = ((Announcement.Moved) announcement).head();
        Wire.Writer writer = new Wire.Writer();
        write(writer, head);
        return new BusMessage(sender, Kind.MOVED, channel, writer.bytes());
    }

    static BusMessage hints(long sender, Map<ChannelId, Cursor> heads) {
        Wire.Writer writer = new Wire.Writer();
        heads.forEach((channel, head) -> {
            writer.text(channel.value());
            write(writer, head);
        });
        return new BusMessage(sender, Kind.HINTS, "", writer.bytes());
    }

    private static void write(Wire.Writer writer, Cursor head) {
        writer.text(head.epoch()).longNumber(head.offset()).longNumber(head.tag());
    }

    private static Cursor readCursor(Wire.Reader reader) {
        return new Cursor(reader.text(), reader.longNumber(), reader.longNumber());
    }

    /** Returns the announcement; only for the kinds that are one. */
    Announcement announcement() {
        ChannelId id = ChannelId.of(channel);
        return switch (kind) {
            case MOVED -> new Announcement.Moved(id, readCursor(new Wire.Reader(body)));
            case PUBLISHED -> {
                Publication publication = Wire.publication(body);
                yield new Announcement.Published(id, publication);
            }
            case JOINED -> new Announcement.Presence(id, new PresenceEvent(PresenceEvent.Kind.JOIN, Wire.member(body)));
            case LEFT -> new Announcement.Presence(id, new PresenceEvent(PresenceEvent.Kind.LEAVE, Wire.member(body)));
            case HINTS, CONTROL -> throw new IllegalStateException(kind + " is no announcement");
        };
    }

    /** Returns which channels moved where to. */
    Map<ChannelId, Cursor> hints() {
        Map<ChannelId, Cursor> heads = new LinkedHashMap<>();
        Wire.Reader reader = new Wire.Reader(body);
        while (reader.hasMore()) {
            heads.put(ChannelId.of(reader.text()), readCursor(reader));
        }
        return heads;
    }
}
