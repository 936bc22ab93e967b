package dev.fanfare.netty.centrifuge;

import static dev.fanfare.netty.centrifuge.ProtocolClient.error;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fanfare.ChannelId;
import dev.fanfare.PublishOptions;
import dev.fanfare.Refusal;
import dev.fanfare.testkit.Gate;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** E3, E4 and E8 of the conformance list: how subscriptions begin, recover, and make members. */
@ParameterizedClass
@EnumSource(Wire.class)
class SubscribeConformanceTest extends ConformanceCases {

    // ---- E3

    @Test
    void whatCannotBeSubscribedToIsRefusedByName() {
        ProtocolClient client = connected();

        assertThat(error(client.subscribe("nosuch:a"))).isEqualTo(102);
        assertThat(error(client.subscribe("secret:a"))).isEqualTo(103);
        assertThat(error(client.subscribe("x".repeat(256)))).isEqualTo(107);
        assertThat(error(client.call("subscribe", "{'channel':'a','type':1}"))).isEqualTo(108);
        assertThat(error(client.call("subscribe", "{'channel':'a','type':4}"))).isEqualTo(108);
        assertThat(client.subscribe("x".repeat(255)).has("subscribe")).isTrue();
        assertThat(error(client.subscribe("x".repeat(255)))).isEqualTo(105);
    }

    @Test
    void oneChannelMoreThanAConnectionMayHaveIsRefused() {
        ProtocolClient client = connected();
        for (int i = 0; i < 8; i++) {
            client.subscribe("live:" + i);
        }

        assertThat(error(client.subscribe("live:8"))).isEqualTo(106);
        client.call("unsubscribe", "{'channel':'live:0'}");
        assertThat(client.subscribe("live:8").has("subscribe")).isTrue();
    }

    @Test
    void anEmptyChannelOrAnUnknownKindOfDeltaIsABadRequest() {
        ProtocolClient empty = connected();
        empty.begin("subscribe", "{'channel':''}");
        ProtocolClient delta = connected();
        delta.begin("subscribe", "{'channel':'a','delta':'xdelta'}");

        assertThat(empty.closeCode()).isEqualTo(3501);
        assertThat(delta.closeCode()).isEqualTo(3501);
    }

    @Test
    void aLogThatFailsLeavesTheChannelFreeToSubscribeAgain() {
        String channel = fresh("c");
        publish("warm", 1);
        ProtocolClient client = connected();

        store.reads().fail(1);
        JsonNode failed = client.subscribe(channel);
        store.heal();

        assertThat(error(failed)).isEqualTo(100);
        assertThat(failed.at("/error/temporary").asBoolean()).isTrue();
        assertThat(client.subscribe(channel).has("subscribe")).isTrue();
        publish(channel, 1);
        assertComes(client, channel, 1, 1);
    }

    @Test
    void aPresenceThatFailsLeavesNoSubscriptionAndNoMember() {
        String channel = fresh("chat:c");
        ProtocolClient client = connected();

        store.presenceCalls().fail(1);
        JsonNode failed = client.subscribe(channel);
        store.heal();
        publish(channel, 1);

        assertThat(error(failed)).isEqualTo(100);
        assertNothingCame(client);
        assertThat(members(client, channel)).isZero();
    }

    @Test
    void ofTwoSubscribesOfOneChannelAtOnceOneIsRefused() {
        String channel = fresh("c");
        ProtocolClient client = connected();
        Gate gate = store.reads().hold();

        int first = client.begin("subscribe", "{'channel':'" + channel + "'}");
        int second = client.begin("subscribe", "{'channel':'" + channel + "'}");
        assertThat(error(client.reply(second))).isEqualTo(105);
        gate.open();

        assertThat(client.reply(first).has("subscribe")).isTrue();
    }

    @Test
    void anUnsubscribeDuringASubscribeWins() {
        String channel = fresh("c");
        ProtocolClient client = connected();
        Gate gate = store.reads().hold();

        int subscribe = client.begin("subscribe", "{'channel':'" + channel + "'}");
        int unsubscribe = client.begin("unsubscribe", "{'channel':'" + channel + "'}");
        gate.open();
        List<Integer> replied = List.of(
                client.next().path("id").asInt(), client.next().path("id").asInt());

        assertThat(replied).containsExactlyInAnyOrder(subscribe, unsubscribe);
        publish(channel, 1);
        assertNothingCame(client);
        assertThat(client.recover(channel, 0, "", "").at("/subscribe/recovered").asBoolean())
                .isTrue();
    }

    @Test
    void anUnsubscribeDuringASubscribeThatFailsIsAnsweredToo() {
        String channel = fresh("c");
        ProtocolClient client = connected();
        Gate gate = store.reads().fail(1).hold();

        int subscribe = client.begin("subscribe", "{'channel':'" + channel + "'}");
        int unsubscribe = client.begin("unsubscribe", "{'channel':'" + channel + "'}");
        gate.open();
        List<Integer> replied = List.of(
                client.next().path("id").asInt(), client.next().path("id").asInt());
        store.heal();

        assertThat(replied).containsExactlyInAnyOrder(subscribe, unsubscribe);
        assertThat(client.subscribe(channel).has("subscribe")).isTrue();
    }

    @Test
    void unsubscribingFromWhatThereIsNotSucceeds() {
        ProtocolClient client = connected();

        assertThat(client.call("unsubscribe", "{'channel':'nowhere:a'}").has("unsubscribe"))
                .isTrue();
    }

    @Test
    void aClientThatLeavesDuringASubscribeLeavesNothing() {
        String channel = fresh("chat:c");
        ProtocolClient watcher = subscribed(channel);
        ProtocolClient client = connected();
        Gate gate = store.presenceCalls().hold();
        client.begin("subscribe", "{'channel':'" + channel + "'}");
        gate.awaitArrivals(1);

        client.close();
        soon().until(() -> fanfare.stats().connections() == 1);
        gate.open();
        store.heal();

        soon().until(() -> members(watcher, channel) == 1);
        assertThat(fanfare.stats().subscriptions()).isEqualTo(1);
    }

    @Test
    void whoComesAndGoesAtOnceIsSeenInThatOrder() {
        String channel = fresh("chat:c");
        ProtocolClient watcher = connected();
        watcher.call("subscribe", "{'channel':'" + channel + "','join_leave':true}");
        watcher.push("join");

        ProtocolClient brief = connected("brief");
        brief.subscribe(channel);
        brief.call("unsubscribe", "{'channel':'" + channel + "'}");

        assertThat(watcher.push("join").at("/info/user").asText()).isEqualTo("brief");
        assertThat(watcher.push("leave").at("/info/user").asText()).isEqualTo("brief");
    }

    @Test
    void theReplyComesBeforeOnesOwnJoin() {
        ProtocolClient client = connected();
        int id = client.begin("subscribe", "{'channel':'" + fresh("chat:c") + "','join_leave':true}");

        assertThat(client.next().path("id").asInt()).isEqualTo(id);
        assertThat(client.push("join").has("info")).isTrue();
    }

    @Test
    void aChannelOfTheConnectAndTheSameOfTheHostAreOneSubscription() {
        String channel = fresh("c");
        String user = fresh("raced");
        publish(channel, 2);
        ProtocolClient client = open();
        Gate gate = store.reads().hold();
        int id = client.begin("connect", "{'token':'" + user + "+" + channel + "'}");
        gate.awaitArrivals(1);

        fanfare.connections()
                .subscribe(user, ChannelId.of(channel))
                .toCompletableFuture()
                .join();
        gate.open();
        JsonNode start = client.reply(id).path("connect").path("subs").path(channel);
        publish(channel, 3, 3);

        assertThat(start.path("offset").asLong()).isEqualTo(2);
        assertComes(client, channel, 3, 3);
        assertNothingCame(client);
    }

    // ---- E4; the tables of positions are in RecoveryConversationTest

    @Test
    void whatIsPublishedWhileTheLogIsReadComesOnceAndInOrder() {
        String channel = fresh("c");
        publish(channel, 5);
        ProtocolClient client = connected();
        Gate gate = store.reads().hold();
        int id = client.begin("subscribe", "{'channel':'" + channel + "','recover':true,'offset':2,'epoch':''}");
        gate.awaitArrivals(1);
        publish(channel, 6, 9);
        gate.open();

        JsonNode recovered = client.reply(id).path("subscribe");
        assertThat(recovered.path("recovered").asBoolean()).isTrue();
        List<Long> offsets = offsets(recovered.path("publications"));
        assertThat(offsets).startsWith(3L, 4L, 5L).isEqualTo(List.of(range(3, 2 + offsets.size())));
        publish(channel, 10, 10);
        assertComes(client, channel, 3 + offsets.size(), 10);
    }

    @Test
    void whatTheBusLosesWhileTheLogIsReadIsNotMissed() {
        String channel = fresh("c");
        publish(channel, 5);
        ProtocolClient client = connected();
        Gate gate = store.reads().hold();
        int id = client.begin("subscribe", "{'channel':'" + channel + "','recover':true,'offset':2,'epoch':''}");
        gate.awaitArrivals(1);
        store.bus().lose(1);
        publish(channel, 6, 8);
        store.bus().heal();
        gate.open();
        int recovered = client.reply(id).at("/subscribe/publications").size();
        publish(channel, 9, 9);

        assertComes(client, channel, 3 + recovered, 9);
    }

    @Test
    void aPositionThatCannotBeRecoveredIsAnErrorForWhoeverWantsIt() {
        String channel = fresh("small:c");
        publish(channel, 5);
        ProtocolClient client = connected();

        assertThat(error(client.recover(channel, 1, "", ",'flag':2"))).isEqualTo(112);
        JsonNode without = client.recover(channel, 1, "", "").path("subscribe");

        assertThat(without.path("was_recovering").asBoolean()).isTrue();
        assertThat(without.path("recovered").asBoolean()).isFalse();
        assertThat(without.path("publications").size()).isZero();
        assertThat(without.path("offset").asLong()).isEqualTo(5);
    }

    @Test
    void aChannelOfTheServerThatCannotBeRecoveredSaysSoAndBringsNothing() {
        String channel = fresh("small:c");
        publish(channel, 5);

        JsonNode start = open().call(
                        "connect",
                        "{'token':'" + fresh("user") + "+" + channel + "','subs':{'" + channel
                                + "':{'recover':true,'offset':1,'epoch':''}}}")
                .path("connect")
                .path("subs")
                .path(channel);

        assertThat(start.path("was_recovering").asBoolean()).isTrue();
        assertThat(start.path("recovered").asBoolean()).isFalse();
        assertThat(start.path("publications").size()).isZero();
        assertThat(start.path("offset").asLong()).isEqualTo(5);
    }

    @Test
    void theFirstPublicationOfAChannelNamesTheEpochThatTheSubscribeNamed() {
        String channel = fresh("c");
        ProtocolClient client = connected();
        String epoch = client.subscribe(channel).at("/subscribe/epoch").asText();

        publish(channel, 2);

        assertThat(epoch).isNotEmpty();
        assertThat(client.push("pub").path("epoch").asText()).isEqualTo(epoch);
        assertThat(client.push("pub").path("epoch").asText()).isEmpty();
    }

    @Test
    void aFreshSubscriptionDoesNotClaimToHaveRecovered() {
        String channel = fresh("c");
        publish(channel, 3);

        JsonNode fresh = connected().subscribe(channel).path("subscribe");

        assertThat(fresh.path("was_recovering").asBoolean()).isFalse();
        assertThat(fresh.path("recovered").asBoolean()).isFalse();
        assertThat(fresh.path("positioned").asBoolean()).isTrue();
        assertThat(fresh.path("recoverable").asBoolean()).isTrue();
        assertThat(fresh.path("offset").asLong()).isEqualTo(3);
    }

    @Test
    void nobodyWaitsForASubscribeThatHangs() {
        String channel = fresh("chat:c");
        publish(channel, 3);
        ProtocolClient other = subscribed(channel);
        ProtocolClient hanging = connected();
        Gate presence = store.presenceCalls().hold();
        int id = hanging.begin("subscribe", "{'channel':'" + channel + "','recover':true,'offset':1,'epoch':''}");
        presence.awaitArrivals(1);

        publish(channel, 4, 6);
        assertComes(other, channel, 4, 6);
        Gate reads = store.reads().hold();
        presence.open();
        publish(channel, 7, 9);
        assertComes(other, channel, 7, 9);
        reads.open();

        JsonNode recovered = hanging.reply(id).path("subscribe");
        assertThat(offsets(recovered.path("publications"))).containsExactly(range(2, 9));
    }

    @Test
    void aSubscribeThatHangsIsRefusedBeforeSdksGiveTheConnectionUp() {
        String channel = fresh("chat:c");
        publish("warm", 1);
        ProtocolClient client = connected();
        int before = count(Refusal.UNAVAILABLE);
        Gate gate = store.presenceCalls().hold();

        JsonNode refused = client.subscribe(channel);
        gate.open();
        store.heal();

        assertThat(error(refused)).isEqualTo(100);
        assertThat(refused.at("/error/temporary").asBoolean()).isTrue();
        awaitCount(Refusal.UNAVAILABLE, before + 1);
        soon().until(() -> members(client, channel) == 0);
        assertThat(client.subscribe(channel).has("subscribe")).isTrue();
        publish(channel, 1);
        assertComes(client, channel, 1, 1);
    }

    // ---- E8

    @Test
    void oneIsThereAsSoonAsOneIsSubscribedAndNotAfterwards() {
        String channel = fresh("chat:c");
        ProtocolClient client = connected("ann");
        client.subscribe(channel);

        JsonNode there =
                client.call("presence", "{'channel':'" + channel + "'}").at("/presence/presence");
        JsonNode stats =
                client.call("presence_stats", "{'channel':'" + channel + "'}").path("presence_stats");
        client.call("unsubscribe", "{'channel':'" + channel + "'}");
        JsonNode gone = client.call("presence", "{'channel':'" + channel + "'}").at("/presence/presence");

        assertThat(there).hasSize(1);
        assertThat(there.iterator().next().path("user").asText()).isEqualTo("ann");
        assertThat(stats.path("num_users").asInt()).isEqualTo(1);
        assertThat(gone).isEmpty();
    }

    @Test
    void usersAreCountedOnceAndConnectionsEach() {
        String channel = fresh("chat:c");
        ProtocolClient one = connected("ann");
        one.subscribe(channel);
        connected("ann").subscribe(channel);
        connected("bob").subscribe(channel);

        JsonNode stats =
                one.call("presence_stats", "{'channel':'" + channel + "'}").path("presence_stats");

        assertThat(stats.path("num_clients").asInt()).isEqualTo(3);
        assertThat(stats.path("num_users").asInt()).isEqualTo(2);
    }

    @Test
    void whereThereIsNoPresenceNobodyIsShown() {
        ProtocolClient client = connected();

        assertThat(error(client.call("presence", "{'channel':'live:a'}"))).isEqualTo(108);
        assertThat(error(client.call("presence_stats", "{'channel':'live:a'}"))).isEqualTo(108);
        assertThat(error(client.call("history", "{'channel':'live:a','limit':1}")))
                .isEqualTo(108);
    }

    @Test
    void aPresenceStoreThatHangsHoldsUpNeitherTheEndNorTheOthers() {
        String channel = fresh("chat:c");
        String user = fresh("hung");
        ProtocolClient client = connected(user);
        client.subscribe(channel);
        ProtocolClient other = subscribed(channel);
        Gate gate = store.presenceCalls().hold();

        fanfare.connections()
                .disconnect(user, dev.fanfare.DisconnectReason.FORCE_RECONNECT)
                .toCompletableFuture()
                .join();
        assertThat(client.closeCode()).isEqualTo(3011);
        ProtocolClient back = connected(user);
        publish(channel, "1", PublishOptions.none());
        assertComes(other, channel, 1, 1);
        assertNothingCame(back);

        gate.open();
        store.heal();
        soon().until(() -> {
            time.advance(Duration.ofSeconds(1)); // the grace begins when the store has heard of it
            return members(other, channel) == 1;
        });
    }

    private static int members(ProtocolClient client, String channel) {
        return client.call("presence_stats", "{'channel':'" + channel + "'}")
                .at("/presence_stats/num_clients")
                .asInt();
    }
}
