package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ClientLimits;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.Rate;
import dev.fanfare.Rejection;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.netty.HttpAnswer;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.netty.RawClient;
import dev.fanfare.netty.RawClient.Answer;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who is let in, how often, and what those who are not are told. */
class AdmissionTest {

    private static final Rate ONCE = Rate.of(0.001, 1);

    private final FaultyStore store = FaultyStore.wrap(MemoryStore.create(), new ManualTime(), 1);
    private final Queue<Rejection> rejections = new ConcurrentLinkedQueue<>();
    private Fanfare fanfare;
    private NettyTransport transport;

    private void start(ClientLimits limits, UnaryOperator<NettyTransport.Builder> settings) {
        fanfare = Fanfare.builder()
                .store(store)
                .limits(limits)
                .authorizer(Authorizer.allowAll())
                .listener(new FanfareListener() {
                    @Override
                    public void onReject(Rejection reason) {
                        rejections.add(reason);
                    }
                })
                .build();
        transport = settings.apply(NettyTransport.builder(fanfare).port(0).host("localhost"))
                .start();
    }

    private void start(UnaryOperator<NettyTransport.Builder> settings) {
        start(ClientLimits.standard(), settings);
    }

    @AfterEach
    void close() {
        fanfare.close();
        transport.close();
    }

    private Answer get(String path, String... headers) {
        try (RawClient client = RawClient.connect(transport.port())) {
            return client.get(path, headers);
        }
    }

    private Answer handshake() {
        return get(
                "/connection/websocket",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==");
    }

    private static void assertComeBackLater(Answer answer) {
        assertThat(answer.status).as("%s", answer).isEqualTo(503);
        assertThat(answer.headers).containsEntry("connection", "close");
        assertThat(Integer.parseInt(answer.headers.get("retry-after"))).isBetween(1, 10);
    }

    @Test
    void moreHandshakesThanTheRateAreToldToComeBack() {
        start(builder -> builder.connectRate(ONCE));

        assertThat(handshake().status).isEqualTo(101);
        assertComeBackLater(handshake());
        assertComeBackLater(get("/sse?channel=a"));
        assertThat(rejections).containsExactly(Rejection.CONNECT_RATE, Rejection.CONNECT_RATE);
        assertThat(get("/health/ready").status).as("probes are no clients").isEqualTo(200);
    }

    @Test
    void theyAreToldToComeBackAtDifferentTimes() {
        start(builder -> builder.connectRate(ONCE));
        handshake();
        Set<String> waits = new TreeSet<>();
        for (int i = 0; i < 60; i++) {
            waits.add(handshake().headers.get("retry-after"));
        }

        assertThat(waits).hasSizeGreaterThan(3);
    }

    @Test
    void whoIsToldToComeBackIsNotListenedToBefore() {
        start(builder -> builder.connectRate(ONCE));
        handshake();
        try (RawClient client = RawClient.connect(transport.port())) {
            client.send(RawClient.head("POST", "/connection/http_stream", "{\"id\":1,\"connect\":{}}"));

            assertComeBackLater(client.receive());
        }
    }

    @Test
    void moreThanSoManyBytesOfRequestsAtATimeAreRefusedAndCounted() {
        CompletableFuture<HttpAnswer> answer = new CompletableFuture<>();
        start(builder -> builder.maxRequestBytes(1 << 20).maxMessageBytes(1024).route("POST", "/slow", call -> answer));
        String large = "x".repeat(700_000);
        try (RawClient waiting = RawClient.connect(transport.port());
                RawClient next = RawClient.connect(transport.port())) {
            waiting.send(RawClient.head("POST", "/slow", large) + large);
            await().until(() -> transport.requestBytes() == large.length());

            next.send(RawClient.head("POST", "/slow", large));

            assertComeBackLater(next.receive());
            assertThat(rejections).containsExactly(Rejection.REQUESTS_LIMIT);
            answer.complete(HttpAnswer.empty(204));
            assertThat(waiting.receive().status).isEqualTo(204);
            assertThat(transport.requestBytes()).as("the room is free again").isZero();
        }
    }

    @Test
    void aFullNodeTakesNobodyInButAnswersProbes() {
        start(builder -> builder.maxConnections(2));
        try (SocketClient one = SocketClient.connected(transport.port());
                SocketClient two = SocketClient.connected(transport.port())) {
            assertComeBackLater(handshake());
            assertThat(rejections).containsExactly(Rejection.CONNECTION_LIMIT);
            assertThat(get("/health/live").status).isEqualTo(200);
            one.call("{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
            two.call("{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
        }
        await().until(() -> handshake().status == 101);
    }

    @Test
    void onlySoManyWaitForTheAuthenticator() {
        CompletableFuture<Authenticator.Answer> verdict = new CompletableFuture<>();
        start(builder -> builder.maxAuthentications(1).authenticator(credentials -> verdict));
        try (SocketClient asking = new SocketClient(transport.port(), "");
                SocketClient next = new SocketClient(transport.port(), "")) {
            asking.send("{\"id\":1,\"connect\":{}}");
            await().until(() -> handshake().status == 503);
            assertThat(next.call("{\"id\":1,\"connect\":{}}"))
                    .as("who was in already")
                    .contains("\"code\":111")
                    .contains("\"temporary\":true");
            assertThat(rejections).containsOnly(Rejection.AUTHENTICATION_LIMIT);

            verdict.complete(Authenticator.Accepted.user("ada"));

            assertThat(asking.next()).contains("\"connect\":{");
            assertThat(handshake().status).as("the place is free again").isEqualTo(101);
        }
    }

    @Test
    void aDrainingNodeTakesNobodyInAndSaysSo() {
        start(builder -> builder);
        try (SocketClient client = SocketClient.connected(transport.port())) {
            fanfare.drain(Duration.ofSeconds(1));

            assertComeBackLater(handshake());
            assertThat(rejections).containsExactly(Rejection.DRAINING);
            assertThat(get("/health/ready").text()).isEqualTo("{\"status\":\"down\",\"reasons\":[\"draining\"]}");
            assertThat(get("/health/live").status).isEqualTo(200);
            client.assertClosed(3001);
        }
    }

    @Test
    void aUserWithTooManyConnectionsIsClosedForGood() {
        start(
                ClientLimits.standard().withConnectionsPerUser(1),
                builder -> builder.authenticator(
                        credentials -> CompletableFuture.completedFuture(Authenticator.Accepted.user("ada"))));
        try (SocketClient first = SocketClient.connected(transport.port());
                SocketClient second = new SocketClient(transport.port(), "")) {
            second.send("{\"id\":1,\"connect\":{}}");

            second.assertClosed(3504);
            assertThat(get("/sse?channel=a").status).isEqualTo(429);
            assertThat(rejections).contains(Rejection.USER_CONNECTION_LIMIT);
            assertThat(first.call("{\"id\":2,\"presence\":{\"channel\":\"a\"}}"))
                    .contains("108");
        }
    }

    @Test
    void whoIsBeyondTheLastBoundOfANodeIsToldToComeBackLater() {
        start(ClientLimits.standard().withConnections(1), builder -> builder);
        try (SocketClient first = SocketClient.connected(transport.port());
                SocketClient second = new SocketClient(transport.port(), "")) {
            assertThat(second.call("{\"id\":1,\"connect\":{}}"))
                    .contains("\"code\":111")
                    .contains("\"temporary\":true");
            assertThat(get("/sse?channel=a").status).isEqualTo(503);
            assertThat(rejections).containsExactly(Rejection.CONNECTION_LIMIT, Rejection.CONNECTION_LIMIT);
            assertThat(first.call("{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}"))
                    .contains("\"subscribe\"");
        }
    }

    @Test
    void whoPublishesTooOftenGetsAnErrorAndIsClosedIfItGoesOn() {
        start(ClientLimits.standard().withPublishes(ONCE).withErrors(Rate.of(0.001, 3)), builder -> builder);
        try (SocketClient client = SocketClient.connected(transport.port())) {
            String publish = "{\"id\":2,\"publish\":{\"channel\":\"a\",\"data\":1}}";
            assertThat(client.call(publish)).doesNotContain("error");

            for (int i = 0; i < 3; i++) {
                assertThat(client.call(publish)).contains("\"code\":111").contains("\"temporary\":true");
            }
            assertThat(client.call(publish)).contains("\"code\":111");
            client.assertClosed(3013);
        }
    }

    @Test
    void whoMakesTooManyErrorsIsClosedForGood() {
        start(ClientLimits.standard().withErrors(Rate.of(0.001, 3)), builder -> builder);
        try (SocketClient client = SocketClient.connected(transport.port())) {
            for (int i = 0; i < 4; i++) {
                assertThat(client.call("{\"id\":2,\"history\":{\"channel\":\"a\"}}"))
                        .contains("\"code\":108");
            }

            client.assertClosed(3509);
        }
    }

    @Test
    void whatIsTurnedAwayIsCounted() {
        start(builder -> builder.apiKey("secret")
                .authenticator(credentials -> CompletableFuture.completedFuture(Authenticator.Rejected.INVALID_TOKEN)));
        try (SocketClient client = new SocketClient(transport.port(), "")) {
            client.send("{\"id\":1,\"connect\":{\"token\":\"forged\"}}");
            client.assertClosed(3500);
        }
        try (SocketClient client = new SocketClient(transport.port(), "")) {
            client.send("no json");
            client.assertClosed(3501);
        }
        try (RawClient client = RawClient.connect(transport.port())) {
            assertThat(client.post("/api/info", "{}", "X-API-Key: wrong").status)
                    .isEqualTo(401);
        }
        get("/sse?channel=a", "Origin: https://evil.example");
        get("/" + "x".repeat(9_000));
        get("/", "X: " + "x".repeat(9_000));
        get("/sse?channel=");
        try (RawClient client = RawClient.connect(transport.port())) {
            client.post("/api/publish", "no json", "X-API-Key: secret");
            client.post("/api/nosuch", "{}", "X-API-Key: secret");
        }
        try (RawClient client = RawClient.connect(transport.port())) {
            client.post("/emulation", " ".repeat(65 * 1024));
        }

        await().untilAsserted(() -> assertThat(rejections)
                .containsExactlyInAnyOrder(
                        Rejection.UNAUTHENTICATED,
                        Rejection.BAD_REQUEST,
                        Rejection.WRONG_API_KEY,
                        Rejection.FORBIDDEN_ORIGIN,
                        Rejection.LINE_TOO_LONG,
                        Rejection.HEADERS_TOO_LARGE,
                        Rejection.BAD_REQUEST,
                        Rejection.TOO_LARGE,
                        Rejection.BAD_REQUEST,
                        Rejection.BAD_REQUEST));
    }

    @Test
    void postsForAConnectionThatDoesNotKeepUpAreRefusedAndCounted() {
        start(builder -> builder);
        fanfare.gateway().mailboxes().open("full", bytes -> false);

        Answer answer = post("full", fanfare.gateway().node());

        assertThat(answer.status).isEqualTo(429);
        assertThat(answer.text()).contains("\"code\":111");
        assertThat(rejections).containsExactly(Rejection.POSTS_LIMIT);
    }

    private Answer post(String session, String node) {
        try (RawClient client = RawClient.connect(transport.port())) {
            return client.post(
                    "/emulation", "{\"session\":\"" + session + "\",\"node\":\"" + node + "\",\"data\":\"{}\"}");
        }
    }

    @Test
    void moreThanSoManyPostsForOtherNodesAtATimeAreRefusedAndCounted() {
        start(builder -> builder);
        store.control().join("silent", message -> {});
        for (int i = 0; i < 256; i++) {
            fanfare.gateway().mailboxes().post("silent", "any", new byte[1]);
        }

        Answer answer = post("any", "silent");

        assertThat(answer.status).isEqualTo(503);
        assertThat(answer.text()).contains("\"code\":111");
        assertThat(rejections).containsExactly(Rejection.REMOTE_POSTS_LIMIT);
    }

    @Test
    void aPostThatDoesNotGetToAnotherNodeIsCounted() {
        start(builder -> builder);
        store.controlCalls().fail(1);

        Answer answer = post("any", "away");

        assertThat(answer.status).isEqualTo(500);
        assertThat(answer.text()).contains("\"code\":100");
        assertThat(rejections).containsExactly(Rejection.REMOTE_POST_FAILED);
    }

    @Test
    void onlySoManyWatchTheConsoleAtATime() {
        start(builder -> builder.apiKey("secret").console());
        String[] key = {"X-API-Key: secret"};
        List<RawClient> watching = new ArrayList<>();
        try {
            for (int i = 0; i < 20; i++) {
                RawClient client = RawClient.connect(transport.port());
                watching.add(client);
                client.send(RawClient.head("GET", "/api/console/stream", "", key));
                assertThat(client.receiveHead().status).isEqualTo(200);
            }

            assertThat(get("/api/console/stream", key).status).isEqualTo(503);
            assertThat(rejections).containsExactly(Rejection.CONSOLE_LIMIT);
        } finally {
            watching.forEach(RawClient::close);
        }
    }
}
