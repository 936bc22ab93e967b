package dev.fanfare.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.Rate;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import io.netty.buffer.PoolArenaMetric;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Clients that connect, subscribe and vanish, twenty thousand times, in every way there is to vanish. */
class ChurnIT {

    private static final int CLIENTS = 20_000;
    private static final int THREADS = 4;
    private static final String ON_PURPOSE = "lost on purpose";

    private final ListAppender<ILoggingEvent> leaks = new ListAppender<>();
    private final Logger detector = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
    private final long buffersBefore = buffersInUse();
    private final Queue<IOException> faults = new ConcurrentLinkedQueue<>();
    private final Counting counting = new Counting();
    private final Fanfare fanfare = Fanfare.builder()
            .namespace(
                    "room",
                    rules -> rules.retain(20, Duration.ofMinutes(5)).presence().presenceGrace(Duration.ZERO))
            .authorizer(Authorizer.allowAll())
            .listener(counting)
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .host("localhost")
            .connectRate(Rate.unlimited())
            .port(0)
            .eventLoopThreads(2)
            .start();

    @BeforeEach
    void collectLeakReports() {
        leaks.start();
        detector.addAppender(leaks);
    }

    @AfterEach
    void close() {
        detector.detachAppender(leaks);
        fanfare.close();
        transport.close();
    }

    @Test
    void clientsThatVanishLeaveNothingBehind() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(THREADS);
        List<Future<@Nullable Void>> clients = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            long seed = thread;
            clients.add(pool.submit((Callable<@Nullable Void>) () -> {
                churn(new SplittableRandom(seed));
                return null;
            }));
        }
        for (Future<?> each : clients) {
            each.get(240, SECONDS);
        }
        pool.shutdown();

        assertThat(counting.subscribes.get()).as("subscriptions that went live").isGreaterThan(CLIENTS / 4);
        await().atMost(Duration.ofSeconds(60)).untilAsserted(this::nothingIsLeft);
        assertThat(faults)
                .as("what clients met that did not want to vanish yet")
                .isEmpty();
        fanfare.close();
        transport.close(); // the loops' own caches of buffers go with them
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() ->
                        assertThat(buffersInUse()).as("direct buffers in use").isEqualTo(buffersBefore));
        leakOne();
        await().atMost(Duration.ofSeconds(60)).until(this::isTheLeakReported);
        assertThat(leaks.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .as("leak reports")
                .allMatch(report -> report.contains(ON_PURPOSE));
    }

    private static long buffersInUse() {
        return PooledByteBufAllocator.DEFAULT.metric().directArenas().stream()
                .mapToLong(PoolArenaMetric::numActiveAllocations)
                .sum();
    }

    /** Once this one is reported, what was lost before it would have been, too. */
    private static void leakOne() {
        PooledByteBufAllocator.DEFAULT.heapBuffer(16).touch(ON_PURPOSE);
    }

    private boolean isTheLeakReported() {
        System.gc();
        PooledByteBufAllocator.DEFAULT.heapBuffer(16).release(); // has the detector look for what was collected
        return List.copyOf(leaks.list).stream()
                .anyMatch(report -> report.getFormattedMessage().contains(ON_PURPOSE));
    }

    private void nothingIsLeft() {
        assertThat(transport.openChannels()).as("open channels").isZero();
        assertThat(fanfare.connections().count().toCompletableFuture().join()).isZero();
        assertThat(counting.disconnects).hasValue(counting.connects.get());
        assertThat(counting.unsubscribes).hasValue(counting.subscribes.get());
        for (int room = 0; room < THREADS; room++) {
            assertThat(fanfare.presence(ChannelId.of("room:" + room))
                            .toCompletableFuture()
                            .join()
                            .connections())
                    .isZero();
        }
    }

    private void churn(SplittableRandom random) throws IOException {
        for (int i = 0; i < CLIENTS / THREADS; i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), transport.port())) {
                socket.setSoLinger(random.nextBoolean(), 0); // half of them end with a reset
                socket.setSoTimeout(10_000);
                OutputStream out = socket.getOutputStream();
                int stage = random.nextInt(6);
                boolean isStream = random.nextInt(5) == 0;
                byte[] handshake = handshake(isStream);
                out.write(handshake, 0, stage == 0 ? random.nextInt(handshake.length) : handshake.length);
                if (stage > 1 && !isStream) {
                    out.write(frame("{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"room:"
                            + random.nextInt(THREADS) + "\",\"join_leave\":true}}"));
                }
                if (stage > 2) {
                    readUntil(socket, stage == 3 ? "HTTP/1.1" : isStream ? "retry" : "\"id\":2");
                }
                if (stage > 4 && !isStream) {
                    out.write(frame("{\"id\":3,\"publish\":{\"channel\":\"room:0\",\"data\":1}}"));
                }
            } catch (IOException fault) {
                faults.add(fault); // the server closes none of these: no client stays until a time-out
            }
        }
    }

    private static byte[] handshake(boolean isStream) {
        String request = isStream
                ? "GET /sse?channel=room:1&history=5 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                : "GET /connection/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                        + "Connection: Upgrade\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n"
                        + "Sec-WebSocket-Version: 13\r\n\r\n";
        return request.getBytes(UTF_8);
    }

    private static byte[] frame(String text) {
        byte[] payload = text.getBytes(UTF_8);
        byte[] frame = new byte[6 + payload.length];
        frame[0] = (byte) 0x81;
        frame[1] = (byte) (0x80 | payload.length); // always below 126; the mask is all zeros
        System.arraycopy(payload, 0, frame, 6, payload.length);
        return frame;
    }

    private static void readUntil(Socket socket, String text) throws IOException {
        StringBuilder received = new StringBuilder();
        byte[] some = new byte[2048];
        while (received.indexOf(text) < 0) {
            int length = socket.getInputStream().read(some);
            if (length < 0) {
                throw new EOFException("the server closed before it said " + text + ": " + received);
            }
            received.append(new String(some, 0, length, UTF_8));
        }
    }

    private static final class Counting implements FanfareListener {
        final AtomicInteger connects = new AtomicInteger();
        final AtomicInteger disconnects = new AtomicInteger();
        final AtomicInteger subscribes = new AtomicInteger();
        final AtomicInteger unsubscribes = new AtomicInteger();

        @Override
        public void onConnect(ConnectionInfo connection) {
            connects.incrementAndGet();
        }

        @Override
        public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
            disconnects.incrementAndGet();
        }

        @Override
        public void onSubscribe(@Nullable ConnectionInfo connection, ChannelId channel, Resume resume) {
            subscribes.incrementAndGet();
        }

        @Override
        public void onUnsubscribe(@Nullable ConnectionInfo connection, ChannelId channel, UnsubscribeReason reason) {
            unsubscribes.incrementAndGet();
        }
    }
}
