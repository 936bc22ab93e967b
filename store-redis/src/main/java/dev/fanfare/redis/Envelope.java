package dev.fanfare.redis;

import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.Publisher;
import dev.fanfare.presence.Member;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The binary form of publications and members in Redis.
 *
 * <p>A body is: version 1 · fields · 0 · data. A field is: number · length · content; unknown ones are skipped, so that
 * nodes of the version before and after understand each other. An entry of a stream is: tag of the one before (8
 * bytes) · tag (8) · time in ms (8) · body. The scripts know entries down to the body, and nothing inside.
 */
final class Envelope {

    private static final int VERSION = 1;
    private static final int END = 0;
    private static final int EVENT_TYPE = 1;
    private static final int KEY = 2;
    private static final int HEADER = 3;
    private static final int USER = 4;
    private static final int CONNECTION = 5;
    private static final int INFO = 6;

    private Envelope() {}

    // ---- writing

    static byte[] body(Payload data, PublishOptions options, @Nullable Publisher publisher) {
        ByteSink sink = new ByteSink(room(data, publisher));
        putBody(sink, data, options.eventType(), options.key(), options.headers(), publisher);
        return sink.toBytes();
    }

    private static int room(Payload data, @Nullable Publisher publisher) {
        return data.size() + 2 + (publisher == null ? 0 : 128);
    }

    private static void putBody(
            ByteSink sink,
            Payload data,
            @Nullable String eventType,
            @Nullable String key,
            Map<String, String> headers,
            @Nullable Publisher publisher) {
        sink.put(VERSION);
        if (eventType != null) {
            sink.put(EVENT_TYPE).putText(eventType);
        }
        if (key != null) {
            sink.put(KEY).putText(key);
        }
        headers.forEach((name, value) -> {
            byte[] header = new ByteSink(64).putText(name).putText(value).toBytes();
            sink.put(HEADER).putLength(header.length).putAll(header);
        });
        if (publisher != null) {
            putIdentity(sink, publisher.user(), publisher.connection(), publisher.info());
        }
        sink.put(END).putAll(data.unsafeBytes());
    }

    /** Returns how long an entry will be, if it has nothing but data. */
    static int expectedLength(Publication publication) {
        return 24 + room(publication.data(), publication.publisher());
    }

    /** Writes the entry that a publication would have in a stream. */
    static void putEntry(ByteSink sink, Publication publication) {
        sink.putLong(publication.previousTag()).putLong(publication.tag()).putLong(publication.timeMillis());
        putBody(
                sink,
                publication.data(),
                publication.eventType(),
                publication.key(),
                publication.headers(),
                publication.publisher());
    }

    static byte[] member(Member member) {
        ByteSink sink = new ByteSink(96).put(VERSION);
        putIdentity(sink, member.user(), member.connection(), member.info());
        return sink.put(END).toBytes();
    }

    private static void putIdentity(ByteSink sink, String user, String connection, @Nullable Payload info) {
        sink.put(USER).putText(user).put(CONNECTION).putText(connection);
        if (info != null) {
            sink.put(INFO).putLength(info.size()).putAll(info.unsafeBytes());
        }
    }

    // ---- reading

    /** Reads an entry; the data is what remains. */
    static Publication entry(String epoch, long offset, ByteSource source) throws MalformedException {
        long previousTag = source.nextLong();
        long tag = source.nextLong();
        long timeMillis = source.nextLong();
        if (offset < 0 || !isEpoch(epoch)) {
            throw new MalformedException("not a position");
        }
        Fields fields = new Fields(source);
        return Publication.builder(Payload.wrap(source.rest()))
                .position(epoch, offset, tag, previousTag)
                .timeMillis(timeMillis)
                .eventType(fields.eventType)
                .key(fields.key)
                .headers(fields.headers)
                .publisher(fields.publisher())
                .build();
    }

    static Member member(ByteSource source) throws MalformedException {
        Fields fields = new Fields(source);
        if (fields.user == null || fields.connection == null) {
            throw new MalformedException("a member without user or connection");
        }
        return new Member(fields.user, fields.connection, fields.info);
    }

    static Cursor cursor(String epoch, long offset, long tag) throws MalformedException {
        try {
            return new Cursor(epoch, offset, tag);
        } catch (IllegalArgumentException bad) {
            throw new MalformedException("not a position: " + bad.getMessage());
        }
    }

    private static boolean isEpoch(String epoch) {
        return epoch.length() <= 32 && epoch.chars().allMatch(c -> c < 128 && Character.isLetterOrDigit(c));
    }

    private static final class Fields {
        @Nullable
        String eventType;

        @Nullable
        String key;

        Map<String, String> headers = Map.of();

        @Nullable
        String user;

        @Nullable
        String connection;

        @Nullable
        Payload info;

        Fields(ByteSource source) throws MalformedException {
            int version = source.next();
            if (version != VERSION) {
                throw new MalformedException("unknown version " + version);
            }
            for (int field = source.next(); field != END; field = source.next()) {
                int length = source.nextLength();
                read(field, length, source.nextPart(length));
            }
        }

        private void read(int field, int length, ByteSource content) throws MalformedException {
            switch (field) {
                case EVENT_TYPE -> eventType = content.nextText(length);
                case KEY -> key = content.nextText(length);
                case HEADER -> {
                    Map<String, String> more = new TreeMap<>(headers);
                    more.put(content.nextText(), content.nextText());
                    headers = more;
                }
                case USER -> user = content.nextText(length);
                case CONNECTION -> connection = content.nextText(length);
                case INFO -> info = Payload.wrap(content.rest());
                default -> {
                    // of a later version
                }
            }
        }

        @Nullable
        Publisher publisher() {
            return user == null || connection == null ? null : new Publisher(user, connection, info);
        }
    }
}
