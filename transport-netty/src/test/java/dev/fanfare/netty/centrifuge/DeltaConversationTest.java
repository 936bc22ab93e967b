package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.netty.centrifuge.DeltaClient.Format;
import dev.fanfare.netty.centrifuge.DeltaClient.Got;
import dev.fanfare.netty.centrifuge.DeltaClient.Start;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Differences on the wire, in both formats, with the real core, over real sockets. */
class DeltaConversationTest {

    private final Fanfare fanfare = Fanfare.builder()
            .namespace("", rules -> rules.retain(100, Duration.ofMinutes(5)))
            .namespace(
                    "delta",
                    rules -> rules.retain(100, Duration.ofMinutes(5)).deltas().filters())
            .namespace("small", rules -> rules.retain(2, Duration.ofMinutes(5)).deltas())
            .namespace("live", rules -> rules.deltas())
            .namespace(
                    "long", rules -> rules.retain(10_000, Duration.ofMinutes(5)).deltas())
            .authorizer(Authorizer.allowAll())
            .build();
    private final WireServer server = new WireServer(fanfare, Authenticator.anonymous());
    private final List<AutoCloseable> clients = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable client : clients) {
            client.close();
        }
        fanfare.close();
        server.close();
    }

    @ParameterizedTest
    @EnumSource
    void sendsTheFirstWholeAndThenWhatIsDifferent(Format format) {
        DeltaClient client = client(format);
        assertThat(client.subscribe("delta:a").hasDeltas()).isTrue();

        publish("delta:a", 1, 3);

        assertThat(client.next()).isEqualTo(new Got(document(1), false, 1));
        assertThat(client.next()).isEqualTo(new Got(document(2), true, 2));
        assertThat(client.next()).isEqualTo(new Got(document(3), true, 3));
    }

    @ParameterizedTest
    @EnumSource
    void sendsTheWholeWhereThatIsSmaller(Format format) {
        DeltaClient client = client(format);
        client.subscribe("delta:a");

        publish("delta:a", document(1));
        publish("delta:a", "{\"t\":1}");
        publish("delta:a", document(2));

        assertThat(client.next().isDelta()).isFalse();
        assertThat(client.next()).isEqualTo(new Got("{\"t\":1}", false, 2));
        assertThat(client.next()).isEqualTo(new Got(document(2), false, 3));
    }

    @ParameterizedTest
    @EnumSource
    void doesNotGrantDifferencesWhereTheRulesDoNot(Format format) {
        DeltaClient client = client(format);

        assertThat(client.subscribe("a").hasDeltas()).isFalse();

        publish("a", 1, 2);
        assertThat(client.next().isDelta()).isFalse();
        assertThat(client.next().isDelta()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void doesNotGrantDifferencesTogetherWithAFilter(Format format) {
        DeltaClient client = client(format);

        assertThat(client.subscribe("delta:a", "wanted", -1, "").hasDeltas()).isFalse();

        publishTagged("delta:a", document(1), "wanted");
        publishTagged("delta:a", document(2), "other");
        publishTagged("delta:a", document(3), "wanted");
        assertThat(client.next()).isEqualTo(new Got(document(1), false, 1));
        assertThat(client.next()).isEqualTo(new Got(document(3), false, 3));
    }

    @ParameterizedTest
    @EnumSource
    void recoversTheFirstWholeAndGoesOnWithDifferences(Format format) {
        publish("delta:a", 1, 1);
        String epoch = client(format).subscribe("delta:a").epoch();
        publish("delta:a", 2, 4);

        DeltaClient client = client(format);
        Start start = client.subscribe("delta:a", "", 1, epoch);
        publish("delta:a", 5, 5);

        assertThat(start.isRecovered()).isTrue();
        assertThat(start.offset()).isEqualTo(1);
        assertThat(start.publications())
                .containsExactly(
                        new Got(document(2), false, 2), new Got(document(3), true, 3), new Got(document(4), true, 4));
        assertThat(client.next()).isEqualTo(new Got(document(5), true, 5));
    }

    @ParameterizedTest
    @EnumSource
    void sendsTheWholeAfterARecoveryThatBroughtNothing(Format format) {
        publish("delta:a", 1, 3);

        DeltaClient client = client(format);
        Start start = client.subscribe("delta:a", "", 3, "");
        publish("delta:a", 4, 5);

        assertThat(start.isRecovered()).isTrue();
        assertThat(start.publications()).isEmpty();
        assertThat(client.next()).isEqualTo(new Got(document(4), false, 4));
        assertThat(client.next()).isEqualTo(new Got(document(5), true, 5));
    }

    @ParameterizedTest
    @EnumSource
    void sendsTheWholeAfterARecoveryThatFailed(Format format) {
        publish("small:a", 1, 5);

        DeltaClient client = client(format);
        Start start = client.subscribe("small:a", "", 1, "");
        publish("small:a", 6, 7);

        assertThat(start.isRecovered()).isFalse();
        assertThat(start.hasDeltas()).isTrue();
        assertThat(client.next()).isEqualTo(new Got(document(6), false, 6));
        assertThat(client.next()).isEqualTo(new Got(document(7), true, 7));
    }

    @ParameterizedTest
    @EnumSource
    void sendsTheWholeAfterSubscribingAgain(Format format) {
        DeltaClient client = client(format);
        client.subscribe("delta:a");
        publish("delta:a", 1, 1);
        client.next();
        client.unsubscribe("delta:a");

        client.subscribe("delta:a");
        publish("delta:a", 2, 2);

        assertThat(client.next()).isEqualTo(new Got(document(2), false, 2));
    }

    @ParameterizedTest
    @EnumSource
    void sendsDifferencesWhereNothingIsRetained(Format format) {
        DeltaClient client = client(format);
        assertThat(client.subscribe("live:a").hasDeltas()).isTrue();

        publish("live:a", 1, 2);
        DeltaClient late = client(format);
        late.subscribe("live:a");
        publish("live:a", 3, 4);

        assertThat(client.next()).isEqualTo(new Got(document(1), false, 0));
        assertThat(client.next()).isEqualTo(new Got(document(2), true, 0));
        assertThat(client.next()).isEqualTo(new Got(document(3), true, 0));
        assertThat(late.next()).isEqualTo(new Got(document(3), false, 0));
        assertThat(late.next()).isEqualTo(new Got(document(4), true, 0));
    }

    @ParameterizedTest
    @EnumSource
    void putsTogetherTextOfAnyAlphabet(Format format) {
        DeltaClient client = client(format);
        client.subscribe("delta:a");
        String cyrillic = "{\"t\":\"" + "Съешь же ещё этих мягких французских булок. ".repeat(5) + "\"}";
        String emoji = "{\"s\":\"🟢\",\"t\":\"" + "😀😁😂".repeat(9) + "\"}";

        List<String> documents = List.of(
                cyrillic,
                cyrillic.replace("ещё", "еще"),
                cyrillic.replace("мягких", "мягкия"),
                emoji,
                emoji.replace("🟢", "🟡"),
                " \n" + emoji.replace("🟢", "🔴") + "\n");
        documents.forEach(document -> publish("delta:a", document));

        for (String document : documents) {
            assertThat(client.next().text()).isEqualTo(document);
        }
    }

    @Test
    void servesOneChannelInEveryForm() {
        DeltaClient json = client(Format.JSON);
        json.subscribe("delta:a");
        DeltaClient protobuf = client(Format.PROTOBUF);
        protobuf.subscribe("delta:a");
        SocketClient plain = SocketClient.connected(server.port());
        clients.add(plain);
        plain.call("{\"id\":2,\"subscribe\":{\"channel\":\"delta:a\"}}");

        publish("delta:a", 1, 2);

        for (DeltaClient client : List.of(json, protobuf)) {
            assertThat(client.next()).isEqualTo(new Got(document(1), false, 1));
            assertThat(client.next()).isEqualTo(new Got(document(2), true, 2));
        }
        assertThat(plain.next()).contains("\"data\":" + document(1));
        assertThat(plain.next()).contains("\"data\":" + document(2));
    }

    @Test
    void disconnectsAJsonClientWithDifferencesFromWhatIsNotJson() {
        SocketClient json = SocketClient.connected(server.port());
        clients.add(json);
        json.call("{\"id\":2,\"subscribe\":{\"channel\":\"delta:a\",\"delta\":\"fossil\"}}");
        DeltaClient protobuf = client(Format.PROTOBUF);
        protobuf.subscribe("delta:a");
        publish("delta:a", 1, 1);
        json.next();

        publish("delta:a", document(1).substring(1));

        json.assertClosed(3506);
        assertThat(protobuf.next()).isEqualTo(new Got(document(1), false, 1));
        assertThat(protobuf.next()).isEqualTo(new Got(document(1).substring(1), true, 2));
    }

    @Test
    void closesOnADeltaFormatThatTheProtocolDoesNotHave() {
        SocketClient client = SocketClient.connected(server.port());
        clients.add(client);

        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"delta:a\",\"delta\":\"vcdiff\"}}");

        client.assertClosed(3501);
    }

    @ParameterizedTest
    @EnumSource
    void losesNothingForAClientThatDoesNotReadForAWhile(Format format) {
        DeltaClient client = client(format);
        client.subscribe("long:a");
        for (int i = 1; i <= 3_000; i++) {
            publish(
                    "long:a",
                    "{\"i\":" + i + ",\"filler\":\"" + Integer.toString(i % 7).repeat(2_000) + "\"}");
        }

        for (int i = 1; i <= 3_000; i++) {
            Got got = client.next();
            assertThat(got.offset()).isEqualTo(i);
            assertThat(got.text())
                    .startsWith("{\"i\":" + i + ",")
                    .endsWith(Integer.toString(i % 7).repeat(9) + "\"}");
        }
    }

    private DeltaClient client(Format format) {
        DeltaClient client = new DeltaClient(server.port(), format);
        clients.add(client);
        return client;
    }

    private static String document(int number) {
        return "{\"counter\":" + number + ",\"payload\":\"" + "a".repeat(200) + "\"}";
    }

    private void publish(String channel, int from, int to) {
        for (int i = from; i <= to; i++) {
            publish(channel, document(i));
        }
    }

    private void publish(String channel, String text) {
        fanfare.publish(channel, text).toCompletableFuture().join();
    }

    private void publishTagged(String channel, String text, String tag) {
        fanfare.publish(
                        ChannelId.of(channel),
                        Payload.of(text),
                        PublishOptions.none().withHeaders(Map.of(tag, "1")))
                .toCompletableFuture()
                .join();
    }
}
