package dev.fanfare.examples.nodes;

import static dev.fanfare.examples.nodes.Cluster.PATIENCE;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Authenticator.Accepted;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.StartAt;
import dev.fanfare.micrometer.FanfareMetrics;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingSubscriber;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.channel.epoll.Epoll;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients whose network is gone without a word: nothing comes from them, and nothing says that they are not there. */
@Timeout(120)
class VanishedClientIT {

    private static final ChannelId ROOM = ChannelId.of("room:lobby");
    private static final Duration GRACE = Duration.ofSeconds(10);
    /** A state in the kernel's table. */
    private static final String LISTENING = "0A";

    private static final String CONNECT = "{\"id\":1,\"connect\":{}}\n";
    private static final String SUBSCRIBE = "{\"id\":2,\"subscribe\":{\"channel\":\"room:lobby\"}}";

    private final ManualTime time = new ManualTime();
    private final Ends ends = new Ends();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Namespace elsewhere = Namespace.open();
    private final Fanfare fanfare = Fanfare.builder()
            .timeSource(time)
            .namespace("room", rules -> rules.presence().presenceGrace(GRACE))
            .authorizer(Authorizer.allowAll())
            .listener(ends)
            .listener(FanfareMetrics.of(meters))
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .host(elsewhere.cuttableAddress())
            .port(0)
            .authenticator(who ->
                    CompletableFuture.completedFuture(Accepted.user(who.query().getOrDefault("user", ""))))
            .pingInterval(Duration.ofSeconds(2))
            .pongTimeout(Duration.ofSeconds(1))
            .writeTimeout(Duration.ofSeconds(1))
            .start();
    private final RecordingSubscriber watcher = new RecordingSubscriber();
    private final List<RemoteSocket> clients = new ArrayList<>();

    @BeforeEach
    void askTheKernel() {
        if (!Epoll.isAvailable()) {
            NotTested.because("without Netty's native library nobody asks the kernel: " + Epoll.unavailabilityCause());
        }
    }

    @AfterEach
    void close() {
        clients.forEach(RemoteSocket::close);
        fanfare.close();
        transport.close();
        elsewhere.close();
    }

    @Test
    void clientsWhoseNetworkIsGoneAreGivenUpCountedAndMissed() {
        fanfare.subscribe(ROOM, StartAt.live(), watcher);
        watcher.awaitReady();
        open("websocket", webSocket());
        open("stream", stream());

        elsewhere.cut();

        ends.assertEnds(Map.of("websocket", DisconnectReason.NO_PONG, "stream", DisconnectReason.NO_PONG));
        assertThat(ended(DisconnectReason.NO_PONG)).isEqualTo(2);
        assertMissedAfterTheGrace("websocket", "stream");
        assertNothingIsLeft();
    }

    @Test
    void eventStreamsAreAskedForNoPongAndGivenUpAllTheSame() {
        fanfare.subscribe(ROOM, StartAt.live(), watcher);
        watcher.awaitReady();
        open("events", "GET /sse?user=events&channel=room:lobby HTTP/1.1\r\nHost: localhost\r\n\r\n");

        elsewhere.cut();

        ends.assertEnds(Map.of("events", DisconnectReason.BY_CLIENT));
        assertThat(ended(DisconnectReason.BY_CLIENT)).isEqualTo(1);
        assertMissedAfterTheGrace("events");
        assertNothingIsLeft();
    }

    private void open(String user, String bytes) {
        RemoteSocket client = RemoteSocket.connect(elsewhere, transport.port());
        clients.add(client);
        client.send(bytes.getBytes(ISO_8859_1));
        client.readUntil("HTTP/1.1");
        assertThat(watcher.assertPresence(PresenceEvent.Kind.JOIN, user)).isNotNull();
    }

    private static String webSocket() {
        return "GET /connection/websocket?user=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                + "Connection: Upgrade\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n"
                + "Sec-WebSocket-Version: 13\r\n\r\n" + frame(CONNECT + SUBSCRIBE);
    }

    /** Returns a frame of text, the mask all zeros. */
    private static String frame(String text) {
        assertThat(text.length()).isBetween(1, 125);
        return new String(new byte[] {(byte) 0x81, (byte) (0x80 | text.length()), 0, 0, 0, 0}, ISO_8859_1) + text;
    }

    private static String stream() {
        String body = CONNECT + SUBSCRIBE;
        return "POST /connection/http_stream?user=stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                + body.length() + "\r\n\r\n" + body;
    }

    private double ended(DisconnectReason reason) {
        return meters.get("fanfare.disconnects")
                .tag("reason", reason.name().toLowerCase(Locale.ROOT))
                .functionCounter()
                .count();
    }

    private void assertMissedAfterTheGrace(String... users) {
        watcher.assertExhausted();
        await().atMost(PATIENCE).until(() -> {
            time.advance(Duration.ofSeconds(1)); // the grace begins a moment after the end is told
            return watcher.waiting() == users.length;
        });
        List<String> missed = new ArrayList<>();
        for (int i = 0; i < users.length; i++) {
            RecordingSubscriber.Event event = watcher.awaitEvent();
            assertThat(event).isInstanceOfSatisfying(RecordingSubscriber.Event.Presence.class, told -> {
                assertThat(told.event().kind()).isEqualTo(PresenceEvent.Kind.LEAVE);
                missed.add(told.event().member().user());
            });
        }
        assertThat(missed).containsExactlyInAnyOrder(users);
        assertThat(fanfare.presence(ROOM).toCompletableFuture().join().connections())
                .isZero();
    }

    private void assertNothingIsLeft() {
        assertThat(fanfare.stats().connections()).isZero();
        assertThat(fanfare.stats().subscriptions()).as("that of the watcher").isEqualTo(1);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(socketsInTheKernel())
                        .as("sockets of the transport, beside the one that listens")
                        .isEmpty());
    }

    /** Returns the lines of the kernel's table about connections to the transport's port. */
    private List<String> socketsInTheKernel() throws IOException {
        String port = String.format(":%04X", transport.port());
        List<String> found = new ArrayList<>();
        for (String table : List.of("/proc/self/net/tcp", "/proc/self/net/tcp6")) {
            for (String line : Files.readAllLines(Path.of(table))) {
                String[] columns = line.strip().split(" +");
                if (columns[1].endsWith(port) && !columns[3].equals(LISTENING)) {
                    found.add(line);
                }
            }
        }
        return found;
    }

    /** How the connections of users ended, as the host is told. */
    private static final class Ends implements FanfareListener {

        private final Map<String, DisconnectReason> byUser = new ConcurrentHashMap<>();

        @Override
        public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
            byUser.put(connection.user(), reason);
        }

        void assertEnds(Map<String, DisconnectReason> expected) {
            await().atMost(PATIENCE).until(() -> byUser.size() == expected.size());
            assertThat(byUser).isEqualTo(expected);
        }
    }
}
