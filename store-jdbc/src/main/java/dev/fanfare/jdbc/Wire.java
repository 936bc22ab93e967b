package dev.fanfare.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.Publisher;
import dev.fanfare.presence.Member;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes and reads what stands in binary columns. The first byte of each form says what follows, so that later
 * versions can add to it.
 */
final class Wire {

    private static final int EVENT_TYPE = 1;
    private static final int KEY = 2;
    private static final int HEADERS = 4;
    private static final int PUBLISHER = 8;

    private Wire() {}

    // ---- what a publication has besides its data

    /** Returns null if there is nothing to write. */
    static byte @Nullable [] extra(PublishOptions options, @Nullable Publisher publisher) {
        return extra(options.eventType(), options.key(), options.headers(), publisher);
    }

    private static byte @Nullable [] extra(
            @Nullable String eventType,
            @Nullable String key,
            Map<String, String> headers,
            @Nullable Publisher publisher) {
        int form = (eventType == null ? 0 : EVENT_TYPE)
                | (key == null ? 0 : KEY)
                | (headers.isEmpty() ? 0 : HEADERS)
                | (publisher == null ? 0 : PUBLISHER);
        if (form == 0) {
            return null;
        }
        Writer writer = new Writer().number(form);
        if (eventType != null) {
            writer.text(eventType);
        }
        if (key != null) {
            writer.text(key);
        }
        if (!headers.isEmpty()) {
            writer.number(headers.size());
            headers.forEach((name, value) -> writer.text(name).text(value));
        }
        if (publisher != null) {
            writer.text(publisher.user()).text(publisher.connection()).payload(publisher.info());
        }
        return writer.bytes();
    }

    static void readExtra(byte @Nullable [] extra, Publication.Builder into) {
        if (extra == null || extra.length == 0) {
            return;
        }
        Reader reader = new Reader(extra);
        int form = reader.number();
        if ((form & EVENT_TYPE) != 0) {
            into.eventType(reader.text());
        }
        if ((form & KEY) != 0) {
            into.key(reader.text());
        }
        if ((form & HEADERS) != 0) {
            Map<String, String> headers = new HashMap<>();
            for (int left = reader.number(); left > 0; left--) {
                headers.put(reader.text(), reader.text());
            }
            into.headers(headers);
        }
        if ((form & PUBLISHER) != 0) {
            into.publisher(new Publisher(reader.text(), reader.text(), reader.payload()));
        }
    }

    /** Reads options back; the dedup key stands elsewhere. */
    static PublishOptions options(byte @Nullable [] extra, @Nullable String dedupKey) {
        Publication.Builder builder = Publication.builder(Payload.EMPTY);
        readExtra(extra, builder);
        Publication read = builder.build();
        PublishOptions options = PublishOptions.none().withHeaders(read.headers());
        options = read.key() == null ? options : options.withKey(read.key());
        options = read.eventType() == null ? options : options.withEventType(read.eventType());
        return dedupKey == null ? options : options.withDedupKey(dedupKey);
    }

    // ---- a whole publication

    static byte[] publication(Publication publication) {
        byte[] extra =
                extra(publication.eventType(), publication.key(), publication.headers(), publication.publisher());
        return new Writer()
                .number(1)
                .text(publication.epoch())
                .longNumber(publication.offset())
                .longNumber(publication.tag())
                .longNumber(publication.previousTag())
                .longNumber(publication.timeMillis())
                .block(publication.data().unsafeBytes())
                .block(extra == null ? new byte[0] : extra)
                .bytes();
    }

    static Publication publication(byte[] bytes) {
        Reader reader = new Reader(bytes).skipForm();
        String epoch = reader.text();
        long offset = reader.longNumber();
        long tag = reader.longNumber();
        long previousTag = reader.longNumber();
        long timeMillis = reader.longNumber();
        Publication.Builder builder = Publication.builder(Payload.wrap(reader.block()))
                .position(epoch, offset, tag, previousTag)
                .timeMillis(timeMillis);
        readExtra(reader.block(), builder);
        return builder.build();
    }

    // ---- a member

    static byte[] member(Member member) {
        return new Writer()
                .number(1)
                .text(member.user())
                .text(member.connection())
                .payload(member.info())
                .bytes();
    }

    static Member member(byte[] bytes) {
        Reader reader = new Reader(bytes).skipForm();
        return new Member(reader.text(), reader.text(), reader.payload());
    }

    /** Writes numbers, texts and blocks one after the other. Not thread-safe. */
    static final class Writer {
        private byte[] bytes = new byte[128];
        private int size;

        @CanIgnoreReturnValue
        Writer number(int number) {
            room(Integer.BYTES).putInt(number);
            return this;
        }

        @CanIgnoreReturnValue
        Writer longNumber(long number) {
            room(Long.BYTES).putLong(number);
            return this;
        }

        @CanIgnoreReturnValue
        Writer block(byte[] block) {
            number(block.length);
            room(block.length).put(block);
            return this;
        }

        @CanIgnoreReturnValue
        Writer text(String text) {
            return block(text.getBytes(UTF_8));
        }

        @CanIgnoreReturnValue
        Writer payload(@Nullable Payload payload) {
            return payload == null ? number(-1) : block(payload.unsafeBytes());
        }

        byte[] bytes() {
            return Arrays.copyOf(bytes, size);
        }

        private ByteBuffer room(int more) {
            if (bytes.length - size < more) {
                bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
            }
            ByteBuffer room = ByteBuffer.wrap(bytes, size, more);
            size += more;
            return room;
        }
    }

    /** Reads what a {@link Writer} wrote. Not thread-safe. */
    static final class Reader {
        private final ByteBuffer bytes;

        Reader(byte[] bytes) {
            this.bytes = ByteBuffer.wrap(bytes);
        }

        /** Passes over the number of the form: there is only one yet. */
        Reader skipForm() {
            bytes.getInt();
            return this;
        }

        int number() {
            return bytes.getInt();
        }

        long longNumber() {
            return bytes.getLong();
        }

        byte[] block() {
            return block(number());
        }

        private byte[] block(int length) {
            if (length < 0 || length > bytes.remaining()) {
                throw new IllegalStateException(
                        "A block of " + length + " bytes, of which there are " + bytes.remaining());
            }
            byte[] block = new byte[length];
            bytes.get(block);
            return block;
        }

        String text() {
            return new String(block(), UTF_8);
        }

        @Nullable
        Payload payload() {
            int length = number();
            return length < 0 ? null : Payload.wrap(block(length));
        }

        boolean hasMore() {
            return bytes.hasRemaining();
        }
    }
}
