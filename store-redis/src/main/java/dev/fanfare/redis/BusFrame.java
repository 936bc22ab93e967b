package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Announcement;

/**
 * The binary form of announcements on pub/sub: version 1 · kind · content. The script of an append writes kinds P and M
 * itself.
 */
final class BusFrame {

    private static final int VERSION = 1;
    private static final char PUBLISHED = 'P';
    private static final char MOVED = 'M';
    private static final char JOINED = 'J';
    private static final char LEFT = 'L';

    private BusFrame() {}

    /** Writes an announcement; a logged publication that is larger than so many bytes only by reference. */
    static byte[] of(Announcement announcement, int maxInlineBytes) {
        if (announcement instanceof Announcement.Published published) {
            Publication publication = published.publication();
            return publication.isLogged() && publication.data().size() > maxInlineBytes
                    ? moved(publication.cursor())
                    : published(publication);
        } else if (announcement instanceof Announcement.Moved moved) {
            return moved(moved.head());
        }
        PresenceEvent event = ((Announcement.Presence) announcement).event();
        boolean isJoin = event.kind() == PresenceEvent.Kind.JOIN;
        byte[] member = Envelope.member(event.member());
        return start(isJoin ? JOINED : LEFT, member.length).putAll(member).toBytes();
    }

    static byte[] published(Publication publication) {
        String epoch = publication.epoch();
        ByteSink sink = start(PUBLISHED, 9 + epoch.length() + Envelope.expectedLength(publication));
        putPlace(sink, epoch, publication.offset());
        Envelope.putEntry(sink, publication);
        return sink.toBytes();
    }

    private static byte[] moved(Cursor head) {
        ByteSink sink = start(MOVED, 48);
        putPlace(sink, head.epoch(), head.offset());
        return sink.putLong(head.tag()).toBytes();
    }

    private static ByteSink start(char kind, int more) {
        return new ByteSink(2 + more).put(VERSION).put(kind);
    }

    static void putPlace(ByteSink sink, String epoch, long offset) {
        sink.putLong(offset).put(epoch.length()).putAll(epoch.getBytes(US_ASCII));
    }

    static Announcement read(ChannelId channel, byte[] bytes) throws MalformedException {
        ByteSource source = new ByteSource(bytes);
        int version = source.next();
        if (version != VERSION) {
            throw new MalformedException("unknown version " + version);
        }
        int kind = source.next();
        return switch (kind) {
            case PUBLISHED -> {
                long offset = source.nextLong();
                String epoch = source.nextText(source.next());
                yield new Announcement.Published(channel, Envelope.entry(epoch, offset, source));
            }
            case MOVED -> {
                long offset = source.nextLong();
                String epoch = source.nextText(source.next());
                yield new Announcement.Moved(channel, Envelope.cursor(epoch, offset, source.nextLong()));
            }
            case JOINED -> presence(channel, PresenceEvent.Kind.JOIN, source);
            case LEFT -> presence(channel, PresenceEvent.Kind.LEAVE, source);
            default -> throw new MalformedException("unknown kind " + kind);
        };
    }

    private static Announcement presence(ChannelId channel, PresenceEvent.Kind kind, ByteSource source)
            throws MalformedException {
        return new Announcement.Presence(channel, new PresenceEvent(kind, Envelope.member(source)));
    }
}
