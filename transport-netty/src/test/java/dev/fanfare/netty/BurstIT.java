package dev.fanfare.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.DropReason;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** So much at once that one turn of an event loop has more for hundreds of sockets than they take. */
class BurstIT {

    private static final int READERS = 600;
    private static final long PATIENCE_MILLIS = 60_000;

    private final AtomicLong dropped = new AtomicLong();
    private final Fanfare fanfare = Fanfare.builder()
            .namespace("kept", rules -> rules.retain(10_000, Duration.ofMinutes(5)))
            .namespace("plain", rules -> rules)
            .authorizer(Authorizer.allowAll())
            .listener(new FanfareListener() {
                @Override
                public void onDrop(ChannelId channel, DropReason reason, long count) {
                    dropped.addAndGet(count);
                }
            })
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .host("localhost")
            .port(0)
            .eventLoopThreads(1)
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
    void everyReaderOfARetainedChannelGetsAllOfIt() throws IOException {
        connect(READERS, "kept:a");

        publish("kept:a", 2_000, 100);
        readUntil(2_000);

        assertThat(readers).allSatisfy(reader -> assertThat(reader.received).isEqualTo(2_000));
    }

    @Test
    void readersThatKeepUpLoseNothingOfAnUnretainedChannelEither() throws IOException {
        connect(50, "plain:a");

        for (int burst = 1; burst <= 5; burst++) {
            publish("plain:a", 20, 8_000);
            readUntil(20 * burst);
        }

        assertThat(readers).allSatisfy(reader -> assertThat(reader.received).isEqualTo(100));
        assertThat(dropped).hasValue(0);
    }

    private void connect(int count, String channel) throws IOException {
        byte[] request = ("GET /sse?channel=" + channel + " HTTP/1.1\r\nHost: localhost\r\n\r\n").getBytes(US_ASCII);
        for (int i = 0; i < count; i++) {
            SocketChannel socket = SocketChannel.open(new InetSocketAddress("localhost", transport.port()));
            socket.write(ByteBuffer.wrap(request));
            socket.configureBlocking(false);
            Reader reader = new Reader(socket);
            socket.register(selector, SelectionKey.OP_READ, reader);
            readers.add(reader);
        }
        await("every stream has begun", () -> readers.stream().allMatch(reader -> reader.hasBegun));
    }

    private void publish(String channel, int count, int bytes) {
        String padding = "x".repeat(bytes);
        for (int i = 0; i < count; i++) {
            fanfare.publish(channel, "\"" + padding + "\"");
        }
    }

    private void readUntil(int count) throws IOException {
        await("all is there", () -> readers.stream().allMatch(reader -> reader.received >= count));
    }

    private void await(String what, BooleanSupplier isDone) throws IOException {
        long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
        while (!isDone.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("Not in time: " + what + "; received "
                        + readers.stream().mapToInt(reader -> reader.received).summaryStatistics());
            }
            selector.select(100);
            for (SelectionKey key : selector.selectedKeys()) {
                ((Reader) key.attachment()).read();
            }
            selector.selectedKeys().clear();
        }
    }

    /** Counts the events of one stream, each of which has one line of data. */
    private static final class Reader {
        private static final ByteBuffer BUFFER = ByteBuffer.allocateDirect(1 << 20);
        private static final byte[] DATA = "\ndata:".getBytes(US_ASCII);
        private static final byte[] RETRY = "\nretry:".getBytes(US_ASCII);

        final SocketChannel socket;
        boolean hasBegun;
        int received;
        private int inData;
        private int inRetry;

        Reader(SocketChannel socket) {
            this.socket = socket;
        }

        void read() throws IOException {
            BUFFER.clear();
            if (socket.read(BUFFER) < 0) {
                throw new AssertionError("A reader was cut off after " + received + " events");
            }
            BUFFER.flip();
            while (BUFFER.hasRemaining()) {
                byte next = BUFFER.get();
                inData = next == DATA[inData] ? inData + 1 : next == '\n' ? 1 : 0;
                inRetry = next == RETRY[inRetry] ? inRetry + 1 : next == '\n' ? 1 : 0;
                if (inData == DATA.length) {
                    received++;
                    inData = 0;
                }
                if (inRetry == RETRY.length) {
                    hasBegun = true;
                    inRetry = 0;
                }
            }
        }
    }
}
