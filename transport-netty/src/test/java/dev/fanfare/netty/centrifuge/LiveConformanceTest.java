package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fanfare.ChannelId;
import dev.fanfare.DisconnectReason;
import dev.fanfare.DropReason;
import dev.fanfare.HostCode;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.Selection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** E5, E6, E7 and F of the conformance list: what comes live, to whom, and how. */
@ParameterizedClass
@EnumSource(Wire.class)
class LiveConformanceTest extends ConformanceCases {

    private static final Duration PROBED = Duration.ofSeconds(90);

    // ---- E5

    @Test
    void publicationsComeInOrderWithTheirOffsets() {
        String channel = fresh("c");
        ProtocolClient client = subscribed(channel);

        publish(channel, 20);

        assertComes(client, channel, 1, 20);
    }

    @Test
    void whatTheBusRepeatsAndSwapsComesOnceAndInOrder() {
        String channel = fresh("c");
        ProtocolClient client = subscribed(channel);

        store.bus().repeat(0.5).swap(0.3);
        publish(channel, 30);
        store.bus().heal();
        publish(channel, 31, 31);

        assertComes(client, channel, 1, 31);
        assertNothingCame(client);
    }

    @Test
    void whatTheBusLosesIsFetchedBeforeWhatFollows() {
        String channel = fresh("c");
        ProtocolClient client = subscribed(channel);

        store.bus().lose(1);
        publish(channel, 3);
        store.bus().heal();
        publish(channel, 4, 4);

        assertComes(client, channel, 1, 4);
    }

    @Test
    void aLostEndIsFoundAfterAWhileWithoutPresenceToo() {
        String channel = fresh("c");
        ProtocolClient client = subscribed(channel);

        store.bus().lose(1);
        publish(channel, 3);
        store.bus().heal();
        time.advance(PROBED);

        assertComes(client, channel, 1, 3);
    }

    @Test
    void whereNothingIsRetainedHolesAreNobodysBusiness() {
        ProtocolClient client = subscribed("live:holes");

        store.bus().lose(1);
        publish("live:holes", 3);
        store.bus().heal();
        publish("live:holes", 4, 4);

        JsonNode publication = client.push("pub");
        assertThat(publication.path("data").asInt()).isEqualTo(4);
        assertThat(publication.path("offset").asLong()).isZero();
    }

    @Test
    void aHistoryThatWasLostIsToldAndTheClientMaySubscribeAgain() {
        String channel = fresh("c");
        ProtocolClient client = subscribed(channel);
        publish(channel, 5);
        assertComes(client, channel, 1, 5);

        store.failOver(ChannelId.of(channel), 2).toCompletableFuture().join();
        time.advance(PROBED);

        JsonNode told = client.push("unsubscribe");
        assertThat(told.path("code").asInt()).isEqualTo(2500);
        assertThat(told.path("reason").asText()).isEqualTo("insufficient state");
        assertThat(client.recover(channel, 5, "", "").at("/subscribe/recovered").asBoolean())
                .isFalse();
    }

    @Test
    void aHistoryThatWasLostEndsTheConnectionWhereTheServerSubscribed() {
        String channel = fresh("c");
        ProtocolClient client = connected(fresh("server") + "+" + channel);
        publish(channel, 5);
        assertComes(client, channel, 1, 5);

        store.failOver(ChannelId.of(channel), 2).toCompletableFuture().join();
        time.advance(PROBED);

        assertThat(client.closeCode()).isEqualTo(3010);
    }

    @Test
    void whatTheFilterLeavesOutCountsAsSeen() {
        String channel = fresh("tags:c");
        ProtocolClient client = connected();
        client.call("subscribe", "{'channel':'" + channel + "','tf':{'key':'vip','cmp':'ex'}}");

        publish(channel, "1", PublishOptions.none());
        publish(channel, "2", PublishOptions.none().withHeaders(Map.of("vip", "yes")));

        JsonNode publication = client.push("pub");
        assertThat(publication.path("offset").asLong()).isEqualTo(2);
        assertThat(publication.at("/tags/vip").asText()).isEqualTo("yes");
        client.call("unsubscribe", "{'channel':'" + channel + "'}");
        JsonNode again = client.recover(channel, 0, "", ",'tf':{'key':'vip','cmp':'ex'}");
        assertThat(offsets(again.at("/subscribe/publications"))).containsExactly(2L);
    }

    @Test
    void whatIsNoJsonEndsJsonConnectionsAlone() {
        String channel = fresh("c");
        ProtocolClient json = keep(new ProtocolClient(transport.port(), Wire.JSON, ""));
        json.connect("ann");
        json.subscribe(channel);
        ProtocolClient protobuf = keep(new ProtocolClient(transport.port(), Wire.PROTOBUF, ""));
        protobuf.connect("bob");
        protobuf.subscribe(channel);

        fanfare.publish(ChannelId.of(channel), Payload.of(new byte[] {(byte) 0xff, 1}), PublishOptions.none())
                .toCompletableFuture()
                .join();

        assertThat(json.closeCode()).isEqualTo(3506);
        assertThat(protobuf.push("pub").path("offset").asLong()).isEqualTo(1);
    }

    @Test
    void whatIsSaidOfAClientAndIsNoJsonIsLeftOutForJsonClientsAndHarmsNobody() {
        String channel = fresh("chat:c");
        ProtocolClient watcher = connected();
        watcher.call("subscribe", "{'channel':'" + channel + "','join_leave':true}");
        watcher.push("join");
        ProtocolClient odd = connected(fresh("odd"));

        odd.call("subscribe", "{'channel':'" + channel + "'}");
        JsonNode joined = watcher.push("join");
        odd.call("publish", "{'channel':'" + channel + "','data':1}");
        JsonNode published = watcher.push("pub");
        JsonNode present = watcher.call("presence", "{'channel':'" + channel + "'}");
        JsonNode history = watcher.call("history", "{'channel':'" + channel + "','limit':1}");

        for (JsonNode info : List.of(
                joined.path("info"),
                published.path("info"),
                present.at("/presence/presence").path(joined.at("/info/client").asText()),
                history.at("/history/publications/0/info"))) {
            assertThat(info.path("user").asText()).startsWith("odd");
            assertThat(info.has("conn_info")).isEqualTo(wire == Wire.PROTOBUF);
        }
    }

    @Test
    void namesOfChannelsAreNeverReplacedByNumbers() {
        String channel = fresh("c");
        ProtocolClient client = connected();

        JsonNode reply = client.call("subscribe", "{'channel':'" + channel + "','flag':1}");
        publish(channel, 1);

        assertThat(reply.at("/subscribe/id").asInt()).isZero();
        assertComes(client, channel, 1, 1);
    }

    @Test
    void whatWasSkippedIsToldBeforeWhatFollowsAndAResumeStaysValid() {
        String channel = fresh("sampled:c");
        ProtocolClient client = connected();
        String epoch = client.subscribe(channel).at("/subscribe/epoch").asText();
        int before = count(DropReason.CONFLATED);
        publish(channel, 4);
        assertComes(client, channel, 1, 1);
        awaitCount(DropReason.CONFLATED, before + 2);

        time.advance(Duration.ofSeconds(2));

        JsonNode told = client.push("message").at("/data/skipped");
        assertThat(told.path("channel").asText()).isEqualTo(channel);
        assertThat(told.path("count").asLong()).isEqualTo(2);
        assertComes(client, channel, 4, 4);
        publish(channel, 5, 5);
        ProtocolClient back = connected();
        assertThat(offsets(back.recover(channel, 4, epoch, "").at("/subscribe/publications")))
                .containsExactly(5L);
    }

    // ---- E6

    @Test
    void disconnectingReachesTheConnectionsThatAreMeant() {
        String user = fresh("ann");
        ProtocolClient first = open();
        String firstId = first.connect(user).at("/connect/client").asText();
        ProtocolClient second = open();
        String secondId = second.connect(user).at("/connect/client").asText();
        ProtocolClient third = connected(user);
        ProtocolClient other = connected();

        fanfare.connections()
                .disconnect(Selection.ofConnection(firstId), DisconnectReason.FORCE_DISCONNECT)
                .toCompletableFuture()
                .join();
        assertThat(first.closeCode()).isEqualTo(3503);
        fanfare.connections()
                .disconnect(Selection.ofUser(user).except(Set.of(secondId)), DisconnectReason.FORCE_RECONNECT)
                .toCompletableFuture()
                .join();

        assertThat(third.closeCode()).isEqualTo(3011);
        assertNothingCame(second);
        assertNothingCame(other);
    }

    @Test
    void theHostUnsubscribesAndSubscribesByItsOwnWords() {
        String user = fresh("ann");
        String channel = fresh("c");
        publish(channel, 2);
        ProtocolClient client = connected(user);
        client.subscribe(channel);

        fanfare.connections()
                .unsubscribe(Selection.ofUser(user), ChannelId.of(channel), HostCode.unsubscribe(2345, "not here"))
                .toCompletableFuture()
                .join();
        JsonNode ended = client.push("unsubscribe");
        fanfare.connections()
                .subscribe(user, ChannelId.of(channel))
                .toCompletableFuture()
                .join();
        JsonNode begun = client.push("subscribe");
        publish(channel, 3, 3);

        assertThat(ended.path("code").asInt()).isEqualTo(2345);
        assertThat(ended.path("reason").asText()).isEqualTo("not here");
        assertThat(begun.path("offset").asLong()).isEqualTo(2);
        assertComes(client, channel, 3, 3);
    }

    @Test
    void whoCloseWhileOthersArePublishedToCostNobodyAnything() {
        String channel = fresh("c");
        ProtocolClient stays = subscribed(channel);
        List<ProtocolClient> leaving =
                IntStream.range(0, 16).mapToObj(i -> subscribed(channel)).toList();

        CompletableFuture<Void> left = CompletableFuture.runAsync(() -> leaving.forEach(ProtocolClient::close));
        publish(channel, 100);
        left.join();

        assertComes(stays, channel, 1, 100);
        soon().until(() -> fanfare.stats().connections() == 1);
    }

    // ---- E7

    @Test
    void aFrameHoldsAtMostSixteenReplies() {
        ProtocolClient client = connected();
        client.send(IntStream.rangeClosed(1, 40)
                .mapToObj(i -> "{'id':" + (100 + i) + ",'subscribe':{'channel':'" + "x".repeat(256) + "'}}")
                .toArray(String[]::new));

        List<Integer> sizes = new ArrayList<>();
        List<Integer> ids = new ArrayList<>();
        while (ids.size() < 40) {
            List<JsonNode> batch = client.batch();
            sizes.add(batch.size());
            batch.forEach(each -> ids.add(each.path("id").asInt()));
        }

        assertThat(ids)
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(101, 140).boxed().toList());
        assertThat(sizes).allMatch(size -> size <= 16).contains(16);
    }

    @Test
    void whoDoesNotReadForAWhileMissesNothing() {
        String channel = fresh("large:c");
        ProtocolClient client = subscribed(channel);
        String data = '"' + "x".repeat(300_000) + '"';
        CompletableFuture<?>[] all = Stream.generate(() -> data)
                .limit(60)
                .map(each -> fanfare.publish(channel, each).toCompletableFuture())
                .toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(all).join();
        soon().until(() -> count("behind in " + channel) > 0);

        assertComes(client, channel, 1, 60);
    }

    // ---- F

    @Test
    void manyChannelsOfTheServerRecoverWhileTheyArePublishedTo() {
        List<String> channels =
                IntStream.range(0, 8).mapToObj(i -> fresh("chat:c")).toList();
        channels.forEach(channel -> publish(channel, 3));
        CompletableFuture<Void> publishing = CompletableFuture.runAsync(() -> {
            for (int i = 4; i <= 40; i++) {
                int number = i;
                channels.forEach(channel -> publish(channel, number, number));
            }
        });

        for (int round = 0; round < 5; round++) {
            ProtocolClient client = open();
            StringBuilder subs = new StringBuilder();
            channels.forEach(channel -> subs.append(subs.isEmpty() ? "" : ",")
                    .append("'" + channel + "':{'recover':true,'offset':1,'epoch':''}"));
            JsonNode reply = client.call(
                    "connect",
                    "{'token':'" + fresh("user") + "+" + String.join("+", channels) + "','subs':{" + subs + "}}");

            for (String channel : channels) {
                JsonNode start = reply.path("connect").path("subs").path(channel);
                assertThat(start.path("recovered").asBoolean()).as("%s", reply).isTrue();
                assertThat(offsets(start.path("publications"))).startsWith(2L, 3L);
            }
            client.close();
        }
        publishing.join();
    }

    @Test
    void pushesOfChannelsOfTheServerNameTheirOffsets() {
        String channel = fresh("c");
        ProtocolClient client = connected(fresh("user") + "+" + channel);

        publish(channel, 2);

        assertComes(client, channel, 1, 2);
    }

    @Test
    void thePlaceholderOfAnInvalidatedPositionNeverMatches() {
        String channel = fresh("c");
        publish(channel, 2);

        JsonNode start = connected().recover(channel, 0, "_", "").path("subscribe");

        assertThat(start.path("was_recovering").asBoolean()).isTrue();
        assertThat(start.path("recovered").asBoolean()).isFalse();
    }

    @Test
    void whatAHistoryTellsIsWholeAlsoWhereDifferencesAreSent() {
        String channel = fresh("delta:c");
        ProtocolClient client = connected();
        client.call("subscribe", "{'channel':'" + channel + "','delta':'fossil'}");
        for (int i = 1; i <= 2; i++) {
            publish(channel, "{\"i\":" + i + ",\"filler\":\"" + "x".repeat(200) + "\"}", PublishOptions.none());
        }
        client.push("pub");
        assertThat(client.push("pub").path("delta").asBoolean()).isTrue();

        JsonNode publications = client.call("history", "{'channel':'" + channel + "','limit':5}")
                .at("/history/publications");

        assertThat(publications).hasSize(2).allMatch(each -> !each.has("delta"));
        assertThat(publications).extracting(each -> each.at("/data/i").asInt()).containsExactly(1, 2);
    }

    @Test
    void textOfEveryAlphabetArrivesAsItIs() {
        String channel = fresh("c");
        ProtocolClient client = subscribed(channel);
        String text = "\"Grüße, Привет, 你好, 🎉\"";

        fanfare.publish(ChannelId.of(channel), Payload.of(text.getBytes(StandardCharsets.UTF_8)), PublishOptions.none())
                .toCompletableFuture()
                .join();

        assertThat(client.push("pub").path("data").toString()).isEqualTo(text);
    }
}
