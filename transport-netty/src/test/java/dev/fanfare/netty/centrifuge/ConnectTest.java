package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authenticator;
import dev.fanfare.Authenticator.Accepted;
import dev.fanfare.Authenticator.Answer;
import dev.fanfare.Authenticator.Rejected;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.netty.connection.TransportSettings;
import dev.fanfare.spi.Connection.SubscribeResult;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConnectTest {

    private static final Duration HANDSHAKE = Duration.ofSeconds(12);
    private static final Payload ONE = Payload.of("1");

    private CompletableFuture<Answer> answer = new CompletableFuture<>();
    private Authenticator.Credentials shown;
    private EmbeddedClient client = EmbeddedClient.open(
            credentials -> {
                shown = credentials;
                return answer;
            },
            "");

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void showsTheAuthenticatorWhatTheClientSaid() {
        client.send("{\"id\":1,\"connect\":{\"token\":\"secret\",\"data\":{\"a\":1}}}");

        assertThat(shown.token()).isEqualTo("secret");
        assertThat(shown.data()).isEqualTo(Payload.of("{\"a\":1}"));
        assertThat(shown.headers()).containsEntry("x-test", "y");
        assertThat(shown.query()).containsEntry("q", "1");
        assertThat(shown.transport()).isEqualTo("websocket/json");
    }

    /** What a client calls headers may not be taken for what a proxy adds. */
    @Test
    void showsItCookiesButNotTheHeadersOfTheConnectCommand() {
        client.close();
        client = EmbeddedClient.http(
                credentials -> {
                    shown = credentials;
                    return answer;
                },
                TransportSettings.defaults());
        client.request(EmbeddedClient.handshake("/connection/websocket", "Cookie: session=abc"));

        client.send("{\"id\":1,\"connect\":{\"headers\":{\"x-user\":\"admin\",\"cookie\":\"session=forged\"}}}");

        assertThat(shown.headers()).containsEntry("cookie", "session=abc").doesNotContainKey("x-user");
    }

    @Test
    void repliesWhenTheAuthenticatorHasAccepted() {
        client.send("{\"id\":7,\"connect\":{}}");
        assertThat(client.texts()).isEmpty();

        accept(Accepted.user("ann").withInfo(Payload.of("{}")).withData(Payload.of("[1]")));

        assertThat(client.texts())
                .containsExactly(
                        "{\"id\":7,\"connect\":{\"client\":\"client-1\",\"version\":\"Fanfare\",\"data\":[1],\"ping\":25,\"pong\":true}}");
        assertThat(client.connection().info().user()).isEqualTo("ann");
        assertThat(client.connection().info().info()).isEqualTo(Payload.of("{}"));
        assertThat(client.connection().info().transport()).isEqualTo("websocket/json");
    }

    @Test
    void holdsWhatComesWhileTheAuthenticatorThinks() {
        client.send("{\"id\":1,\"connect\":{}}", "{\"id\":2,\"rpc\":{\"method\":\"a\"}}");
        client.send("{\"id\":3,\"rpc\":{\"method\":\"b\"}}");

        accept(Accepted.user(""));

        assertThat(client.connection().calls).containsExactly("rpc a ", "rpc b ");
    }

    @Test
    void readsNoMoreWhenTooMuchIsHeld() {
        client.send("{\"id\":1,\"connect\":{}}");
        for (int i = 0; i < 257; i++) {
            client.send("{\"send\":{\"data\":" + i + "}}");
        }
        assertThat(client.channel.config().isAutoRead()).isFalse();

        accept(Accepted.user(""));

        assertThat(client.connection().calls).hasSize(257).startsWith("message 0", "message 1");
        assertThat(client.channel.config().isAutoRead()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"INVALID_TOKEN,3500", "DENIED,3507"})
    void closesForRejectionsThatAreFinal(Rejected rejected, int code) {
        client.send("{\"id\":1,\"connect\":{}}");

        accept(rejected);

        client.assertClosed(code);
        assertThat(client.gateway.connections).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"EXPIRED_TOKEN,109,token expired", "UNAUTHORIZED,101,unauthorized"})
    void repliesWithAnErrorWhereTheClientMayHelpItself(Rejected rejected, int code, String message) {
        client.send("{\"id\":1,\"connect\":{}}", "{\"id\":2,\"rpc\":{}}");

        accept(rejected);

        assertThat(client.texts())
                .containsExactly("{\"id\":1,\"error\":{\"code\":" + code + ",\"message\":\"" + message + "\"}}");
        client.pass(HANDSHAKE);
        client.assertClosed(3502);
    }

    @Test
    void isUnusableAfterAnError() {
        client.send("{\"id\":1,\"connect\":{}}");
        accept(Rejected.UNAUTHORIZED);
        client.frames();

        client.send("{\"id\":2,\"connect\":{}}");

        client.assertClosed(3501);
    }

    @ParameterizedTest
    @ValueSource(strings = {"throws", "fails", "nothing", "null", "late", "no thread"})
    void failsClosedWithAnAuthenticator(String kind) {
        client.close();
        client = EmbeddedClient.open(credentials -> broken(kind), "");
        client.gateway.isHostPaused = kind.equals("no thread");
        client.send("{\"id\":1,\"connect\":{}}");

        client.pass(kind.equals("late") || kind.equals("no thread") ? HANDSHAKE : Duration.ZERO);

        assertThat(client.texts())
                .containsExactly("{\"id\":1,\"error\":{\"code\":100,\"message\":\"internal server error\","
                        + "\"temporary\":true}}");
        client.gateway.runHost();
        client.settle();
        assertThat(client.gateway.connections).isEmpty();
        client.pass(HANDSHAKE);
        client.assertClosed(3502);
    }

    private static CompletableFuture<Answer> broken(String kind) {
        return switch (kind) {
            case "throws" -> throw new IllegalStateException("authenticator is broken");
            case "fails" -> CompletableFuture.failedFuture(new IllegalStateException("no database"));
            case "nothing" -> CompletableFuture.completedFuture(null);
            case "null" -> null;
            case "late" -> new CompletableFuture<>();
            default -> CompletableFuture.completedFuture(Accepted.user(""));
        };
    }

    @Test
    void ignoresAnAnswerThatComesTooLate() {
        client.send("{\"id\":1,\"connect\":{}}");
        client.pass(HANDSHAKE);
        client.frames();

        accept(Accepted.user(""));

        assertThat(client.gateway.connections).isEmpty();
        assertThat(client.texts()).isEmpty();
    }

    @Test
    void ignoresAnAnswerAboutAClientThatIsGone() {
        client.send("{\"id\":1,\"connect\":{}}");
        client.channel.close();

        accept(Accepted.user(""));

        assertThat(client.gateway.connections).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"id\":1,\"subscribe\":{\"channel\":\"a\"}}",
                "{\"send\":{\"data\":1}}",
                "{\"connect\":{}}",
                "garbage",
                ""
            })
    void acceptsNothingBeforeConnect(String first) {
        client.send(first);

        client.assertClosed(3501);
    }

    @Test
    void refusesASecondConnect() {
        client.send("{\"id\":1,\"connect\":{}}");
        accept(Accepted.user(""));
        client.frames();

        client.send("{\"id\":2,\"connect\":{}}");

        client.assertClosed(3501);
        assertThat(client.connection().ends).containsExactly(DisconnectReason.BAD_REQUEST);
    }

    @Test
    void closesClientsThatDoNotConnectInTime() {
        client.pass(Duration.ofMillis(9_900));
        assertThat(client.frames()).isEmpty();

        client.pass(Duration.ofSeconds(2));

        client.assertClosed(3502);
    }

    // ---- subscriptions of the server

    @Test
    void subscribesBeforeItReplies() {
        connectWithChannels(
                "{\"id\":1,\"connect\":{\"subs\":{\"b\":{\"recover\":true,\"offset\":3,\"epoch\":\"e\"}}}}");

        assertThat(client.connection().calls)
                .containsExactly(
                        "subscribe a SubscribeRequest[start=NOW, wantsPresence=false, isPermitted=true, "
                                + "mustResume=false, filter=null, deltas=null]",
                        "subscribe b SubscribeRequest[start=After[cursor=v1.e.3.0], wantsPresence=false, "
                                + "isPermitted=true, mustResume=false, filter=null, deltas=null]");
        client.connection().answerFresh("x", 5);
        assertThat(client.texts()).isEmpty();
        Cursor position = new Cursor("e", 4, 9);
        client.connection()
                .answer(new SubscribeResult.Subscribed(
                        new Resume.Continued(Cursor.of("e", 3)), List.of(publication(4)), position, true));

        assertThat(client.texts())
                .containsExactly("{\"id\":1,\"connect\":{\"client\":\"client-1\",\"version\":\"Fanfare\",\"subs\":{"
                        + "\"a\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"x\",\"offset\":5},"
                        + "\"b\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e\",\"offset\":3,"
                        + "\"was_recovering\":true,\"recovered\":true,"
                        + "\"publications\":[{\"data\":1,\"offset\":4}]}},\"ping\":25,\"pong\":true}}");
    }

    @Test
    void pushesNothingBeforeTheReply() {
        connectWithChannels("{\"id\":1,\"connect\":{}}");
        client.connection().answerFresh("x", 5);

        client.connection().push("a", publication(6));
        assertThat(client.texts()).isEmpty();
        client.connection().answerFresh("", 0);

        assertThat(client.texts())
                .satisfiesExactly(
                        reply -> assertThat(reply).contains("\"connect\""),
                        push -> assertThat(push).contains("\"push\"").contains("\"offset\":6"));
    }

    @Test
    void tellsAfterTheReplyWhatTheHostEndedBeforeIt() {
        connectWithChannels("{\"id\":1,\"connect\":{}}");
        client.connection().answerFresh("x", 5);

        client.connection().outlet.ended(ChannelId.of("a"), UnsubscribeReason.BY_HOST);
        assertThat(client.texts()).isEmpty();
        client.connection().answerFresh("", 0);

        assertThat(client.texts())
                .satisfiesExactly(
                        reply -> assertThat(reply).contains("\"connect\""),
                        push -> assertThat(push).contains("\"unsubscribe\":{\"code\":2000"));
    }

    @Test
    void takesOnlySoManyBytesBeforeTheReply() {
        connectWithChannels("{\"id\":1,\"connect\":{}}");
        client.connection().answerFresh("x", 0);
        Publication large = Publication.builder(Payload.of("\"" + "x".repeat(40_000) + "\""))
                .position("x", 1, 1, 0)
                .build();
        client.connection().push("a", large);
        assertThat(client.connection().outlet.isWritable()).isTrue();

        client.connection().push("a", large);

        assertThat(client.connection().outlet.isWritable()).isFalse();
        client.connection().answerFresh("", 0);
        assertThat(client.texts()).hasSize(3);
        assertThat(client.connection().outlet.isWritable()).isTrue();
    }

    @Test
    void takesOnlySoManyPushesBeforeTheReply() {
        connectWithChannels("{\"id\":1,\"connect\":{}}");
        client.connection().answerFresh("x", 0);
        for (int i = 1; i <= 256; i++) {
            assertThat(client.connection().outlet.isWritable()).isTrue();
            client.connection().push("a", publication(i));
        }
        assertThat(client.connection().outlet.isWritable()).isFalse();

        client.connection().answerFresh("", 0);

        assertThat(client.texts()).hasSize(257);
        assertThat(client.connection().outlet.isWritable()).isTrue();
        assertThat(client.connection().writableCalls).isEqualTo(1);
    }

    @Test
    void forgetsPushesOfAClientThatLeavesBeforeTheReply() {
        connectWithChannels("{\"id\":1,\"connect\":{}}");
        client.connection().answerFresh("x", 0);
        client.connection().push("a", publication(1));

        client.channel.close();
        client.settle();

        assertThat(client.connection().ends).containsExactly(DisconnectReason.BY_CLIENT);
        client.connection().answerFresh("", 0);
        assertThat(client.texts()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"LIMIT_EXCEEDED,3505", "UNAVAILABLE,3004", "UNKNOWN_NAMESPACE,3004"})
    void closesIfItCannotSubscribe(Refusal refusal, int code) {
        connectWithChannels("{\"id\":1,\"connect\":{}}");
        client.connection().answerFresh("x", 0);
        client.connection().push("a", publication(1));

        client.connection().answer(new SubscribeResult.Refused(refusal));

        client.assertClosed(code);
        assertThat(client.connection().ends).hasSize(1);
    }

    @Test
    void disconnectsAClientWhoseServerSideRunIsBroken() {
        connectWithChannels("{\"id\":1,\"connect\":{}}");
        client.connection().answerFresh("x", 0);
        client.connection().answerFresh("x", 0);

        boolean goesOn = client.connection()
                .outlet
                .reset(ChannelId.of("b"), new Resume.Reset(ResetReason.TRIMMED, Cursor.of("x", 9)));

        assertThat(goesOn).isFalse();
        client.assertClosed(3010);
    }

    @Test
    void treatsAServerSideChannelLikeOthersOnceItWasGivenUp() {
        connectWithChannels("{\"id\":1,\"connect\":{}}");
        client.connection().answerFresh("x", 0);
        client.connection().answerFresh("x", 0);
        client.send("{\"id\":2,\"unsubscribe\":{\"channel\":\"b\"}}");
        client.frames();

        boolean goesOn = client.connection()
                .outlet
                .reset(ChannelId.of("b"), new Resume.Reset(ResetReason.TRIMMED, Cursor.of("x", 9)));

        assertThat(goesOn).isFalse();
        assertThat(client.texts()).singleElement().asString().contains("2500");
    }

    private void connectWithChannels(String connect) {
        client.send(connect);
        accept(Accepted.user("").withChannels(List.of(ChannelId.of("a"), ChannelId.of("b"), ChannelId.of("a"))));
    }

    private void accept(Answer given) {
        answer.complete(given);
        client.settle();
    }

    private static Publication publication(long offset) {
        return Publication.builder(ONE)
                .position("x", offset, offset, offset - 1)
                .build();
    }
}
