package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.Authorizer;
import dev.fanfare.Fanfare;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.netty.RawClient;
import dev.fanfare.spi.Mailboxes;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a host can set for the connections of a transport. */
class TransportOptionsTest {

    private static final int LARGE = 2 * 1024 * 1024;

    private final Fanfare fanfare = Fanfare.builder()
            .namespace("", rules -> rules.maxMessageBytes(LARGE))
            .authorizer(Authorizer.allowAll())
            .build();

    @AfterEach
    void close() {
        fanfare.close();
    }

    @Test
    void largeMessagesPassWhereTheyAreAllowed() {
        try (NettyTransport transport = listen(builder -> builder.maxMessageBytes(LARGE));
                SocketClient client = SocketClient.connected(transport.port())) {
            client.call("{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
            String data = '"' + "x".repeat(LARGE - 1000) + '"';

            client.send("{\"id\":3,\"publish\":{\"channel\":\"a\",\"data\":" + data + "}}");

            String first = client.next();
            String push = first.startsWith("{\"push\"") ? first : client.next();
            assertThat(push).contains(data);
        }
    }

    @Test
    void aMessageAboveTheLimitClosesTheConnection() {
        try (NettyTransport transport = listen(builder -> builder.maxMessageBytes(2048));
                SocketClient client = SocketClient.connected(transport.port())) {
            client.sendFrame(0x81, " ".repeat(2049).getBytes(UTF_8));

            client.assertClosed(1009);
        }
    }

    @Test
    void aPublicationAboveTheLimitOfTheRulesIsToldIt() {
        try (NettyTransport transport = listen(builder -> builder.maxMessageBytes(2 * LARGE));
                SocketClient client = SocketClient.connected(transport.port())) {
            client.send("{\"id\":2,\"publish\":{\"channel\":\"a\",\"data\":\"" + "x".repeat(LARGE) + "\"}}");

            assertThat(client.next()).contains("\"message\":\"bad request: message too large: at most 2097152 bytes\"");
        }
    }

    @Test
    void rulesThatAllowMoreThanTheTransportTakesAreWarnedOf() {
        try (LoggedLines logged = new LoggedLines();
                NettyTransport small = listen(builder -> builder.maxMessageBytes(LARGE - 1));
                NettyTransport large = listen(builder -> builder.maxMessageBytes(LARGE))) {
            assertThat(logged.lines())
                    .filteredOn(line -> line.contains("Rules allow larger messages than the transport takes"))
                    .singleElement()
                    .asString()
                    .startsWith("WARN")
                    .contains("maxMessageBytes=\"2097151\"");
        }
    }

    @Test
    void withoutAnAuthorizerThatIsWarnedOfOnce() {
        try (LoggedLines logged = new LoggedLines();
                Fanfare silent = Fanfare.builder().build();
                NettyTransport one = NettyTransport.builder(silent).port(0).start();
                NettyTransport other = NettyTransport.builder(silent).port(0).start()) {
            assertThat(logged.lines())
                    .filteredOn(line -> line.contains("No authorizer: clients may not subscribe, publish or read"))
                    .singleElement()
                    .asString()
                    .startsWith("WARN");
        }
    }

    @Test
    void aFirstMessageAboveTheLimitIsToldIt() {
        try (NettyTransport transport = listen(builder -> builder.maxMessageBytes(1024));
                RawClient client = RawClient.connect(transport.port())) {
            assertThat(client.get("/connection/sse?cf_connect=" + "x".repeat(1025))
                            .text())
                    .contains("message larger than 1024 bytes");
        }
    }

    @Test
    void aPostThatIsTooLargeForAnotherNodeIsToldTheLimit() {
        try (NettyTransport transport = listen(builder -> builder.maxMessageBytes(LARGE));
                RawClient client = RawClient.connect(transport.port())) {
            String data = "x".repeat(Mailboxes.MAX_REMOTE_BYTES + 1);

            String post = "{\"session\":\"s\",\"node\":\"another\",\"data\":\"" + data + "\"}";

            assertThat(client.post("/emulation", post).text())
                    .contains("message too large for another node: at most 194560 bytes");
        }
    }

    @Test
    void theLimitIsThatOfPostsToo() {
        try (NettyTransport transport = listen(builder -> builder.maxMessageBytes(LARGE));
                RawClient small = RawClient.connect(transport.port());
                RawClient large = RawClient.connect(transport.port())) {
            assertThat(small.post("/emulation", " ".repeat(LARGE)).status).isEqualTo(400);
            assertThat(large.post("/emulation", " ".repeat(LARGE + 1)).status).isEqualTo(413);
        }
    }

    @Test
    void clientsLearnHowOftenTheyArePingedAndMustAnswerInTime() {
        try (NettyTransport transport = listen(
                        builder -> builder.pingInterval(Duration.ofSeconds(2)).pongTimeout(Duration.ofSeconds(1)));
                SocketClient client = new SocketClient(transport.port(), "")) {
            assertThat(client.call("{\"id\":1,\"connect\":{}}")).contains("\"ping\":2,");
            assertThat(client.next()).isEqualTo("{}");
            client.assertClosed(3012);
        }
    }

    @Test
    void whoDoesNotConnectInTimeHasToGo() {
        try (NettyTransport transport = listen(builder -> builder.handshakeTimeout(Duration.ofSeconds(1)));
                SocketClient client = new SocketClient(transport.port(), "")) {
            client.assertClosed(3502);
        }
    }

    @Test
    void whatMakesNoSenseIsRefusedAtOnce() {
        NettyTransport.Builder builder = NettyTransport.builder(fanfare);

        assertThatThrownBy(() -> builder.maxMessageBytes(1023)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.maxMessageBytes(16 * 1024 * 1024 + 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.pingInterval(Duration.ofMillis(999)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.pongTimeout(Duration.ofHours(2))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.handshakeTimeout(Duration.ZERO)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() ->
                        builder.port(0).pongTimeout(Duration.ofSeconds(25)).start())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("pongTimeout");
    }

    private NettyTransport listen(UnaryOperator<NettyTransport.Builder> options) {
        return options.apply(NettyTransport.builder(fanfare).host("127.0.0.1").port(0))
                .start();
    }
}
