package dev.fanfare.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Clients that read slowly or not at all, among others that do. */
class SlowReadersIT {

    private static final String CHANNEL = "kept:a";
    private static final int PUBLICATIONS = 2_000;
    private static final int BYTES = 2_000;
    private static final int SMALL_WINDOW = 4 * 1024;
    private static final long MOST_FOR_ONE = 200 * 1024;

    private final Queue<DisconnectReason> ends = new ConcurrentLinkedQueue<>();
    private final AtomicInteger catchUps = new AtomicInteger();
    private final Fanfare fanfare = Fanfare.builder()
            .namespace("kept", rules -> rules.retain(100_000, Duration.ofMinutes(5)))
            .authorizer(Authorizer.allowAll())
            .listener(new FanfareListener() {
                @Override
                public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
                    ends.add(reason);
                }

                @Override
                public void onCatchUp(ChannelId channel) {
                    catchUps.incrementAndGet();
                }
            })
            .build();
    private NettyTransport transport = builder().start();
    private final List<Socket> sockets = new ArrayList<>();

    private NettyTransport.Builder builder() {
        return NettyTransport.builder(fanfare).host("localhost").port(0).eventLoopThreads(1);
    }

    @AfterEach
    void close() throws IOException {
        for (Socket each : sockets) {
            each.close();
        }
        fanfare.close();
        transport.close();
    }

    @Test
    void whoStopsReadingDelaysNobodyHoldsLittleAndEndsComplete() throws IOException {
        Socket stalled = open(SMALL_WINDOW);
        Socket fast = open(1 << 20);

        publish(1, PUBLICATIONS);
        List<Integer> seen = read(fast, PUBLICATIONS);
        await().untilAsserted(() -> assertThat(transport.unsentBytes()).isBetween(1L, MOST_FOR_ONE));
        assertThat(fanfare.stats().unsentBytes()).isBetween(1L, MOST_FOR_ONE);
        List<Integer> seenLate = read(stalled, PUBLICATIONS);

        assertThat(seen).isEqualTo(numbers(PUBLICATIONS));
        assertThat(seenLate).isEqualTo(numbers(PUBLICATIONS));
        assertThat(catchUps).hasPositiveValue();
        await().untilAsserted(() -> assertThat(transport.unsentBytes()).isZero());
    }

    @Test
    void whoReadsByteByByteEndsComplete() throws IOException {
        Socket trickle = open(SMALL_WINDOW);
        publish(1, PUBLICATIONS);

        StringBuilder begun = new StringBuilder();
        for (int i = 0; i < 3_000; i++) {
            begun.append((char) trickle.getInputStream().read());
        }

        assertThat(read(trickle, PUBLICATIONS, begun)).isEqualTo(numbers(PUBLICATIONS));
    }

    @Test
    void whoStopsAndGoesOnAgainAndAgainEndsComplete() throws IOException {
        Socket flapping = open(SMALL_WINDOW);
        StringBuilder all = new StringBuilder();

        for (int round = 0; round < 20; round++) {
            publish(round * 100 + 1, 100);
            int more = transport.unsentBytes() > 0 ? 150_000 : 100_000;
            all.append(new String(flapping.getInputStream().readNBytes(more), UTF_8));
        }

        assertThat(read(flapping, PUBLICATIONS, all)).isEqualTo(numbers(PUBLICATIONS));
    }

    @Test
    void whoTakesNothingForTooLongIsCutOff() throws IOException {
        transport.close();
        transport = builder().writeTimeout(Duration.ofSeconds(3)).start();
        open(SMALL_WINDOW);
        Socket fast = open(1 << 20);
        CompletableFuture<List<Integer>> seen = CompletableFuture.supplyAsync(() -> readAll(fast));

        publish(1, PUBLICATIONS);

        assertThat(seen.join()).isEqualTo(numbers(PUBLICATIONS));
        await().untilAsserted(() -> assertThat(ends).containsExactly(DisconnectReason.SLOW));
        assertThat(transport.unsentBytes()).isZero();
    }

    @Test
    void whenTooMuchWaitsForAllSomeAreCutOff() throws IOException {
        transport.close();
        transport = builder().maxUnsentBytes(1 << 20).start();
        int stalled = 40;
        for (int i = 0; i < stalled; i++) {
            open(SMALL_WINDOW);
        }
        Socket fast = open(1 << 20);
        CompletableFuture<List<Integer>> seen = CompletableFuture.supplyAsync(() -> readAll(fast));

        publish(1, PUBLICATIONS);

        assertThat(seen.join()).isEqualTo(numbers(PUBLICATIONS));
        await().untilAsserted(() -> assertThat(ends).isNotEmpty().containsOnly(DisconnectReason.SLOW));
        assertThat(ends).hasSizeLessThan(stalled);
        assertThat(transport.unsentBytes()).isLessThanOrEqualTo(1 << 20);
    }

    /** Opens an event stream whose kernel takes little. */
    private Socket open(int window) throws IOException {
        Socket socket = new Socket();
        sockets.add(socket);
        socket.setReceiveBufferSize(window);
        socket.setSoTimeout(60_000);
        socket.connect(new InetSocketAddress("localhost", transport.port()));
        socket.getOutputStream()
                .write(("GET /sse?channel=" + CHANNEL + " HTTP/1.1\r\nHost: localhost\r\n\r\n").getBytes(US_ASCII));
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\nretry:") < 0) {
            head.append((char) socket.getInputStream().read());
        }
        return socket;
    }

    private void publish(int first, int count) {
        String padding = "x".repeat(BYTES);
        for (int number = first; number < first + count; number++) {
            fanfare.publish(CHANNEL, "\"#" + number + "#" + padding + "\"")
                    .toCompletableFuture()
                    .join();
        }
    }

    private static List<Integer> read(Socket socket, int last) throws IOException {
        return read(socket, last, new StringBuilder());
    }

    private static List<Integer> readAll(Socket socket) {
        try {
            return read(socket, PUBLICATIONS);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    /** Reads to that number and returns all of them; the text was read before. */
    private static List<Integer> read(Socket socket, int last, StringBuilder text) throws IOException {
        InputStream in = socket.getInputStream();
        byte[] piece = new byte[1 << 16];
        String end = "#" + last + "#";
        while (text.indexOf(end, Math.max(0, text.length() - piece.length - end.length())) < 0) {
            int length = in.read(piece);
            assertThat(length)
                    .as("the stream goes on; it is at %s", text.length())
                    .isPositive();
            text.append(new String(piece, 0, length, UTF_8));
        }
        return text.toString()
                .lines()
                .filter(line -> line.startsWith("data:") && line.contains("#"))
                .map(line -> Integer.valueOf(line.split("#")[1]))
                .toList();
    }

    private static List<Integer> numbers(int count) {
        return IntStream.rangeClosed(1, count).boxed().toList();
    }
}
