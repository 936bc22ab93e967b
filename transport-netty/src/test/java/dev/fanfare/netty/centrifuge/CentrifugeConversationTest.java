package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authenticator;
import dev.fanfare.Authenticator.Accepted;
import dev.fanfare.ChannelId;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.RpcHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whole conversations, with the real core, over real sockets. */
class CentrifugeConversationTest {

    private static final Pattern EPOCH = Pattern.compile("\"epoch\":\"([A-Za-z0-9]+)\"");

    private final Fanfare fanfare = Fanfare.builder()
            .namespace("", rules -> rules.retain(100, Duration.ofMinutes(5)))
            .namespace("small", rules -> rules.retain(2, Duration.ofMinutes(5)))
            .namespace("live", rules -> rules)
            .namespace("chat", rules -> rules.retain(100, Duration.ofMinutes(5)).presence())
            .namespace("long", rules -> rules.retain(10_000, Duration.ofMinutes(5)))
            .namespace("secret", rules -> rules)
            .namespace("raw", rules -> rules.binary())
            .authorizer((user, action, channel) -> !channel.namespace().equals("secret"))
            .rpcHandler(call -> CompletableFuture.completedFuture(new RpcHandler.Reply.Ok(call.data())))
            .maxChannelsPerConnection(4)
            .build();
    private final WireServer server = new WireServer(fanfare, CentrifugeConversationTest::authenticate);
    private final List<SocketClient> clients = new ArrayList<>();

    private static CompletableFuture<Authenticator.Answer> authenticate(Authenticator.Credentials credentials) {
        List<ChannelId> channels =
                credentials.query().containsKey("server") ? List.of(ChannelId.of("a"), ChannelId.of("b")) : List.of();
        return CompletableFuture.completedFuture(
                Accepted.user(credentials.token()).withChannels(channels));
    }

    @AfterEach
    void close() {
        clients.forEach(SocketClient::close);
        fanfare.close();
        server.close();
    }

    @Test
    void connectsAndSubscribesInOneFrame() {
        SocketClient client = open("");

        client.send(
                "{\"connect\":{\"token\":\"ann\",\"name\":\"js\"},\"id\":1}",
                "{\"subscribe\":{\"channel\":\"news\",\"recoverable\":true,\"flag\":1},\"id\":2}");

        assertThat(client.next()).startsWith("{\"id\":1,\"connect\":{\"client\":\"");
        assertThat(client.next())
                .matches("\\{\"id\":2,\"subscribe\":\\{\"recoverable\":true,\"positioned\":true,"
                        + "\"epoch\":\"[A-Za-z0-9]+\"\\}\\}");
    }

    @Test
    void deliversWhatAClientPublishesToAllWithItsName() {
        SocketClient ann = open("");
        ann.send("{\"id\":1,\"connect\":{\"token\":\"ann\"}}");
        String clientId = ann.next().replaceAll(".*\"client\":\"([^\"]+)\".*", "$1");
        SocketClient bob = connected();
        bob.call("{\"id\":2,\"subscribe\":{\"channel\":\"news\"}}");

        assertThat(ann.call("{\"id\":2,\"publish\":{\"channel\":\"news\",\"data\":{\"t\": 1}}}"))
                .isEqualTo("{\"id\":2,\"publish\":{}}");

        assertThat(bob.next())
                .startsWith("{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":{\"t\": 1},"
                        + "\"info\":{\"user\":\"ann\",\"client\":\"" + clientId + "\"},\"offset\":1,\"epoch\":");
    }

    @Test
    void recoversWhatAClientMissed() {
        publish("news", 5);
        SocketClient first = connected();
        String epoch = epoch(first.call("{\"id\":2,\"subscribe\":{\"channel\":\"news\"}}"));
        first.close();
        publish("news", 2);

        SocketClient second = connected();

        assertThat(second.call("{\"id\":9,\"subscribe\":{\"channel\":\"news\",\"recover\":true,\"offset\":5,"
                        + "\"epoch\":\"" + epoch + "\"}}"))
                .isEqualTo("{\"id\":9,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"" + epoch
                        + "\",\"offset\":5,\"was_recovering\":true,\"recovered\":true,\"publications\":["
                        + "{\"data\":1,\"offset\":6},{\"data\":2,\"offset\":7}]}}");
        publish("news", 1);
        assertThat(second.next()).isEqualTo("{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":1,\"offset\":8}}}");
    }

    @Test
    void recoversNothingAtTheTop() {
        publish("news", 3);
        SocketClient client = connected();

        assertThat(client.call(recover("news", 3, "")))
                .contains("\"offset\":3,\"was_recovering\":true,\"recovered\":true}");
    }

    @Test
    void saysHonestlyWhatItCannotRecover() {
        publish("small:a", 5);
        SocketClient client = connected();

        assertThat(client.call(recover("small:a", 1, "")))
                .contains("\"offset\":5,\"was_recovering\":true}")
                .doesNotContain("publications");
        client.call("{\"id\":3,\"unsubscribe\":{\"channel\":\"small:a\"}}");
        assertThat(client.call(recover("small:a", 5, "_"))).contains("\"offset\":5,\"was_recovering\":true}");
        client.call("{\"id\":3,\"unsubscribe\":{\"channel\":\"small:a\"}}");
        assertThat(client.call(recover("small:a", 9, ""))).contains("\"offset\":5,\"was_recovering\":true}");
        client.call("{\"id\":3,\"unsubscribe\":{\"channel\":\"small:a\"}}");
        assertThat(client.call(
                        "{\"id\":4,\"subscribe\":{\"channel\":\"small:a\",\"recover\":true,\"offset\":1,\"flag\":2}}"))
                .isEqualTo("{\"id\":4,\"error\":{\"code\":112,\"message\":\"unrecoverable position\"}}");
        assertThat(client.call(recover("live:a", 1, "")))
                .isEqualTo("{\"id\":2,\"subscribe\":{\"was_recovering\":true}}");
    }

    @Test
    void readsHistory() {
        publish("news", 4);
        SocketClient client = connected();
        String all = client.call("{\"id\":2,\"history\":{\"channel\":\"news\",\"limit\":-1}}");
        String epoch = epoch(all.substring(all.lastIndexOf("\"epoch\"")));

        assertThat(offsets(all)).containsExactly(1, 2, 3, 4, 4);
        assertThat(client.call("{\"id\":3,\"history\":{\"channel\":\"news\"}}"))
                .isEqualTo("{\"id\":3,\"history\":{\"publications\":[],\"epoch\":\"" + epoch + "\",\"offset\":4}}");
        assertThat(offsets(client.call(
                        "{\"id\":4,\"history\":{\"channel\":\"news\",\"limit\":2,\"since\":{\"offset\":1}}}")))
                .containsExactly(2, 3, 4);
        assertThat(offsets(client.call("{\"id\":5,\"history\":{\"channel\":\"news\",\"limit\":2,\"reverse\":true,"
                        + "\"since\":{\"offset\":3,\"epoch\":\"" + epoch + "\"}}}")))
                .containsExactly(2, 1, 4);
        assertThat(
                        client.call(
                                "{\"id\":6,\"history\":{\"channel\":\"news\",\"limit\":2,\"since\":{\"offset\":3,\"epoch\":\"no\"}}}"))
                .contains("\"code\":112");
        assertThat(client.call("{\"id\":7,\"history\":{\"channel\":\"live:a\",\"limit\":2}}"))
                .contains("\"code\":108");
        assertThat(client.call("{\"id\":8,\"history\":{\"channel\":\"empty\",\"limit\":2}}"))
                .matches(
                        "\\{\"id\":8,\"history\":\\{\"publications\":\\[\\],\"epoch\":\"[A-Za-z0-9]+\",\"offset\":0\\}\\}");
    }

    @Test
    void showsWhoIsThereAndWhoComes() {
        SocketClient ann = open("");
        ann.send("{\"id\":1,\"connect\":{\"token\":\"ann\"}}");
        ann.next();

        ann.send("{\"id\":2,\"subscribe\":{\"channel\":\"chat:a\",\"join_leave\":true}}");
        assertThat(ann.next()).startsWith("{\"id\":2,\"subscribe\":{");
        assertThat(ann.next()).startsWith("{\"push\":{\"channel\":\"chat:a\",\"join\":{\"info\":{\"user\":\"ann\"");
        SocketClient bob = open("");
        bob.send("{\"id\":1,\"connect\":{\"token\":\"bob\"}}", "{\"id\":2,\"subscribe\":{\"channel\":\"chat:a\"}}");
        bob.next();
        bob.next();
        assertThat(ann.next()).contains("\"join\":{\"info\":{\"user\":\"bob\"");

        assertThat(bob.call("{\"id\":3,\"presence\":{\"channel\":\"chat:a\"}}"))
                .contains("\"user\":\"ann\"", "\"user\":\"bob\"");
        assertThat(bob.call("{\"id\":4,\"presence_stats\":{\"channel\":\"chat:a\"}}"))
                .isEqualTo("{\"id\":4,\"presence_stats\":{\"num_clients\":2,\"num_users\":2}}");
        bob.call("{\"id\":5,\"unsubscribe\":{\"channel\":\"chat:a\"}}");
        assertThat(ann.next()).contains("\"leave\":{\"info\":{\"user\":\"bob\"");
    }

    @Test
    void refusesWithTheCodesOfTheProtocol() {
        SocketClient client = connected();

        assertThat(client.call(subscribe("nosuch:a"))).contains("\"code\":102");
        assertThat(client.call(subscribe("secret:a"))).contains("\"code\":103");
        assertThat(client.call(subscribe("a"))).contains("\"subscribe\":{");
        assertThat(client.call(subscribe("a"))).contains("\"code\":105");
        client.call(subscribe("b"));
        client.call(subscribe("c"));
        client.call(subscribe("d"));
        assertThat(client.call(subscribe("e"))).contains("\"code\":106");
        assertThat(client.call("{\"id\":2,\"presence\":{\"channel\":\"a\"}}")).contains("\"code\":108");
        assertThat(client.call("{\"id\":2,\"rpc\":{\"data\":[1, 2]}}"))
                .isEqualTo("{\"id\":2,\"rpc\":{\"data\":[1, 2]}}");
        client.send("{\"send\":{\"data\":1}}");
        client.assertClosed(3508);
    }

    @Test
    void endsInTheOrderOfTheCommandsWhenAClientChangesItsMind() {
        SocketClient client = connected();

        client.send(
                "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}",
                "{\"id\":3,\"unsubscribe\":{\"channel\":\"a\"}}",
                "{\"id\":4,\"subscribe\":{\"channel\":\"a\"}}");

        List<String> replies = List.of(client.next(), client.next(), client.next());
        assertThat(replies).anyMatch(reply -> reply.startsWith("{\"id\":3,\"unsubscribe\":{}}"));
        assertThat(replies).last().asString().startsWith("{\"id\":4,\"subscribe\":{");
        publish("a", 1);
        assertThat(client.next()).contains("\"offset\":1");
    }

    @Test
    void speaksBothFormatsInOneChannel() {
        SocketClient json = connected();
        json.call(subscribe("news"));
        SocketClient protobuf = open("?cf_protocol=protobuf");
        protobuf.sendFrame(0x82, new byte[] {4, 8, 1, 0x22, 0, 7, 8, 2, 0x2a, 3, 0x0a, 1, 'a'});
        assertThat(protobuf.frame().firstOctet()).isEqualTo(0x82);
        assertThat(protobuf.frame().firstOctet()).isEqualTo(0x82);

        fanfare.publish("a", "{}").toCompletableFuture().join();
        fanfare.publish("news", "{}").toCompletableFuture().join();

        assertThat(protobuf.frame().text()).contains("{}");
        assertThat(json.next()).contains("\"data\":{}");
    }

    @Test
    void disconnectsOnlyThoseToWhomAPayloadCannotBeSent() {
        SocketClient json = connected();
        json.call(subscribe("a"));
        SocketClient protobuf = open("?format=protobuf");
        protobuf.sendFrame(0x82, new byte[] {4, 8, 1, 0x22, 0, 7, 8, 2, 0x2a, 3, 0x0a, 1, 'a'});
        protobuf.frame();
        protobuf.frame();

        publishRaw("a", new byte[] {(byte) 0xff, 1, 2});

        json.assertClosed(3506);
        assertThat(protobuf.frame().payload()).contains(0xff, 1, 2);
    }

    @Test
    void refusesPayloadsOfClientsThatAreNotJsonUnlessTheRulesSayOtherwise() {
        SocketClient protobuf = open("?format=protobuf");
        protobuf.sendFrame(0x82, new byte[] {4, 8, 1, 0x22, 0});
        protobuf.frame();

        protobuf.sendFrame(0x82, new byte[] {11, 8, 3, 0x3a, 7, 0x0a, 1, 'a', 0x12, 2, (byte) 0xff, 1});
        byte[] refused = protobuf.frame().payload();
        protobuf.sendFrame(
                0x82, new byte[] {15, 8, 4, 0x3a, 11, 0x0a, 5, 'r', 'a', 'w', ':', 'a', 0x12, 2, (byte) 0xff, 1});
        byte[] taken = protobuf.frame().payload();

        assertThat(refused).containsSequence(8, 3, 0x12).containsSequence(8, 107);
        assertThat(taken).containsSequence(8, 4, 0x42, 0);
    }

    @Test
    void obeysTheHost() {
        SocketClient client = open("");
        client.send("{\"id\":1,\"connect\":{\"token\":\"ann\"}}", "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
        client.next();
        client.next();

        fanfare.connections()
                .unsubscribe("ann", ChannelId.of("a"))
                .toCompletableFuture()
                .join();
        assertThat(client.next())
                .isEqualTo(
                        "{\"push\":{\"channel\":\"a\",\"unsubscribe\":{\"code\":2000,\"reason\":\"server unsubscribe\"}}}");

        fanfare.connections()
                .disconnect("ann", DisconnectReason.FORCE_DISCONNECT)
                .toCompletableFuture()
                .join();
        client.assertClosed(3503);
    }

    @Test
    void followsAChannelToWhichTheHostSubscribesIt() {
        SocketClient client = open("");
        client.send("{\"id\":1,\"connect\":{\"token\":\"ann\"}}");
        client.next();

        fanfare.connections()
                .subscribe("ann", ChannelId.of("secret:s"))
                .toCompletableFuture()
                .join();
        String told = client.next();
        publishRaw("secret:s", new byte[] {'1'});

        assertThat(told).isEqualTo("{\"push\":{\"channel\":\"secret:s\",\"subscribe\":{}}}");
        assertThat(client.next()).isEqualTo("{\"push\":{\"channel\":\"secret:s\",\"pub\":{\"data\":1}}}");
    }

    @Test
    void namesThePositionWhenTheHostSubscribesAClient() {
        publishRaw("a", new byte[] {'1'});
        SocketClient client = open("");
        client.send("{\"id\":1,\"connect\":{\"token\":\"ann\"}}");
        client.next();

        fanfare.connections()
                .subscribe("ann", ChannelId.of("a"))
                .toCompletableFuture()
                .join();

        assertThat(client.next())
                .matches("\\{\"push\":\\{\"channel\":\"a\",\"subscribe\":\\{\"recoverable\":true,"
                        + "\"epoch\":\"[a-z0-9]+\",\"offset\":1,\"positioned\":true}}}");
    }

    @Test
    void saysFarewellWhenFanfareCloses() {
        SocketClient client = connected();

        fanfare.close();

        client.assertClosed(3001);
    }

    @Test
    void recoversSubscriptionsOfTheServer() {
        publish("a", 3);
        SocketClient client = open("?server=1");
        client.send("{\"id\":1,\"connect\":{\"subs\":{\"a\":{\"recover\":true,\"offset\":1}}}}");

        String reply = client.next();

        assertThat(reply)
                .contains("\"a\":{\"recoverable\":true,\"positioned\":true,")
                .contains("\"offset\":1,\"was_recovering\":true,\"recovered\":true,\"publications\":["
                        + "{\"data\":2,\"offset\":2},{\"data\":3,\"offset\":3}]}")
                .contains("\"b\":{\"recoverable\":true");
        publish("b", 1);
        assertThat(client.next()).contains("\"channel\":\"b\"");
    }

    @Test
    void losesNothingForAClientThatDoesNotReadForAWhile() {
        SocketClient client = connected();
        client.call(subscribe("long:a"));
        String filler = "\"" + "x".repeat(2_000) + "\"";
        for (int i = 1; i < 5_000; i++) {
            var unused = fanfare.publish("long:a", filler);
        }
        fanfare.publish("long:a", filler).toCompletableFuture().join();

        for (int i = 1; i <= 5_000; i++) {
            assertThat(client.next()).contains("\"offset\":" + i);
        }
    }

    private SocketClient open(String query) {
        SocketClient client = new SocketClient(server.port(), query);
        clients.add(client);
        return client;
    }

    private SocketClient connected() {
        SocketClient client = SocketClient.connected(server.port());
        clients.add(client);
        return client;
    }

    /** Publishes 1, 2, 3 … */
    private void publish(String channel, int count) {
        for (int i = 1; i <= count; i++) {
            fanfare.publish(channel, String.valueOf(i)).toCompletableFuture().join();
        }
    }

    private void publishRaw(String channel, byte[] data) {
        fanfare.publish(ChannelId.of(channel), Payload.of(data), PublishOptions.none())
                .toCompletableFuture()
                .join();
    }

    private static String subscribe(String channel) {
        return "{\"id\":2,\"subscribe\":{\"channel\":\"" + channel + "\"}}";
    }

    private static String recover(String channel, long offset, String epoch) {
        return "{\"id\":2,\"subscribe\":{\"channel\":\"" + channel + "\",\"recover\":true,\"offset\":" + offset
                + ",\"epoch\":\"" + epoch + "\"}}";
    }

    private static String epoch(String reply) {
        Matcher matcher = EPOCH.matcher(reply);
        assertThat(matcher.find()).isTrue();
        return matcher.group(1);
    }

    private static List<Integer> offsets(String reply) {
        return Pattern.compile("\"offset\":(\\d+)")
                .matcher(reply)
                .results()
                .map(found -> Integer.valueOf(found.group(1)))
                .toList();
    }
}
