package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Action;
import dev.fanfare.Authenticator;
import dev.fanfare.ChannelId;
import dev.fanfare.Expiry;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.SubscriptionAuthenticator;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.netty.RawClient;
import dev.fanfare.netty.RawClient.Answer;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Whatever goes well or wrong, and however much is logged: no payload, token, cookie, key, ticket or session is. Everything
 * secret that is sent here has the same word in it, whole or in base64; that what was to go wrong did is seen by the lines
 * about it.
 */
class SecretsInLogsTest {

    private static final String SECRET = "Zx81secret";
    private static final String POST = "{\"session\":\"%s\",\"node\":\"%s\",\"data\":\"%s\"}";

    /** What is logged when the things go wrong that go wrong here. */
    private static final List<String> TROUBLES = List.of(
            "A client was not let in, for want of an answer of the authenticator [what=\"the authenticator failed\"",
            "The failure in full", // at DEBUG
            "The host's code failed; the answer is no [what=\"RPC handler\"",
            "The host's code failed; the answer is no [what=\"subscription authenticator\"",
            "The host's code failed; the answer is no [what=\"authorizer\"",
            "The host's code failed; the answer is no [what=\"message handler\"",
            "A publish failed, its outcome is unknown",
            "A publish of the host was refused",
            "A publication cannot be sent in a wire format",
            "What the authenticator says of a client is no JSON",
            "A command could not be brought to another node",
            "A request failed in the host");

    private final FaultyStore store = FaultyStore.wrap(MemoryStore.create(), new ManualTime(), 1);
    private final LoggedLines logged = new LoggedLines();
    private final Fanfare fanfare = Fanfare.builder()
            .store(store)
            .namespace(
                    "chat",
                    rules -> rules.retain(10, Duration.ofMinutes(5)).presence().maxMessageBytes(100))
            .authorizer((user, action, channel) -> {
                if (action == Action.HISTORY && user.equals("ada")) {
                    throw new IllegalStateException("the authorizer is broken");
                }
                return true;
            })
            .subscriptionAuthenticator(SecretsInLogsTest::judgeSubscription)
            .rpcHandler(call -> {
                throw new IllegalStateException("the handler is broken");
            })
            .messageHandler((connection, data) -> {
                throw new IllegalStateException("the handler is broken");
            })
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .host("127.0.0.1")
            .port(0)
            .apiKey(SECRET + "-key")
            .authenticator(fanfare.tickets().before(SecretsInLogsTest::judge))
            .route("GET", "/broken/*", call -> {
                throw new IllegalStateException("the route is broken");
            })
            .start();

    private static CompletionStage<Authenticator.Answer> judge(Authenticator.Credentials shown) {
        return switch (shown.token()) {
            case SECRET + "-good" ->
                CompletableFuture.completedFuture(Authenticator.Accepted.user("ada")
                        .withInfo(Payload.of(SECRET + " is no JSON"))
                        .withExpiry(Expiry.prolongedByClient(Instant.now().plusSeconds(600))));
            case SECRET + "-late" -> CompletableFuture.failedFuture(new IllegalStateException("no database"));
            default -> CompletableFuture.completedFuture(Authenticator.Rejected.INVALID_TOKEN);
        };
    }

    private static CompletionStage<SubscriptionAuthenticator.Answer> judgeSubscription(
            SubscriptionAuthenticator.Credentials shown) {
        return switch (shown.token()) {
            case SECRET + "-good" ->
                CompletableFuture.completedFuture(SubscriptionAuthenticator.Granted.until(
                        Expiry.prolongedByClient(Instant.now().plusSeconds(600))));
            case SECRET + "-late" -> CompletableFuture.failedFuture(new IllegalStateException("no database"));
            default -> CompletableFuture.completedFuture(SubscriptionAuthenticator.Rejected.INVALID_TOKEN);
        };
    }

    @AfterEach
    void close() {
        fanfare.close();
        transport.close();
        logged.close();
    }

    @Test
    void nothingThatIsSecretIsLogged() {
        List<String> secrets = new ArrayList<>(List.of(SECRET, base64(SECRET)));
        tokensThatAreNoGood();
        commands();
        subscriptions();
        whatIsNoJson();
        secrets.add(aStream());
        secrets.add(tickets());
        eventStreams();
        api();
        requests();
        fanfare.close();
        transport.close();

        List<String> lines = logged.lines();
        for (String trouble : TROUBLES) {
            assertThat(lines).as("a line about what went wrong").anyMatch(line -> line.contains(trouble));
        }
        assertThat(lines).noneMatch(line -> isIn(line, secrets));
    }

    private static boolean isIn(String line, List<String> secrets) {
        return secrets.stream().anyMatch(line::contains);
    }

    /** What cannot find anything proves nothing. */
    @Test
    void aSecretThatWereLoggedWouldBeFound() {
        org.slf4j.Logger logger = LoggerFactory.getLogger("dev.fanfare.test");
        logger.trace("a trace of {}", SECRET);
        logger.atInfo().addKeyValue("token", SECRET).log("a pair");
        logger.warn("a failure", new IllegalStateException("in it", new IllegalStateException(SECRET)));
        LoggerFactory.getLogger("io.netty.test").debug(SECRET);

        assertThat(logged.lines())
                .filteredOn(line -> isIn(line, List.of(SECRET)))
                .hasSize(4);
    }

    private static String base64(String text) {
        return Base64.getEncoder()
                .withoutPadding()
                .encodeToString(text.getBytes(UTF_8))
                .substring(0, 10);
    }

    // ---- the client protocol

    private void tokensThatAreNoGood() {
        assertThat(connect("-late")).contains("\"code\":100");
        try (SocketClient forged = new SocketClient(transport.port(), "?token=" + SECRET)) {
            forged.send("{\"id\":1,\"connect\":{\"token\":\"" + SECRET + "-forged\"}}");
            forged.assertClosed(3500);
        }
    }

    private String connect(String token) {
        try (SocketClient client = new SocketClient(transport.port(), "")) {
            return client.call("{\"id\":1,\"connect\":{\"token\":\"" + SECRET + token + "\"}}");
        }
    }

    private SocketClient connected() {
        SocketClient client =
                new SocketClient(transport.port(), "?x=" + SECRET, "Cookie: session=" + SECRET + "-cookie");
        assertThat(client.call(
                        "{\"id\":1,\"connect\":{\"token\":\"" + SECRET + "-good\",\"data\":\"" + SECRET + "\"}}"))
                .contains("\"client\"");
        return client;
    }

    private void commands() {
        try (SocketClient client = connected()) {
            assertThat(client.call("{\"id\":3,\"rpc\":{\"method\":\"x\",\"data\":\"" + SECRET + "\"}}"))
                    .contains("\"code\":100");
            assertThat(client.call(publish(SECRET + "x".repeat(200)))).contains("\"code\":107");
            store.appends().fail(1);
            assertThat(client.call(publish(SECRET))).contains("\"code\":100");
            store.heal();
            assertThat(client.call("{\"id\":5,\"history\":{\"channel\":\"chat:a\",\"limit\":9}}"))
                    .contains("\"code\":100");
            assertThat(client.call("{\"id\":6,\"refresh\":{\"token\":\"" + SECRET + "-good\"}}"))
                    .contains("\"ttl\"");
            client.send("{\"send\":{\"data\":\"" + SECRET + "\"}}");
            client.send("{\"id\":7,\"refresh\":{\"token\":\"" + SECRET + "-forged\"}}");
            client.assertClosed(3500);
        }
        try (SocketClient client = connected()) {
            client.send("no json, but " + SECRET);
            client.assertClosed(3501);
        }
    }

    private static String publish(String text) {
        return "{\"id\":4,\"publish\":{\"channel\":\"chat:a\",\"data\":\"" + text + "\"}}";
    }

    private void subscriptions() {
        try (SocketClient client = connected()) {
            assertThat(client.call(subscribe("-late"))).contains("\"code\":100");
            assertThat(client.call(subscribe("-forged"))).contains("\"code\":103");
            assertThat(client.call(subscribe("-good"))).contains("\"ttl\"");
            assertThat(client.call(prolong("-good"))).contains("\"ttl\"");
            assertThat(client.call(prolong("-late"))).contains("\"code\":100");
        }
    }

    private static String subscribe(String token) {
        return "{\"id\":2,\"subscribe\":{\"channel\":\"chat:a\",\"data\":\"" + SECRET + "\",\"token\":\"" + SECRET
                + token + "\"}}";
    }

    private static String prolong(String token) {
        return "{\"id\":3,\"sub_refresh\":{\"channel\":\"chat:a\",\"token\":\"" + SECRET + token + "\"}}";
    }

    /** A payload that JSON clients cannot be sent, and an info of a client that they cannot be told. */
    private void whatIsNoJson() {
        try (SocketClient client = connected()) {
            client.call("{\"id\":2,\"subscribe\":{\"channel\":\"chat:b\"}}");
            client.call("{\"id\":3,\"publish\":{\"channel\":\"chat:c\",\"data\":1}}");
            client.call("{\"id\":4,\"presence\":{\"channel\":\"chat:b\"}}");

            fanfare.publish(ChannelId.of("chat:b"), Payload.of(SECRET + " is no JSON"), PublishOptions.none())
                    .toCompletableFuture()
                    .join();

            client.assertClosed(3506);
        }
    }

    /** Opens a stream, posts for it what is good and what is not, and returns its secret. */
    private String aStream() {
        try (RawClient client = RawClient.connect(transport.port())) {
            String connect = "{\"id\":1,\"connect\":{\"token\":\"" + SECRET + "-good\"}}";
            client.send(RawClient.head("POST", "/connection/http_stream?t=" + SECRET, connect) + connect);
            client.receiveHead();
            client.line();
            String session = named("session", client.line());
            List<Integer> statuses = new ArrayList<>();
            for (String node : List.of(fanfare.gateway().node(), "nowhere", SECRET)) {
                statuses.add(post("/emulation", String.format(POST, session, node, SECRET)).status);
            }
            store.controlCalls().fail(1);
            statuses.add(post("/emulation", String.format(POST, session, "away", SECRET)).status);
            store.heal();
            statuses.add(post("/emulation", session).status);
            assertThat(statuses).containsExactly(204, 404, 404, 500, 400);
            return session;
        }
    }

    private static String named(String name, String json) {
        Matcher value = Pattern.compile("\"" + name + "\":\"([^\"]+)\"").matcher(json);
        assertThat(value.find()).as(json).isTrue();
        return value.group(1);
    }

    /** Makes a ticket, shows it twice, and returns it. */
    private String tickets() {
        String ticket = named(
                "ticket",
                api("ticket", "{\"user\":\"ada\",\"info\":\"" + SECRET + "\"}").text());
        assertThat(events("channel=chat:a&ticket=" + ticket)).isEqualTo(200);
        assertThat(events("channel=chat:a&ticket=" + ticket)).isEqualTo(401);
        try (SocketClient client = new SocketClient(transport.port(), "?ticket=" + ticket)) {
            assertThat(client.call("{\"id\":1,\"connect\":{}}")).contains("\"code\":109");
        }
        return ticket;
    }

    // ---- event streams and requests

    private int events(String query, String... headers) {
        try (RawClient client = RawClient.connect(transport.port())) {
            client.send(RawClient.head("GET", "/sse?" + query, "", headers));
            return client.receiveHead().status;
        }
    }

    private void eventStreams() {
        assertThat(events("channel=chat:a&token=" + SECRET + "-good")).isEqualTo(200);
        assertThat(events("channel=chat:a&token=" + SECRET + "-late")).isEqualTo(503);
        assertThat(events("channel=chat:a", "Authorization: Bearer " + SECRET + "-forged"))
                .isEqualTo(401);
        assertThat(events("channel=chat:a&token=" + SECRET + "-good", "Last-Event-ID: " + SECRET))
                .isEqualTo(400);
    }

    private void requests() {
        assertThat(get("/broken/route?token=" + SECRET, "Cookie: " + SECRET)).isEqualTo(500);
        assertThat(get("/nowhere?token=" + SECRET)).isEqualTo(404);
        assertThat(get("/sse?token=" + SECRET + "%zz")).isEqualTo(400);
        try (RawClient client = RawClient.connect(transport.port())) {
            assertThat(client.send("GET /?t=" + SECRET + " HTTP/9.9\r\nCookie: " + SECRET + "\r\n\r\n")
                            .receive()
                            .status)
                    .isEqualTo(505);
        }
        try (RawClient client = RawClient.connect(transport.port())) {
            assertThat(client.send(SECRET + "\r\n\r\n").rest()).contains("400");
        }
    }

    private int get(String target, String... headers) {
        try (RawClient client = RawClient.connect(transport.port())) {
            return client.get(target, headers).status;
        }
    }

    // ---- the server API

    private void api() {
        String data = "\"data\":\"" + SECRET + "\"";
        List<Answer> answers = new ArrayList<>();
        answers.add(api("publish", "{\"channel\":\"chat:a\"," + data + "}"));
        answers.add(api("publish", "{\"channel\":\"nosuch:a\"," + data + "}"));
        answers.add(api("broadcast", "{\"channels\":[\"chat:a\",\"nosuch:b\"]," + data + "}"));
        answers.add(api("batch", "{\"commands\":[{\"publish\":{\"channel\":\"chat:a\"," + data + "}}]}"));
        store.appends().fail(1);
        answers.add(api("publish", "{\"channel\":\"chat:a\"," + data + "}"));
        store.heal();
        answers.add(api("publish", "{\"channel\":\"chat:a\",\"b64data\":\"" + base64(SECRET) + "!\"}"));
        answers.add(api("publish", "{\"channel\":\"chat:a\",\"data\":" + SECRET));
        answers.add(api("nosuch", SECRET));
        answers.add(post("/api/info", "{}", "X-API-Key: " + SECRET + "-guess"));
        answers.add(post("/api/info", "{}", "Authorization: apikey " + SECRET + "-guess"));

        assertThat(answers)
                .extracting(answer -> answer.status)
                .containsExactly(200, 200, 200, 200, 200, 200, 400, 404, 401, 401);
        assertThat(answers.get(4).text()).contains("\"code\":100");
    }

    private Answer api(String method, String body) {
        return post("/api/" + method, body, "X-API-Key: " + SECRET + "-key");
    }

    private Answer post(String path, String body, String... headers) {
        try (RawClient client = RawClient.connect(transport.port())) {
            return client.post(path, body, headers);
        }
    }
}
