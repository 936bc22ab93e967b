package dev.fanfare.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Publisher;
import dev.fanfare.presence.Member;
import dev.fanfare.spi.Announcement;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is written can be read, by this version and its neighbours; what was not written is refused. */
class EnvelopeTest {

    private static final ChannelId CHANNEL = ChannelId.of("chat:lobby");

    private final Publication publication = Publication.builder(Payload.of("{\"text\":\"ü\"}"))
            .position("e1", 7, -7, 9)
            .timeMillis(1_234)
            .key("k")
            .eventType("reading")
            .headers(Map.of("a", "1", "unit", "°C", "long", "x".repeat(4000)))
            .publisher(new Publisher("ana", "c1", Payload.of("{}")))
            .build();

    @Test
    void fieldsOfALaterVersionAreSkipped() throws MalformedException {
        byte[] entry = entry(publication);
        byte[] later = new ByteSink(entry.length + 8)
                .putAll(Arrays.copyOf(entry, 25))
                .put(99)
                .putText("new")
                .putAll(Arrays.copyOfRange(entry, 25, entry.length))
                .toBytes();

        Publication read = Envelope.entry("e1", 7, new ByteSource(later));

        assertThat(read.data()).isEqualTo(publication.data());
        assertThat(read.headers()).isEqualTo(publication.headers());
        assertThat(read.publisher()).isEqualTo(publication.publisher());
    }

    @Test
    void anotherVersionIsRefused() {
        byte[] entry = entry(publication);
        entry[24] = 2;

        assertThatThrownBy(() -> Envelope.entry("e1", 7, new ByteSource(entry)))
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("version 2");
    }

    @Test
    void garbageIsRefusedAndNothingElseHappens() {
        byte[] frame = BusFrame.of(new Announcement.Published(CHANNEL, publication), 16 * 1024);
        byte[] member = Envelope.member(new Member("ana", "c1", Payload.of("{}")));
        Random random = new Random(4711);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = Arrays.copyOf(i % 2 == 0 ? frame : member, random.nextInt(80));
            for (int flips = random.nextInt(4); flips > 0 && bytes.length > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            readQuietly(bytes);
        }
    }

    private static void readQuietly(byte[] bytes) {
        try {
            assertThat(BusFrame.read(CHANNEL, bytes)).isNotNull();
        } catch (MalformedException expected) {
            assertThat(expected).hasMessageMatching(".+");
        }
        try {
            assertThat(Envelope.member(new ByteSource(bytes))).isNotNull();
        } catch (MalformedException expected) {
            assertThat(expected).hasMessageMatching(".+");
        }
    }

    private static byte[] entry(Publication publication) {
        ByteSink sink = new ByteSink(Envelope.expectedLength(publication));
        Envelope.putEntry(sink, publication);
        return sink.toBytes();
    }
}
