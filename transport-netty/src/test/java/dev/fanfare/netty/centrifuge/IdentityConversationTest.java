package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authenticator;
import dev.fanfare.Expiry;
import dev.fanfare.Fanfare;
import dev.fanfare.SubscriptionAuthenticator;
import dev.fanfare.testkit.ManualTime;
import io.netty.buffer.ByteBufUtil;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokens and their ends, with the real core, over real sockets; time passes as the test says. */
class IdentityConversationTest {

    private final ManualTime time = new ManualTime();
    private final Fanfare fanfare = Fanfare.builder()
            .namespace("", rules -> rules)
            .authorizer((user, action, channel) -> true)
            .subscriptionAuthenticator(this::judge)
            .timeSource(time)
            .build();
    private final WireServer server = new WireServer(fanfare, this::authenticate);
    private final List<SocketClient> clients = new ArrayList<>();

    /** A token is {@code user}, {@code user/seconds} or {@code user/seconds/host}, or the name of a rejection. */
    private CompletionStage<Authenticator.Answer> authenticate(Authenticator.Credentials credentials) {
        String[] parts = credentials.token().split("/");
        for (Authenticator.Rejected each : Authenticator.Rejected.values()) {
            if (each.name().equals(parts[0])) {
                return CompletableFuture.completedFuture(each);
            }
        }
        if (parts[0].equals("FAIL")) {
            return CompletableFuture.failedFuture(new IllegalStateException("no database"));
        }
        return CompletableFuture.completedFuture(
                Authenticator.Accepted.user(parts[0]).withExpiry(expiry(parts)));
    }

    private CompletionStage<SubscriptionAuthenticator.Answer> judge(SubscriptionAuthenticator.Credentials shown) {
        String[] parts = shown.token().split("/");
        for (SubscriptionAuthenticator.Rejected each : SubscriptionAuthenticator.Rejected.values()) {
            if (each.name().equals(parts[0])) {
                return CompletableFuture.completedFuture(each);
            }
        }
        Expiry expiry = expiry(parts);
        return CompletableFuture.completedFuture(
                expiry == null
                        ? SubscriptionAuthenticator.Granted.forever()
                        : SubscriptionAuthenticator.Granted.until(expiry));
    }

    private Expiry expiry(String[] parts) {
        if (parts.length == 1) {
            return null;
        }
        Instant at = Instant.ofEpochMilli(time.millis()).plusSeconds(Long.parseLong(parts[1]));
        return new Expiry(at, parts.length == 2);
    }

    @AfterEach
    void close() {
        clients.forEach(SocketClient::close);
        fanfare.close();
        server.close();
    }

    private SocketClient open(String query) {
        SocketClient client = new SocketClient(server.port(), query);
        clients.add(client);
        return client;
    }

    private SocketClient connected(String token) {
        SocketClient client = open("");
        assertThat(client.call("{\"id\":1,\"connect\":{\"token\":\"" + token + "\"}}"))
                .startsWith("{\"id\":1,\"connect\":{\"client\":\"");
        return client;
    }

    // ---- connections

    @Test
    void aClientIsToldHowLongItsTokenLasts() {
        assertThat(open("").call("{\"id\":1,\"connect\":{\"token\":\"ann/60\"}}"))
                .contains(",\"expires\":true,\"ttl\":60,\"ping\":");
        assertThat(open("").call("{\"id\":1,\"connect\":{\"token\":\"ann/60/host\"}}"))
                .doesNotContain("expires", "ttl");
        assertThat(open("").call("{\"id\":1,\"connect\":{\"token\":\"ann\"}}")).doesNotContain("expires", "ttl");
        assertThat(open("").call("{\"id\":1,\"connect\":{\"token\":\"ann/999999999\"}}"))
                .contains("\"ttl\":" + Duration.ofDays(365).toSeconds());
    }

    @Test
    void credentialsThatAreOverAlreadyAreRefused() {
        assertThat(open("").call("{\"id\":1,\"connect\":{\"token\":\"ann/-1\"}}"))
                .isEqualTo("{\"id\":1,\"error\":{\"code\":110,\"message\":\"expired\"}}");
    }

    @Test
    void aConnectionThatIsNotRefreshedIsClosed() {
        SocketClient client = connected("ann/60");
        SocketClient byHost = connected("bob/60/host");

        time.advance(Duration.ofSeconds(86));

        client.assertClosed(3005);
        byHost.assertClosed(3005);
    }

    @Test
    void aConnectionThatIsRefreshedGoesOn() {
        SocketClient client = connected("ann/60");
        time.advance(Duration.ofSeconds(80));

        assertThat(client.call("{\"id\":2,\"refresh\":{\"token\":\"ann/60\"}}"))
                .matches("\\{\"id\":2,\"refresh\":\\{\"client\":\"[^\"]+\",\"expires\":true,\"ttl\":60}}");
        time.advance(Duration.ofSeconds(80));

        assertThat(client.call("{\"id\":3,\"refresh\":{\"token\":\"ann\"}}"))
                .doesNotContain("expires", "ttl")
                .contains("\"refresh\":{\"client\"");
        time.advance(Duration.ofDays(1));
        assertThat(client.call("{\"id\":4,\"publish\":{\"channel\":\"a\",\"data\":1}}"))
                .isEqualTo("{\"id\":4,\"publish\":{}}");
    }

    @ParameterizedTest
    @CsvSource({
        "ann/60, EXPIRED_TOKEN, 3005",
        "ann/60, INVALID_TOKEN, 3500",
        "ann/60, DENIED, 3507",
        "ann/60, bob/60, 3500",
        "ann/60, '', 3501",
        "ann/60/host, ann/60, 3501"
    })
    void aRefreshThatMustNotBeEndsTheConnection(String first, String second, int code) {
        SocketClient client = connected(first);

        client.send("{\"id\":2,\"refresh\":{\"token\":\"" + second + "\"}}");

        client.assertClosed(code);
    }

    @ParameterizedTest
    @CsvSource({
        "ann, ann/60, 108, not available, ''",
        "ann/60, ann/-1, 110, expired, ''",
        "ann/60, UNAUTHORIZED, 101, unauthorized, ''",
        "ann/60, FAIL, 100, internal server error, ',\"temporary\":true'"
    })
    void aRefreshThatFailsIsToldAndLeavesTheConnection(
            String first, String second, int code, String message, String more) {
        SocketClient client = connected(first);

        assertThat(client.call("{\"id\":2,\"refresh\":{\"token\":\"" + second + "\"}}"))
                .isEqualTo("{\"id\":2,\"error\":{\"code\":" + code + ",\"message\":\"" + message + "\"" + more + "}}");
        assertThat(client.call("{\"id\":3,\"publish\":{\"channel\":\"a\",\"data\":1}}"))
                .isEqualTo("{\"id\":3,\"publish\":{}}");
    }

    // ---- subscriptions

    @Test
    void aSubscriptionTellsHowLongItsTokenLastsAndIsProlonged() {
        SocketClient client = connected("ann");

        assertThat(subscribe(client, "ann/60")).isEqualTo("{\"id\":2,\"subscribe\":{\"expires\":true,\"ttl\":60}}");
        time.advance(Duration.ofSeconds(80));
        assertThat(refresh(client, "ann/60")).isEqualTo("{\"id\":3,\"sub_refresh\":{\"expires\":true,\"ttl\":60}}");
        time.advance(Duration.ofSeconds(80));
        assertThat(refresh(client, "ann")).isEqualTo("{\"id\":3,\"sub_refresh\":{}}");
        time.advance(Duration.ofDays(1));

        fanfare.publish("a", "1");
        assertThat(client.next()).contains("\"pub\":{\"data\":1");
    }

    @Test
    void aSubscriptionThatIsNotProlongedEnds() {
        SocketClient client = connected("ann");
        subscribe(client, "ann/60");

        time.advance(Duration.ofSeconds(86));

        assertThat(client.next())
                .isEqualTo("{\"push\":{\"channel\":\"a\",\"unsubscribe\":{\"code\":2501,"
                        + "\"reason\":\"subscription expired\"}}}");
        assertThat(subscribe(client, "ann/60")).contains("\"ttl\":60");
    }

    @ParameterizedTest
    @CsvSource({"INVALID_TOKEN, 103, permission denied", "EXPIRED_TOKEN, 109, token expired", "ann/-1, 110, expired"})
    void aSubscriptionTokenThatIsNoGoodIsRefused(String token, int code, String message) {
        SocketClient client = connected("ann");

        assertThat(subscribe(client, token))
                .isEqualTo("{\"id\":2,\"error\":{\"code\":" + code + ",\"message\":\"" + message + "\"}}");
        assertThat(subscribe(client, "ann")).isEqualTo("{\"id\":2,\"subscribe\":{}}");
    }

    @Test
    void aSubscriptionTokenOfSomebodyElseEndsTheConnection() {
        SocketClient client = connected("ann");

        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"a\",\"token\":\"NOT_FOR_YOU\"}}");

        client.assertClosed(3500);
    }

    @Test
    void aSubscriptionIsProlongedByItsClientAlone() {
        SocketClient client = connected("ann");
        assertThat(refresh(client, "ann/60")).contains("\"code\":103");
        subscribe(client, "ann");
        assertThat(refresh(client, "ann/60")).contains("\"code\":108");
        client.call("{\"id\":4,\"unsubscribe\":{\"channel\":\"a\"}}");
        subscribe(client, "ann/60");
        assertThat(refresh(client, "")).contains("\"code\":107");
        assertThat(refresh(client, "EXPIRED_TOKEN")).contains("\"code\":110");
        client.call("{\"id\":4,\"unsubscribe\":{\"channel\":\"a\"}}");
        subscribe(client, "ann/60/host");

        client.send("{\"id\":3,\"sub_refresh\":{\"channel\":\"a\",\"token\":\"ann/60\"}}");

        client.assertClosed(3501);
    }

    @Test
    void theSameIsSaidInProtobuf() {
        SocketClient client = open("?format=protobuf");

        // id 1, connect{token "ann/60"}
        assertThat(call(client, "0c 0801 2208 0a06 616e6e2f3630")).contains("1801203c"); // expires, ttl 60
        // id 2, subscribe{channel "a", token "ann/9"}
        assertThat(call(client, "0e 0802 2a0a 0a0161 1205 616e6e2f39")).isEqualTo("0808023204" + "08011009");
        // id 3, refresh{token "ann/60"}
        assertThat(call(client, "0c 0803 7208 0a06 616e6e2f3630"))
                .contains("0803722a0a24")
                .endsWith("1801203c");
        // id 4, sub_refresh{channel "a", token "ann/9"}
        assertThat(call(client, "0e 0804 7a0a 0a0161 1205 616e6e2f39")).isEqualTo("0808047a04" + "08011009");
        time.advance(Duration.ofSeconds(35));
        // push{channel "a", unsubscribe{2501, "subscription expired"}}
        assertThat(ByteBufUtil.hexDump(client.frame().payload())).startsWith("20221e1201613a1910c5131a14");
        time.advance(Duration.ofSeconds(51));
        client.assertClosed(3005);
    }

    private static String call(SocketClient client, String hex) {
        client.sendFrame(0x82, ByteBufUtil.decodeHexDump(hex.replace(" ", "")));
        return ByteBufUtil.hexDump(client.frame().payload());
    }

    private static String subscribe(SocketClient client, String token) {
        return client.call("{\"id\":2,\"subscribe\":{\"channel\":\"a\",\"token\":\"" + token + "\"}}");
    }

    private static String refresh(SocketClient client, String token) {
        return client.call("{\"id\":3,\"sub_refresh\":{\"channel\":\"a\",\"token\":\"" + token + "\"}}");
    }
}
