package dev.fanfare.netty.centrifuge;

import static dev.fanfare.netty.centrifuge.ProtocolClient.error;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import dev.fanfare.Refusal;
import dev.fanfare.Rejection;
import dev.fanfare.Selection;
import java.io.EOFException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** E1 and E2 of the conformance list: how connections begin, last and end. */
@ParameterizedClass
@EnumSource(Wire.class)
class ConnectionConformanceTest extends ConformanceCases {

    // ---- E1

    @Test
    void aCommandBeforeConnectIsABadRequest() {
        int before = count(Rejection.BAD_REQUEST);
        ProtocolClient client = open();

        client.send("{'id':1,'subscribe':{'channel':'a'}}");

        assertThat(client.closeCode()).isEqualTo(3501);
        awaitCount(Rejection.BAD_REQUEST, before + 1);
    }

    @Test
    void aSecondConnectIsABadRequest() {
        int before = count(DisconnectReason.BAD_REQUEST);
        ProtocolClient client = connected();

        client.send("{'id':2,'connect':{}}");

        assertThat(client.closeCode()).isEqualTo(3501);
        awaitCount(DisconnectReason.BAD_REQUEST, before + 1);
    }

    @Test
    void aSecondConnectWhileTheFirstIsUnderWayIsABadRequestToo() {
        ProtocolClient client = open();

        client.send("{'id':1,'connect':{'token':'ann'}}", "{'id':2,'connect':{'token':'ann'}}");

        assertThat(client.closeCode()).isEqualTo(3501);
    }

    @Test
    void aCommandWithoutIdIsABadRequest() {
        ProtocolClient client = connected();

        client.send("{'subscribe':{'channel':'a'}}");

        assertThat(client.closeCode()).isEqualTo(3501);
    }

    @Test
    void aPongWithoutAPingIsABadRequest() {
        ProtocolClient client = connected();

        client.send("{}");

        assertThat(client.closeCode()).isEqualTo(3501);
    }

    @Test
    void whatTheHandshakeShowsIsEnoughToKnowTheClientBy() {
        ProtocolClient client = open("?user=header-user");

        assertThat(client.connect("").has("connect")).isTrue();
        ProtocolClient publisher = connected();
        publisher.subscribe("live:who");
        client.call("publish", "{'channel':'live:who','data':1}");

        assertThat(publisher.push("pub").at("/info/user").asText()).isEqualTo("header-user");
    }

    @Test
    void withoutCredentialsAClientIsUnauthorizedAndItsConnectionIsOfNoMoreUse() {
        int before = count(Rejection.UNAUTHENTICATED);
        ProtocolClient client = open();

        assertThat(error(client.connect(""))).isEqualTo(101);
        client.send("{'id':2,'subscribe':{'channel':'a'}}");

        assertThat(client.closeCode()).isEqualTo(3501);
        assertThat(count(Rejection.UNAUTHENTICATED)).isEqualTo(before + 1);
    }

    @Test
    void whatFollowsAConnectThatFailsIsDropped() {
        ProtocolClient client = open();

        client.send("{'id':1,'connect':{'token':'EXPIRED_TOKEN'}}", "{'id':2,'subscribe':{'channel':'a'}}");

        assertThat(error(client.next())).isEqualTo(109);
        client.send("{'id':3,'connect':{'token':'ann'}}");
        assertThat(client.closeCode()).isEqualTo(3501);
    }

    @Test
    void forgedTokensEndTheConnectionForGoodAndExpiredOnesAskForANewOne() {
        ProtocolClient forged = open();
        forged.begin("connect", "{'token':'INVALID_TOKEN'}");
        assertThat(forged.closeCode()).isEqualTo(3500);

        ProtocolClient denied = open();
        denied.begin("connect", "{'token':'DENIED'}");
        assertThat(denied.closeCode()).isEqualTo(3507);

        assertThat(error(open().connect("EXPIRED_TOKEN"))).isEqualTo(109);
        assertThat(error(open().connect("ann@-1"))).isEqualTo(110);
    }

    @Test
    void aLifetimeIsCappedAtAYear() {
        assertThat(open().connect("ann@999999999").at("/connect/ttl").asLong())
                .isEqualTo(Duration.ofDays(365).toSeconds());
    }

    @Test
    void aUserHasOnlySoManyConnections() {
        int before = count(Rejection.USER_CONNECTION_LIMIT);
        String user = fresh("many");
        IntStream.range(0, 20).forEach(i -> connected(user));
        ProtocolClient oneMore = open();

        oneMore.begin("connect", "{'token':'" + user + "'}");

        assertThat(oneMore.closeCode()).isEqualTo(3504);
        assertThat(count(Rejection.USER_CONNECTION_LIMIT)).isEqualTo(before + 1);
    }

    @Test
    void moreChannelsOfTheServerThanAConnectionMayHaveAreTooMany() {
        ProtocolClient client = open();

        client.begin("connect", "{'token':'ann+a+b+c+d+e+f+g+h+i'}");

        assertThat(client.closeCode()).isEqualTo(3505);
    }

    @Test
    void aClientThatLeavesBeforeItConnectsLeavesNothing() {
        ProtocolClient client = open();

        client.sendFrame(0x88, (byte) (1000 >> 8), (byte) (1000 & 0xff));

        assertThat(client.frame().isClose()).isTrue();
        assertThatThrownBy(client::frame)
                .as("the socket is closed")
                .isInstanceOf(UncheckedIOException.class)
                .hasCauseInstanceOf(EOFException.class);
    }

    @Test
    void whoeverClosesHoweverOftenAClientHearsOneEnd() {
        String user = fresh("closed");
        ProtocolClient client = connected(user);

        List<CompletableFuture<Void>> all = new ArrayList<>();
        IntStream.range(0, 8).parallel().forEach(i -> {
            CompletableFuture<Void> done = fanfare.connections()
                    .disconnect(user, DisconnectReason.FORCE_DISCONNECT)
                    .toCompletableFuture();
            synchronized (all) {
                all.add(done);
            }
        });
        all.forEach(CompletableFuture::join);

        assertThat(client.frame().closeCode()).isEqualTo(3503);
        awaitCount(user, 1);
    }

    @Test
    void whatWasAnsweredBeforeTheEndArrivesBeforeIt() {
        ProtocolClient client = connected();

        client.send("{'id':2,'rpc':{'method':'echo','data':1}}");
        JsonNode first = client.next();
        client.send("{'id':3,'subscribe':{'channel':'" + "x".repeat(256) + "'}}", "{'send':{'data':1}}");

        assertThat(first.path("id").asInt()).isEqualTo(2);
        assertThat(error(client.next())).isEqualTo(107);
        assertThat(client.closeCode()).isEqualTo(3508);
    }

    @Test
    void anEndByCode3000IsACutWithoutAWord() {
        String user = fresh("cut");
        ProtocolClient client = connected(user);

        fanfare.connections()
                .disconnect(user, DisconnectReason.BY_CLIENT)
                .toCompletableFuture()
                .join();

        assertThatThrownBy(client::frame).isInstanceOf(UncheckedIOException.class);
    }

    @Test
    void theHostsOwnCodeAndWordsAreWhatTheClientGets() {
        String user = fresh("own");
        ProtocolClient first = connected(user);
        ProtocolClient second = connected(user);

        disconnect(user, HostCode.disconnect(4321, "lunch time"));

        assertThat(first.closeReason()).isEqualTo("lunch time");
        assertThat(second.closeCode()).isEqualTo(4321);
    }

    private void disconnect(String user, HostCode code) {
        fanfare.connections()
                .disconnect(Selection.ofUser(user), code)
                .toCompletableFuture()
                .join();
    }

    // ---- E2

    @Test
    void aConnectionWithoutAnEndHasNothingToRefresh() {
        assertThat(error(connected().call("refresh", "{'token':'ann'}"))).isEqualTo(108);
    }

    @Test
    void aRefreshWithoutTokenOrOfWhatTheHostProlongsIsABadRequest() {
        ProtocolClient empty = connected("ann@60");
        empty.begin("refresh", "{}");
        ProtocolClient ofTheHost = connected("ann@60@host");
        ofTheHost.begin("refresh", "{'token':'ann'}");

        assertThat(empty.closeCode()).isEqualTo(3501);
        assertThat(ofTheHost.closeCode()).isEqualTo(3501);
    }

    @Test
    void aConnectionThatIsRefreshedGoesOnAndOneThatIsNotEnds() {
        ProtocolClient refreshed = connected("ann@60");
        ProtocolClient forgotten = connected("bob@60");

        JsonNode reply = refreshed.call("refresh", "{'token':'ann@600'}");
        time.advance(Duration.ofSeconds(86));

        assertThat(reply.at("/refresh/expires").asBoolean()).isTrue();
        assertThat(reply.at("/refresh/ttl").asInt()).isEqualTo(600);
        assertThat(forgotten.closeCode()).isEqualTo(3005);
        assertNothingCame(refreshed);
    }

    @Test
    void aRefreshThatFailsSaysHow() {
        ProtocolClient over = connected("ann@60");
        assertThat(error(over.call("refresh", "{'token':'ann@-1'}"))).isEqualTo(110);
        assertThat(error(over.call("refresh", "{'token':'UNAUTHORIZED'}"))).isEqualTo(101);

        over.begin("refresh", "{'token':'EXPIRED_TOKEN'}");
        ProtocolClient ofSomebodyElse = connected("ann@60");
        ofSomebodyElse.begin("refresh", "{'token':'bob@60'}");

        assertThat(over.closeCode()).isEqualTo(3005);
        assertThat(ofSomebodyElse.closeCode()).isEqualTo(3500);
    }

    @Test
    void theHostProlongsAndTheClientHearsNothing() {
        String user = fresh("host");
        ProtocolClient client = connected(user + "@60@host");

        fanfare.connections().refresh(user, in(600)).toCompletableFuture().join();
        fanfare.connections().of(user).toCompletableFuture().join(); // asked after it, and so answered after it
        assertNothingCame(client);
        time.advance(Duration.ofSeconds(86));

        assertNothingCame(client);
    }

    @Test
    void anEndBeyondAllTimeIsNoEnd() {
        String user = fresh("host");
        ProtocolClient client = connected(user + "@60@host");

        fanfare.connections().refresh(user, Instant.MAX).toCompletableFuture().join();
        fanfare.connections().of(user).toCompletableFuture().join(); // asked after it, and so answered after it
        assertNothingCame(client);
        time.advance(Duration.ofSeconds(600));

        assertNothingCame(client);
    }

    @Test
    void aSubscriptionTellsItsLifetimeIsProlongedAndEndsWhenItIsNot() {
        String channel = fresh("c");
        ProtocolClient client = connected();
        JsonNode begun = client.call("subscribe", "{'channel':'" + channel + "','token':'x@60'}");
        assertThat(begun.at("/subscribe/ttl").asInt()).isEqualTo(60);

        JsonNode prolonged = client.call("sub_refresh", "{'channel':'" + channel + "','token':'x@120'}");
        time.advance(Duration.ofSeconds(86));
        assertNothingCame(client);
        time.advance(Duration.ofSeconds(60));

        assertThat(prolonged.at("/sub_refresh/ttl").asInt()).isEqualTo(120);
        assertThat(client.push("unsubscribe").path("code").asInt()).isEqualTo(2501);
    }

    @Test
    void aSubRefreshThatFailsSaysHow() {
        String channel = fresh("c");
        ProtocolClient client = connected();
        assertThat(error(client.call("sub_refresh", "{'channel':'" + channel + "','token':'x@60'}")))
                .isEqualTo(103);
        client.call("subscribe", "{'channel':'" + channel + "','token':'x@60'}");

        assertThat(error(client.call("sub_refresh", "{'channel':'" + channel + "'}")))
                .isEqualTo(107);
        assertThat(error(client.call("sub_refresh", "{'channel':'" + channel + "','token':'x@-1'}")))
                .isEqualTo(110);
        client.begin("sub_refresh", "{'channel':''}");
        assertThat(client.closeCode()).isEqualTo(3501);
    }

    @Test
    void aSubscriptionTokenThatIsNoGoodIsRefusedAndOneOfSomebodyElseEndsTheConnection() {
        ProtocolClient client = connected();
        assertThat(error(client.call("subscribe", "{'channel':'a','token':'INVALID_TOKEN'}")))
                .isEqualTo(103);
        assertThat(error(client.call("subscribe", "{'channel':'a','token':'EXPIRED_TOKEN'}")))
                .isEqualTo(109);

        client.begin("subscribe", "{'channel':'a','token':'NOT_FOR_YOU'}");

        assertThat(client.closeCode()).isEqualTo(3500);
    }

    @Test
    void aLateAnswerToASubRefreshDoesNotTouchANewerSubscriptionOfTheChannel() {
        String channel = fresh("c");
        ProtocolClient client = connected();
        client.call("subscribe", "{'channel':'" + channel + "','token':'x@60'}");
        String token = fresh("later");
        int asked = client.begin("sub_refresh", "{'channel':'" + channel + "','token':'" + token + "'}");
        soon().until(() -> judging.containsKey(token));
        client.call("unsubscribe", "{'channel':'" + channel + "'}");
        client.call("subscribe", "{'channel':'" + channel + "','token':'x@60'}");

        judging.get(token).complete(dev.fanfare.SubscriptionAuthenticator.Granted.forever());
        client.reply(asked);
        time.advance(Duration.ofSeconds(86));

        assertThat(client.push("unsubscribe").path("code").asInt()).isEqualTo(2501);
    }

    @Test
    void refusalsAreCounted() {
        int before = count(Refusal.NOT_ALLOWED);

        int badBefore = count(Refusal.BAD_REQUEST);
        int unavailableBefore = count(Refusal.NOT_AVAILABLE);
        ProtocolClient client = connected();

        assertThat(error(client.subscribe("secret:a"))).isEqualTo(103);
        assertThat(error(client.subscribe("x".repeat(256)))).isEqualTo(107);
        assertThat(error(client.call("refresh", "{'token':'x'}"))).isEqualTo(108);

        assertThat(count(Refusal.NOT_ALLOWED)).isEqualTo(before + 1);
        assertThat(count(Refusal.BAD_REQUEST)).isEqualTo(badBefore + 1);
        assertThat(count(Refusal.NOT_AVAILABLE)).isEqualTo(unavailableBefore + 1);
    }
}
