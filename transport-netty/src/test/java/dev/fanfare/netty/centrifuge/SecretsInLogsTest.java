package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.Fanfare;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.netty.RawClient;
import dev.fanfare.netty.RawClient.Answer;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Whatever goes well or wrong, and however much is logged: no payload, token, cookie, key, ticket or session is. */
class SecretsInLogsTest {

    private static final String SECRET = "Zx81-secret";
    private static final String POST = "{\"session\":\"%s\",\"node\":\"%s\",\"data\":\"%s\"}";

    private final Logger root = (Logger) LoggerFactory.getLogger("dev.fanfare");
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final FaultyStore store = FaultyStore.wrap(MemoryStore.create(), new ManualTime(), 1);
    private final Fanfare fanfare = Fanfare.builder()
            .store(store)
            .namespace(
                    "chat",
                    rules -> rules.retain(10, Duration.ofMinutes(5)).presence().maxMessageBytes(100))
            .authorizer(Authorizer.allowAll())
            .rpcHandler(call -> {
                throw new IllegalStateException("the handler is broken");
            })
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .host("127.0.0.1")
            .port(0)
            .apiKey(SECRET + "-key")
            .authenticator(SecretsInLogsTest::judge)
            .start();

    private static CompletionStage<Authenticator.Answer> judge(Authenticator.Credentials credentials) {
        return switch (credentials.token()) {
            case SECRET + "-good" -> CompletableFuture.completedFuture(Authenticator.Accepted.user("ada"));
            case SECRET + "-late" -> CompletableFuture.failedFuture(new IllegalStateException("no database"));
            default -> CompletableFuture.completedFuture(Authenticator.Rejected.INVALID_TOKEN);
        };
    }

    @BeforeEach
    void listen() {
        root.setLevel(Level.TRACE);
        logged.start();
        root.addAppender(logged);
    }

    @AfterEach
    void close() {
        root.detachAppender(logged);
        root.setLevel(null);
        fanfare.close();
        transport.close();
    }

    @Test
    void nothingThatIsSecretIsLogged() {
        webSockets();
        String session = aStream();
        String ticket = tickets();
        api();
        fanfare.close();

        List<String> lines =
                List.copyOf(logged.list).stream().map(SecretsInLogsTest::whole).toList();
        assertThat(lines).as("what went wrong is logged").hasSizeGreaterThan(4);
        assertThat(lines).noneMatch(line -> line.contains(SECRET) || line.contains(session) || line.contains(ticket));
    }

    private static String whole(ILoggingEvent event) {
        return event.getFormattedMessage() + " " + event.getKeyValuePairs()
                + (event.getThrowableProxy() == null ? "" : ThrowableProxyUtil.asString(event.getThrowableProxy()));
    }

    private void webSockets() {
        try (SocketClient client =
                new SocketClient(transport.port(), "?x=" + SECRET, "Cookie: session=" + SECRET + "-cookie")) {
            client.call("{\"id\":1,\"connect\":{\"token\":\"" + SECRET + "-good\",\"data\":\"" + SECRET + "\"}}");
            client.call("{\"id\":2,\"subscribe\":{\"channel\":\"chat:a\",\"data\":\"" + SECRET + "\"}}");
            client.call("{\"id\":3,\"rpc\":{\"method\":\"x\",\"data\":\"" + SECRET + "\"}}");
            client.call(publish(SECRET + "x".repeat(200)));
            store.appends().fail(1);
            client.call(publish(SECRET));
            client.send("no json, but " + SECRET);
            client.assertClosed(3501);
        }
        for (String token : List.of("-late", "-forged")) {
            try (SocketClient client = new SocketClient(transport.port(), "")) {
                client.send("{\"id\":1,\"connect\":{\"token\":\"" + SECRET + token + "\"}}");
                client.frame();
            }
        }
    }

    private static String publish(String text) {
        return "{\"id\":4,\"publish\":{\"channel\":\"chat:a\",\"data\":\"" + text + "\"}}";
    }

    /** Opens a stream, posts for it what is good and what is not, and returns its secret. */
    private String aStream() {
        try (RawClient client = RawClient.connect(transport.port())) {
            String connect = "{\"id\":1,\"connect\":{\"token\":\"" + SECRET + "-good\"}}";
            client.send(RawClient.head("POST", "/connection/http_stream", connect) + connect);
            client.receiveHead();
            client.line();
            String session = named("session", client.line());
            for (String node : List.of(fanfare.gateway().node(), "nowhere", SECRET)) {
                post("/emulation", String.format(POST, session, node, SECRET));
            }
            store.controlCalls().fail(1);
            post("/emulation", String.format(POST, session, "away", SECRET));
            post("/emulation", session);
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
        for (int i = 0; i < 2; i++) {
            try (RawClient client = RawClient.connect(transport.port())) {
                client.send(RawClient.head("GET", "/sse?channel=chat:a&ticket=" + ticket, ""));
                client.receiveHead();
            }
        }
        return ticket;
    }

    private void api() {
        List<Answer> answers = new ArrayList<>();
        answers.add(api("publish", "{\"channel\":\"chat:a\",\"data\":\"" + SECRET + "\"}"));
        store.appends().fail(1);
        answers.add(api("publish", "{\"channel\":\"chat:a\",\"data\":\"" + SECRET + "\"}"));
        answers.add(api("publish", "{\"channel\":\"chat:a\",\"data\":" + SECRET));
        answers.add(api("nosuch", SECRET));
        answers.add(post("/api/info", "{}", "X-API-Key: " + SECRET + "-guess"));

        assertThat(answers).extracting(answer -> answer.status).containsExactly(200, 200, 400, 404, 401);
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
