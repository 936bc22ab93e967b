package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.RpcHandler.Reply;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.Connection.PresenceResult;
import dev.fanfare.spi.Connection.RpcResult;
import dev.fanfare.spi.Connection.SubscribeResult;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClientCommandsTest {

    private static final String NO_JSON = "data must be JSON, at most 512 levels deep";

    private static final Cursor TOP = new Cursor("e", 20, 77);

    private final EmbeddedClient client = EmbeddedClient.connected();
    private final ScriptedConnection core = client.connection();

    @AfterEach
    void close() {
        client.close();
    }

    // ---- what may be under way

    @Test
    void ofCommandsWithLargeRepliesTwoAreUnderWay() {
        client.send(
                "{\"id\":2,\"history\":{\"channel\":\"a\",\"limit\":-1}}",
                "{\"id\":3,\"presence\":{\"channel\":\"b\"}}",
                "{\"id\":4,\"subscribe\":{\"channel\":\"c\",\"recover\":true}}",
                "{\"id\":5,\"history\":{\"channel\":\"d\",\"limit\":-1}}");
        assertThat(core.calls).hasSize(2);

        core.answer(new HistoryResult.Refused(Refusal.NOT_ALLOWED));
        client.settle();

        assertThat(core.calls).hasSize(3);
        assertThat(core.calls.get(2)).startsWith("subscribe c");
    }

    // ---- subscribe

    @Test
    void subscribesFromNowOn() {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"c\",\"join_leave\":true,\"delta\":\"fossil\"}}");
        assertThat(core.calls)
                .containsExactly("subscribe c SubscribeRequest[start=NOW, wantsPresence=true, isPermitted=false, "
                        + "mustResume=false, filter=null, deltas=websocket/json with deltas]");

        core.answerFresh("e", 20);

        assertReply(
                "{\"id\":2,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e\",\"offset\":20}}");
    }

    @Test
    void givesWhatAResumedSubscriptionMissed() {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"c\",\"recover\":true,\"offset\":19,\"epoch\":\"e\"}}");
        assertThat(core.calls.get(0)).contains("start=After[cursor=v1.e.19.0]");

        core.answer(new SubscribeResult.Subscribed(
                new Resume.Continued(new Cursor("e", 19, 5)), List.of(publication(20)), TOP, true));

        assertReply("{\"id\":2,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e\",\"offset\":19,"
                + "\"was_recovering\":true,\"recovered\":true,\"publications\":[{\"data\":1,\"offset\":20}]}}");
    }

    @Test
    void resumesInAnUnknownEpoch() {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"c\",\"recover\":true}}");

        assertThat(core.calls.get(0)).contains("start=After[cursor=v1..0.0]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"_", "no epoch", "é", "0123456789012345678901234567890123456789"})
    void resumesNowhereFromWhatIsNoEpoch(String epoch) {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"c\",\"recover\":true,\"offset\":5,\"epoch\":\"" + epoch
                + "\"}}");

        assertThat(core.calls.get(0)).contains("start=After[cursor=v1." + "0".repeat(32) + ".5.0]");
    }

    @Test
    void saysThatASubscriptionCouldNotBeResumed() {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"c\",\"recover\":true,\"offset\":19,\"epoch\":\"e\"}}");

        core.answer(reset());

        assertReply("{\"id\":2,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e\",\"offset\":20,"
                + "\"was_recovering\":true}}");
    }

    @Test
    void repliesWithAnErrorInsteadIfTheClientWantsThat() {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"c\",\"recover\":true,\"offset\":19,\"flag\":3}}");

        assertThat(core.calls).last().asString().contains("mustResume=true");

        core.answer(new SubscribeResult.Refused(Refusal.UNRECOVERABLE));

        assertError(2, 112, "unrecoverable position");
    }

    @Test
    void promisesNoPositionWhereNothingIsRetained() {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"c\"}}");

        core.answerFresh("", 0);

        assertReply("{\"id\":2,\"subscribe\":{}}");
    }

    @ParameterizedTest
    @CsvSource({
        "NOT_ALLOWED,103",
        "UNKNOWN_NAMESPACE,102",
        "BAD_REQUEST,107",
        "NOT_AVAILABLE,108",
        "ALREADY_SUBSCRIBED,105",
        "LIMIT_EXCEEDED,106",
        "TOO_LARGE,107",
        "DEDUP_CONFLICT,107",
        "TOO_MANY_REQUESTS,111",
        "CLOSED,100",
        "UNAVAILABLE,100"
    })
    void repliesToRefusalsWithTheirCode(Refusal refusal, int code) {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"c\"}}");

        core.answer(new SubscribeResult.Refused(refusal));

        assertThat(client.texts()).singleElement().asString().contains("{\"id\":2,\"error\":{\"code\":" + code + ",");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"channel\":\"c\",\"type\":1 | 108 | not available",
                "\"channel\":\"c\",\"type\":4 | 108 | not available",
                "\"channel\":\"c\",\"tf\":{} | 107 | bad request",
                "\"channel\":\"c\\u0000\" | 107 | bad request: channel must have 1 to 255 characters, none of them a control character"
            })
    void repliesWithAnErrorToWhatItDoesNotOffer(String subscribe, int code, String message) {
        client.send("{\"id\":2,\"subscribe\":{" + subscribe + "}}");

        assertError(2, code, message);
        assertThat(core.calls).isEmpty();
    }

    @Test
    void repliesWithAnErrorToANameThatIsTooLong() {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"" + "c".repeat(256) + "\"}}");

        assertError(2, 107, "bad request: channel must have 1 to 255 characters, none of them a control character");
    }

    /** SDKs give the whole connection up after 5 s. */
    @Test
    void givesASubscribeUpThatTheCoreDoesNotAnswer() {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"c\"}}");
        client.pass(Duration.ofMillis(2_900));
        assertThat(core.calls).hasSize(1);

        client.pass(Duration.ofMillis(1_900));
        assertThat(core.calls).last().isEqualTo("unsubscribe c");
        core.answer(new SubscribeResult.Refused(Refusal.CLOSED));

        assertThat(client.texts())
                .singleElement()
                .asString()
                .contains("\"code\":100")
                .contains("\"temporary\":true");
    }

    @Test
    void refusesWithItWhatWaitsToBeSubscribedToAndNothingElse() {
        client.send(
                "{\"id\":2,\"subscribe\":{\"channel\":\"a\",\"recover\":true}}",
                "{\"id\":3,\"subscribe\":{\"channel\":\"b\",\"recover\":true}}",
                "{\"id\":4,\"subscribe\":{\"channel\":\"c\",\"recover\":true}}",
                "{\"id\":5,\"rpc\":{\"method\":\"m\"}}");
        assertThat(core.calls).hasSize(2);

        client.pass(Duration.ofMillis(4_800));
        assertThat(client.texts()).singleElement().asString().startsWith("{\"id\":4,\"error\":{\"code\":100,");
        core.answer(new SubscribeResult.Refused(Refusal.CLOSED));

        assertThat(core.calls).contains("unsubscribe a", "unsubscribe b").last().isEqualTo("rpc m ");
    }

    @Test
    void countsTheTimeThatASubscribeWaitedToBeBegun() {
        client.send(
                "{\"id\":2,\"subscribe\":{\"channel\":\"a\",\"recover\":true}}",
                "{\"id\":3,\"subscribe\":{\"channel\":\"b\",\"recover\":true}}",
                "{\"id\":4,\"subscribe\":{\"channel\":\"c\",\"recover\":true}}");
        client.pass(Duration.ofSeconds(2));
        core.answer(new SubscribeResult.Refused(Refusal.UNAVAILABLE));
        assertThat(core.calls).last().asString().startsWith("subscribe c");

        client.pass(Duration.ofMillis(2_800));

        assertThat(core.calls).contains("unsubscribe c");
    }

    @Test
    void refusesNothingThatCameLaterForOneThatIsLate() {
        client.send(
                "{\"id\":2,\"subscribe\":{\"channel\":\"a\",\"recover\":true}}",
                "{\"id\":3,\"subscribe\":{\"channel\":\"b\",\"recover\":true}}");
        client.pass(Duration.ofMillis(2_500));
        client.send("{\"id\":4,\"subscribe\":{\"channel\":\"c\",\"recover\":true}}");

        client.pass(Duration.ofSeconds(2));
        assertThat(core.calls).contains("unsubscribe a", "unsubscribe b");
        assertThat(client.texts()).isEmpty();

        client.pass(Duration.ofMillis(2_800));
        assertThat(client.texts()).singleElement().asString().startsWith("{\"id\":4,\"error\":{\"code\":100,");
    }

    @Test
    void waitsNoMoreForASubscribeThatIsAnswered() {
        client.send("{\"id\":2,\"subscribe\":{\"channel\":\"c\"}}");
        core.answerFresh("e", 20);
        client.texts();

        client.pass(Duration.ofSeconds(10));

        assertThat(core.calls).hasSize(1);
    }

    @Test
    void unsubscribesAlsoFromWhatThereIsNot() {
        client.send("{\"id\":2,\"unsubscribe\":{\"channel\":\"c\"}}");

        assertThat(core.calls).containsExactly("unsubscribe c");
        assertReply("{\"id\":2,\"unsubscribe\":{}}");
    }

    // ---- publish, history, presence

    @Test
    void publishes() {
        client.send("{\"id\":2,\"publish\":{\"channel\":\"c\",\"data\":{\"t\": 2},\"key\":\"k\"}}");
        assertThat(core.calls).containsExactly("publish c {\"t\": 2} k");

        core.answer(new PublishResult.Stored(TOP));

        assertReply("{\"id\":2,\"publish\":{}}");
    }

    @Test
    void saysThatAPublishWasRefused() {
        client.send("{\"id\":2,\"publish\":{\"channel\":\"c\",\"data\":1}}");

        core.answer(new PublishResult.Refused(Refusal.DEDUP_CONFLICT));

        assertError(2, 107, "bad request");
    }

    @Test
    void saysHowLargeAPublicationMayBe() {
        client.send("{\"id\":2,\"publish\":{\"channel\":\"c\",\"data\":1}}");

        core.answer(new PublishResult.Refused(Refusal.TOO_LARGE));

        assertError(2, 107, "bad request: message too large: at most 65536 bytes");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"data\":1,\"type\":1 | 108 | not available",
                "\"data\":1,\"removed\":true | 108 | not available",
                "\"data\":1,\"key\":\"a\\nb\" | 107 | bad request",
                "\"key\":\"a\" | 107 | bad request: " + NO_JSON
            })
    void publishesNothingOtherThanData(String publish, int code, String message) {
        client.send("{\"id\":2,\"publish\":{\"channel\":\"c\"," + publish + "}}");

        assertError(2, code, message);
        assertThat(core.calls).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"limit\":0 | since=null, limit=0, isReverse=false",
                "\"limit\":7 | since=null, limit=7, isReverse=false",
                "\"limit\":301 | since=null, limit=300, isReverse=false",
                "\"limit\":-1 | since=null, limit=300, isReverse=false",
                "\"limit\":1,\"reverse\":true | since=null, limit=1, isReverse=true",
                "\"limit\":1,\"since\":{\"offset\":3,\"epoch\":\"e\"} | since=v1.e.3.0, limit=1, isReverse=false",
                "\"limit\":1,\"since\":{},\"reverse\":false | since=v1..0.0, limit=1, isReverse=false"
            })
    void readsHistory(String history, String query) {
        client.send("{\"id\":2,\"history\":{\"channel\":\"c\"," + history + "}}");

        assertThat(core.calls)
                .containsExactly("history c HistoryQuery[" + query + "] " + ClientCommands.MAX_PAGE_BYTES);
        core.answer(new HistoryResult.Page(List.of(publication(20)), TOP));
        assertReply(
                "{\"id\":2,\"history\":{\"publications\":[{\"data\":1,\"offset\":20}],\"epoch\":\"e\",\"offset\":20}}");
    }

    @Test
    void cutsAPageThatIsTooLargeForOneReply() {
        client.send("{\"id\":2,\"history\":{\"channel\":\"c\",\"limit\":300}}");

        core.answer(new HistoryResult.Page(Collections.nCopies(300, large(64 * 1024)), TOP));

        String reply = client.texts().get(0);
        assertThat(reply.split("\"data\"", -1)).hasSize(1 + ClientCommands.MAX_PAGE_BYTES / (64 * 1024));
        assertThat(reply).endsWith("],\"epoch\":\"e\",\"offset\":20}}");
    }

    @Test
    void givesOnePublicationHoweverLargeItIs() {
        client.send("{\"id\":2,\"history\":{\"channel\":\"c\",\"limit\":300}}");

        core.answer(new HistoryResult.Page(Collections.nCopies(3, large(ClientCommands.MAX_PAGE_BYTES + 1)), TOP));

        assertThat(client.texts().get(0).split("\"data\"", -1)).hasSize(2);
    }

    private static Publication large(int bytes) {
        return Publication.builder(Payload.of("\"" + "x".repeat(bytes - 2) + "\""))
                .position("e", 20, 77, 76)
                .build();
    }

    @Test
    void readsNothingBeforeTheBeginning() {
        client.send("{\"id\":2,\"history\":{\"channel\":\"c\",\"reverse\":true,\"since\":{\"epoch\":\"e\"}}}");

        assertError(2, 107, "bad request");
    }

    @Test
    void saysThatAPositionIsOfAnotherLife() {
        client.send("{\"id\":2,\"history\":{\"channel\":\"c\",\"since\":{\"offset\":1,\"epoch\":\"x\"}}}");

        core.answer(new HistoryResult.Unrecoverable(ResetReason.EPOCH, TOP));

        assertError(2, 112, "unrecoverable position");
    }

    @Test
    void tellsWhoIsThere() {
        client.send("{\"id\":2,\"presence\":{\"channel\":\"c\"}}", "{\"id\":3,\"presence_stats\":{\"channel\":\"c\"}}");
        PresenceSnapshot snapshot = new PresenceSnapshot(List.of(new Member("ann", "x", null)), 3, 2);

        core.answer(new PresenceResult.Present(snapshot));
        core.answer(new PresenceResult.Present(snapshot));

        assertThat(client.texts())
                .containsExactly(
                        "{\"id\":2,\"presence\":{\"presence\":{\"x\":{\"user\":\"ann\",\"client\":\"x\"}}}}",
                        "{\"id\":3,\"presence_stats\":{\"num_clients\":3,\"num_users\":2}}");
    }

    @Test
    void doesNotTellWhoIsThereIfItMayNot() {
        client.send("{\"id\":2,\"presence\":{\"channel\":\"c\"}}");

        core.answer(new PresenceResult.Refused(Refusal.NOT_ALLOWED));

        assertError(2, 103, "permission denied");
    }

    // ---- calls and messages

    @Test
    void callsTheHost() {
        client.send("{\"id\":2,\"rpc\":{\"method\":\"m\",\"data\":[1]}}");
        assertThat(core.calls).containsExactly("rpc m [1]");

        core.answer(new RpcResult.Answered(new Reply.Ok(Payload.of("{\"a\":\n2}"))));

        assertReply("{\"id\":2,\"rpc\":{\"data\":{\"a\":2}}}");
    }

    @Test
    void saysWhyACallFailed() {
        client.send("{\"id\":2,\"rpc\":{}}", "{\"id\":3,\"rpc\":{}}", "{\"id\":4,\"rpc\":{}}");

        core.answer(new RpcResult.Answered(new Reply.Failed(1000, "out of stock")));
        core.answer(new RpcResult.Answered(Reply.Unknown.METHOD));
        core.answer(new RpcResult.Refused(Refusal.NOT_AVAILABLE));

        assertThat(client.texts())
                .containsExactly(
                        "{\"id\":2,\"error\":{\"code\":1000,\"message\":\"out of stock\"}}",
                        "{\"id\":3,\"error\":{\"code\":104,\"message\":\"method not found\"}}",
                        "{\"id\":4,\"error\":{\"code\":108,\"message\":\"not available\"}}");
    }

    @Test
    void disconnectsAClientThatCannotBeSentTheAnswer() {
        client.send("{\"id\":2,\"rpc\":{}}");

        core.answer(new RpcResult.Answered(new Reply.Ok(Payload.of("not JSON"))));

        client.assertClosed(3506);
    }

    @Test
    void handsMessagesOnWithoutReply() {
        client.send("{\"id\":5,\"send\":{\"data\":{\"a\":1}}}", "{\"send\":{\"data\":2}}");

        assertThat(core.calls).containsExactly("message {\"a\":1}", "message 2");
        assertThat(client.texts()).isEmpty();
    }

    @Test
    void disconnectsAClientThatSendsWhereNobodyListens() {
        core.takesMessages = false;

        client.send("{\"send\":{\"data\":2}}");

        client.assertClosed(3508);
    }

    @Test
    void aConnectionWithoutAnEndIsNotRefreshed() {
        client.send("{\"id\":2,\"refresh\":{}}");

        assertError(2, 108, "not available");
    }

    @Test
    void prolongingASubscriptionNeedsAChannel() {
        client.send("{\"id\":2,\"sub_refresh\":{\"token\":\"t\"}}");

        client.assertClosed(3501);
    }

    // ---- the rules

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"id\":2,\"subscribe\":{}}",
                "{\"id\":2,\"subscribe\":{\"channel\":\"c\",\"delta\":\"vcdiff\"}}",
                "{\"id\":2,\"unsubscribe\":{}}",
                "{\"id\":2,\"publish\":{\"data\":1}}",
                "{\"id\":2,\"history\":{}}",
                "{\"id\":2,\"presence\":{}}",
                "{\"id\":2,\"presence_stats\":{}}",
                "{\"id\":2,\"ping\":{}}",
                "{\"id\":2}",
                "{}",
                "{\"rpc\":{}}",
                "nonsense"
            })
    void disconnectsForWhatTheProtocolForbids(String command) {
        client.send(command);

        client.assertClosed(3501);
        client.settle();
        assertThat(core.ends).containsExactly(DisconnectReason.BAD_REQUEST);
    }

    @Test
    void doesNothingOfAFrameThatHoldsGarbage() {
        client.send("{\"id\":2,\"rpc\":{\"method\":\"m\"}}", "garbage");

        assertThat(core.calls).isEmpty();
        client.assertClosed(3501);
    }

    @Test
    void writesNothingAfterTheEnd() {
        client.send("{\"id\":2,\"rpc\":{}}", "{\"id\":3,\"rpc\":{}}");
        client.send("{}");
        client.assertClosed(3501);

        core.answer(new RpcResult.Answered(new Reply.Ok(Payload.of("1"))));
        core.push("c", publication(1));
        client.send("{\"id\":4,\"rpc\":{}}");

        assertThat(client.frames()).isEmpty();
        assertThat(core.calls).hasSize(2);
        assertThat(core.outlet.isWritable()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(value = DisconnectReason.class, mode = EnumSource.Mode.EXCLUDE, names = "BY_CLIENT")
    void alwaysSaysWhyItCloses(DisconnectReason reason) {
        core.outlet.disconnect(reason);

        client.assertClosed(reason.code());
        assertThat(core.ends).containsExactly(reason);
    }

    // ---- what the core tells

    @Test
    void pushesPublications() {
        core.push("c", publication(20));

        assertReply("{\"push\":{\"channel\":\"c\",\"pub\":{\"data\":1,\"offset\":20}}}");
    }

    @Test
    void letsAClientSubscribeAgainWhoseRunIsBroken() {
        boolean goesOn = core.outlet.reset(ChannelId.of("c"), new Resume.Reset(ResetReason.TRIMMED, TOP));

        assertThat(goesOn).isFalse();
        assertReply("{\"push\":{\"channel\":\"c\",\"unsubscribe\":{\"code\":2500,\"reason\":\"insufficient state\"}}}");
    }

    @Test
    void tellsWhatTheHostEnded() {
        core.outlet.ended(ChannelId.of("c"), UnsubscribeReason.BY_HOST);
        core.outlet.flush();

        assertReply("{\"push\":{\"channel\":\"c\",\"unsubscribe\":{\"code\":2000,\"reason\":\"server unsubscribe\"}}}");
    }

    @Test
    void tellsWhatWasLeftOutBeforeWhatFollowsInOneTurn() {
        Publication next = publication(6);

        core.outlet.skipped(ChannelId.of("c"), 5, 0);
        core.outlet.skipped(ChannelId.of("c"), 0, 2);
        core.push("c", next);

        assertThat(client.texts())
                .containsExactly(
                        "{\"push\":{\"message\":{\"data\":{\"skipped\":{\"channel\":\"c\",\"count\":5}}}}}",
                        "{\"push\":{\"message\":{\"data\":{\"skipped\":{\"channel\":\"c\",\"count\":0,\"presence\":2}}}}}",
                        "{\"push\":{\"channel\":\"c\",\"pub\":{\"data\":1,\"offset\":6}}}");
    }

    private static SubscribeResult reset() {
        return new SubscribeResult.Subscribed(new Resume.Reset(ResetReason.TRIMMED, TOP), List.of(), TOP, true);
    }

    private static Publication publication(long offset) {
        return Publication.builder(Payload.of("1"))
                .position("e", offset, offset, offset - 1)
                .build();
    }

    private void assertReply(String reply) {
        assertThat(client.texts()).containsExactly(reply);
    }

    private void assertError(int id, int code, String message) {
        assertReply("{\"id\":" + id + ",\"error\":{\"code\":" + code + ",\"message\":\"" + message + "\"}}");
    }
}
