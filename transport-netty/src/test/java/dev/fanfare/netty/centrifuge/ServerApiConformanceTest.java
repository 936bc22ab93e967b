package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fanfare.DisconnectReason;
import dev.fanfare.netty.RawClient;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What clients notice of the calls of the server API that are about them. */
@ParameterizedClass
@EnumSource(Wire.class)
class ServerApiConformanceTest extends ConformanceCases {

    /** Calls a method, in JSON with single quotes for double ones; it is to succeed. */
    private void call(String method, String body) {
        try (RawClient host = RawClient.connect(transport.port())) {
            assertThat(host.post("/api/" + method, body.replace('\'', '"')).text())
                    .isEqualTo("{\"result\":{}}");
        }
    }

    private static String id(JsonNode welcome) {
        return welcome.at("/connect/client").asText();
    }

    @Test
    void subscribeBeginsWithThePositionAndGoesOnLive() {
        String user = fresh("ann");
        String channel = fresh("c");
        publish(channel, 2);
        ProtocolClient client = connected(user);

        call("subscribe", "{'user':'" + user + "','channel':'" + channel + "'}");
        JsonNode begun = client.push("subscribe");
        publish(channel, 3, 3);

        assertThat(begun.path("offset").asLong()).isEqualTo(2);
        assertComes(client, channel, 3, 3);
    }

    @Test
    void subscribeReachesTheOneClientThatIsMeant() {
        String user = fresh("ann");
        String channel = fresh("c");
        ProtocolClient meant = open();
        String id = id(meant.connect(user));
        ProtocolClient other = connected(user);

        call("subscribe", "{'client':'" + id + "','channel':'" + channel + "'}");
        meant.push("subscribe");
        publish(channel, 1);

        assertComes(meant, channel, 1, 1);
        assertNothingCame(other);
    }

    @Test
    void aSubscriptionOfTheHostEndsWhenItIsToUnlessItIsMoved() {
        String user = fresh("ann");
        String channel = fresh("c");
        ProtocolClient client = connected(user);
        String who = "{'user':'" + user + "','channel':'" + channel + "','expire_at':";
        call("subscribe", who + in(60).getEpochSecond() + "}");
        client.push("subscribe");

        call("subscribe", who + in(600).getEpochSecond() + "}");
        fanfare.connections().of(user).toCompletableFuture().join(); // asked after it, and so answered after it
        assertNothingCame(client);
        time.advance(Duration.ofSeconds(300));
        assertNothingCame(client);
        time.advance(Duration.ofSeconds(400));

        assertThat(client.closeCode()).isEqualTo(DisconnectReason.SUBSCRIPTION_EXPIRED.code());
    }

    @Test
    void unsubscribeEndsItForGood() {
        String user = fresh("ann");
        String channel = fresh("c");
        ProtocolClient client = connected(user);
        client.subscribe(channel);

        call("unsubscribe", "{'user':'" + user + "','channel':'" + channel + "'}");
        JsonNode ended = client.push("unsubscribe");
        publish(channel, 1);

        assertThat(ended.path("code").asInt()).isEqualTo(2000);
        assertNothingCame(client);
    }

    @Test
    void refreshMovesTheEnd() {
        String user = fresh("ann");
        ProtocolClient client = connected(user + "@60@host");

        call("refresh", "{'user':'" + user + "','expire_at':" + in(600).getEpochSecond() + "}");
        fanfare.connections().of(user).toCompletableFuture().join(); // asked after it, and so answered after it
        assertNothingCame(client);
        time.advance(Duration.ofSeconds(300));
        assertNothingCame(client);
        time.advance(Duration.ofSeconds(400));

        assertThat(client.closeCode()).isEqualTo(DisconnectReason.EXPIRED.code());
    }

    @Test
    void refreshWithoutAnEndTakesItAway() {
        String user = fresh("ann");
        ProtocolClient client = connected(user + "@60@host");

        call("refresh", "{'user':'" + user + "'}");
        fanfare.connections().of(user).toCompletableFuture().join();
        assertNothingCame(client);
        time.advance(Duration.ofHours(1));

        assertNothingCame(client);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "                                                | 3503 | force disconnect",
                ",'reconnect':true                               | 3011 | force reconnect",
                ",'disconnect':{'code':3001}                     | 3001 | shutdown",
                ",'disconnect':{'code':3001,'reason':'whatever'} | 3001 | shutdown",
                ",'disconnect':{'code':4000,'reason':'see you'}  | 4000 | see you"
            })
    void disconnectSaysWhyAndWhetherToComeBack(String more, int code, String words) {
        String user = fresh("ann");
        ProtocolClient client = connected(user);

        call("disconnect", "{'user':'" + user + "'" + (more == null ? "" : more) + "}");

        EmbeddedClient.Received end = client.end();
        assertThat(end.closeCode()).isEqualTo(code);
        assertThat(end.closeReason()).isEqualTo(words);
    }

    @Test
    void disconnectSparesWhoIsOnTheList() {
        String user = fresh("ann");
        ProtocolClient spared = open();
        String id = id(spared.connect(user));
        ProtocolClient meant = connected(user);

        call("disconnect", "{'user':'" + user + "','whitelist':['" + id + "']}");

        assertThat(meant.closeCode()).isEqualTo(3503);
        assertNothingCame(spared);
    }
}
