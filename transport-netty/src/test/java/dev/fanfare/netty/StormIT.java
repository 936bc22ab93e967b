package dev.fanfare.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Fanfare;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Many readers that are cut off at once, and come back at once. Set the properties {@code storm.readers} and {@code
 * storm.missed} for a larger storm.
 */
class StormIT {

    private static final int READERS = Integer.getInteger("storm.readers", 400);
    private static final int MISSED = Integer.getInteger("storm.missed", 200);
    private static final int CHANNELS = 4;
    private static final int BEFORE = 20;
    private static final int AFTER = 20;
    private static final long PATIENCE_MILLIS = 60_000;

    private final Fanfare fanfare = Fanfare.builder()
            .namespace("kept", rules -> rules.retain(10_000, Duration.ofMinutes(5)))
            .authorizer((user, action, channel) -> true) // one that has to be asked
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .host("localhost")
            .port(0)
            .eventLoopThreads(2)
            .start();
    private final List<Reader> readers = new ArrayList<>();
    private Selector selector;

    @BeforeEach
    void open() throws IOException {
        selector = Selector.open();
    }

    @AfterEach
    void close() throws IOException {
        for (Reader each : readers) {
            each.socket.close();
        }
        selector.close();
        fanfare.close();
        transport.close();
    }

    @Test
    void everyReaderEndsCompleteInOrderAndOnceAndTheLogIsHardlyRead() throws IOException {
        connectAll();
        publish(1, BEFORE);
        read(reader -> reader.seen() >= BEFORE);
        cutAll();
        publish(BEFORE + 1, MISSED);
        long readsBefore = fanfare.stats().logReads();

        connectAll();
        publish(BEFORE + MISSED + 1, AFTER);
        read(reader -> reader.seen() >= BEFORE + MISSED + AFTER);

        List<Integer> all =
                IntStream.rangeClosed(1, BEFORE + MISSED + AFTER).boxed().toList();
        assertThat(readers).allSatisfy(reader -> assertThat(reader.numbers()).isEqualTo(all));
        assertThat(readers).noneMatch(reader -> reader.text.indexOf("event: reset") >= 0);
        assertThat(fanfare.stats().logReads() - readsBefore).isLessThanOrEqualTo(2L * CHANNELS);
    }

    private void connectAll() throws IOException {
        for (int i = 0; i < READERS; i++) {
            if (readers.size() <= i) {
                readers.add(new Reader("kept:" + i % CHANNELS));
            }
            readers.get(i).connect();
        }
        read(reader -> reader.hasBegun());
    }

    private void cutAll() throws IOException {
        for (Reader each : readers) {
            each.cut();
        }
    }

    private void publish(int first, int count) {
        for (int number = first; number < first + count; number++) {
            for (int channel = 0; channel < CHANNELS; channel++) {
                fanfare.publish("kept:" + channel, Integer.toString(number))
                        .toCompletableFuture()
                        .join();
            }
        }
    }

    private void read(Predicate<Reader> isDone) throws IOException {
        long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
        while (!readers.stream().allMatch(isDone)) {
            assertThat(System.nanoTime()).as("patience").isLessThan(end);
            selector.select(100);
            for (SelectionKey key : selector.selectedKeys()) {
                ((Reader) key.attachment()).read();
            }
            selector.selectedKeys().clear();
        }
    }

    /** One client; it comes back with the id of the last event that it has whole. */
    private final class Reader {
        final StringBuilder text = new StringBuilder();
        private final String channel;
        private final ByteBuffer buffer = ByteBuffer.allocate(1 << 14);
        private SocketChannel socket;
        private int begun;
        private int seen;

        Reader(String channel) {
            this.channel = channel;
        }

        void connect() throws IOException {
            begun = text.length();
            socket = SocketChannel.open(new InetSocketAddress("localhost", transport.port()));
            String request =
                    "GET /sse?channel=" + channel + " HTTP/1.1\r\nHost: localhost\r\n" + lastEventId() + "\r\n";
            socket.write(ByteBuffer.wrap(request.getBytes(US_ASCII)));
            socket.configureBlocking(false);
            socket.register(selector, SelectionKey.OP_READ, this);
        }

        private String lastEventId() {
            int id = text.lastIndexOf("\nid: ");
            return id < 0 ? "" : "Last-Event-ID: " + text.substring(id + 5, text.indexOf("\n", id + 5)) + "\r\n";
        }

        void cut() throws IOException {
            socket.close();
            int whole = text.lastIndexOf("\n\n");
            text.setLength(whole + 2);
        }

        boolean hasBegun() {
            return text.indexOf("\nretry:", begun) >= 0;
        }

        int seen() {
            return seen;
        }

        void read() throws IOException {
            buffer.clear();
            assertThat(socket.read(buffer)).as("bytes from the server").isPositive();
            text.append(new String(buffer.array(), 0, buffer.position(), UTF_8));
            seen = numbers().stream().mapToInt(each -> each).max().orElse(0);
        }

        List<Integer> numbers() {
            return text.toString()
                    .lines()
                    .filter(line -> line.matches("data: [0-9]+"))
                    .map(line -> Integer.valueOf(line.substring("data: ".length())))
                    .toList();
        }
    }
}
