package dev.fanfare.netty.sse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Action;
import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Resume;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.netty.RawClient;
import dev.fanfare.netty.RawClient.Answer;
import dev.fanfare.netty.connection.ErrorCode;
import java.net.URLEncoder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventStreamTest {

    private final AtomicInteger catchUps = new AtomicInteger();
    private final Set<String> subscribed = ConcurrentHashMap.newKeySet();
    private final CompletableFuture<Boolean> slow = new CompletableFuture<>();
    private final Fanfare fanfare = Fanfare.builder()
            .namespace("chat", rules -> rules.retain(10, Duration.ofHours(1)).presence())
            .namespace("plain", rules -> rules)
            .namespace("log", rules -> rules.retain(2000, Duration.ofHours(1)))
            .authorizer(new Judge())
            .listener(new Observer())
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .port(0)
            .host("127.0.0.1")
            .eventLoopThreads(2)
            .allowedOrigins("https://app.example")
            .authenticator(EventStreamTest::authenticate)
            .start();
    private final List<RawClient> clients = new ArrayList<>();

    private final class Judge implements Authorizer {
        @Override
        public boolean allows(String user, Action action, ChannelId channel) {
            return !channel.value().contains("secret");
        }

        @Override
        public CompletionStage<Boolean> allowsLater(String user, Action action, ChannelId channel) {
            return channel.value().contains("slow") ? slow : Authorizer.super.allowsLater(user, action, channel);
        }
    }

    private final class Observer implements FanfareListener {
        @Override
        public void onCatchUp(ChannelId channel) {
            catchUps.incrementAndGet();
        }

        @Override
        public void onSubscribe(ConnectionInfo connection, ChannelId channel, Resume resume) {
            subscribed.add(channel.value());
        }
    }

    private static CompletableFuture<Authenticator.Answer> authenticate(Authenticator.Credentials credentials) {
        return CompletableFuture.completedFuture(
                switch (credentials.token()) {
                    case "bad" -> Authenticator.Rejected.INVALID_TOKEN;
                    case "old" -> Authenticator.Rejected.EXPIRED_TOKEN;
                    case "who" -> Authenticator.Rejected.UNAUTHORIZED;
                    case "no" -> Authenticator.Rejected.DENIED;
                    case "broken" -> throw new IllegalStateException("a secret");
                    case "member" ->
                        Authenticator.Accepted.user("ada")
                                .withData(Payload.of("{\"hello\":1}"))
                                .withChannels(List.of(ChannelId.of("chat:secret")));
                    default -> Authenticator.Accepted.user(credentials.token());
                });
    }

    @AfterEach
    void end() {
        clients.forEach(RawClient::close);
        transport.close();
        fanfare.close();
    }

    private RawClient client() {
        RawClient client = RawClient.connect(transport.port());
        clients.add(client);
        return client;
    }

    /** Opens a stream and reads its head and its first block. */
    @CanIgnoreReturnValue
    private RawClient stream(String query, String... headers) {
        RawClient client = client();
        Answer head = open(client, query, headers);
        assertThat(head.status).isEqualTo(200);
        client.block();
        return client;
    }

    @CanIgnoreReturnValue
    private static Answer open(RawClient client, String query, String... headers) {
        client.send(RawClient.head("GET", "/sse?" + query, "", headers));
        return client.receiveHead();
    }

    @CanIgnoreReturnValue
    private Answer refused(String query, String... headers) {
        return client().get("/sse?" + query, headers);
    }

    @CanIgnoreReturnValue
    private Cursor publish(String channel, String data, PublishOptions options) {
        try {
            PublishResult result = fanfare.publish(channel, data, options)
                    .toCompletableFuture()
                    .get(5, TimeUnit.SECONDS);
            return result.position().orElse(null);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @CanIgnoreReturnValue
    private Cursor publish(String channel, String data) {
        return publish(channel, data, PublishOptions.none());
    }

    // ---- framing

    @Test
    void streamBeginsWithHeadersAndHowToComeBack() {
        Cursor before = publish("chat:a", "0");
        RawClient client = client();

        Answer head = open(client, "channel=chat:a");
        List<String> first = client.block();

        assertThat(head.status).isEqualTo(200);
        assertThat(head.headers)
                .containsEntry("content-type", "text/event-stream; charset=utf-8")
                .containsEntry("cache-control", "no-store")
                .containsEntry("x-accel-buffering", "no")
                .doesNotContainKey("content-length")
                .doesNotContainKey("access-control-allow-origin");
        assertThat(first).hasSize(3);
        assertThat(first.get(0)).isEqualTo(":");
        assertThat(Integer.parseInt(first.get(1).substring("retry: ".length()))).isBetween(1000, 3000);
        assertThat(first.get(2)).isEqualTo("id: " + before);
    }

    @Test
    void eventOfOneChannelIsTheDataAsItIs() {
        RawClient client = stream("channel=chat:a");

        Cursor first = publish("chat:a", "{\"text\": \"grüße\"}");
        Cursor second = publish("chat:a", "{}", PublishOptions.none().withEventType("moved"));

        assertThat(client.block()).containsExactly("id: " + first, "data: {\"text\": \"grüße\"}");
        assertThat(client.block()).containsExactly("id: " + second, "event: moved", "data: {}");
    }

    @Test
    void channelWithoutRetentionHasNoIds() {
        RawClient client = stream("channel=plain:a");

        publish("plain:a", "hello");

        assertThat(client.block()).containsExactly("data: hello");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "one\\ntwo|one;two",
                "one\\r\\ntwo\\rthree|one;two;three",
                "\\n|;",
                "|''",
                "a\\n\\nid: 9\\n\\nevent: reset|a;;id: 9;;event: reset",
                "\\r\\r|;;"
            })
    void lineBreaksNeverEndAnEvent(String escaped, String lines) {
        RawClient client = stream("channel=plain:a");
        String data = escaped == null ? "" : escaped.replace("\\n", "\n").replace("\\r", "\r");

        publish("plain:a", data);
        publish("plain:a", "next");

        List<String> expected = new ArrayList<>();
        for (String line : lines.split(";", -1)) {
            expected.add("data: " + line);
        }
        assertThat(client.block()).isEqualTo(expected);
        assertThat(client.block()).containsExactly("data: next");
    }

    @Test
    void bytesThatAreNoTextDoNotBreakTheStream() {
        RawClient plain = stream("channel=plain:a");
        RawClient wrapped = stream("channel=plain:a&envelope=true");
        byte[] bytes = {(byte) 0xff, 0, (byte) 0xc3, '\n', (byte) 0xe2, (byte) 0x82};

        fanfare.publish(ChannelId.of("plain:a"), Payload.of(bytes), PublishOptions.none())
                .toCompletableFuture()
                .join();
        publish("plain:a", "next");

        assertThat(plain.block()).hasSize(2).allMatch(line -> line.startsWith("data: "));
        assertThat(plain.block()).containsExactly("data: next");
        assertThat(wrapped.block()).containsExactly("data: {\"channel\":\"plain:a\",\"b64data\":\"/wDDCuKC\"}");
    }

    @Test
    void prettyPrintedJsonStaysJsonInAnEnvelope() {
        RawClient client = stream("channel=plain:a&envelope=true");

        publish("plain:a", "{\n  \"a\": 1\r\n}");

        assertThat(client.block())
                .containsExactly("data: {\"channel\":\"plain:a\",\"data\":{", "data:   \"a\": 1", "data: }}");
    }

    // ---- several channels

    @Test
    void eventsOfSeveralChannelsCarryAllCursors() {
        Cursor a0 = publish("chat:a", "0");
        Cursor b0 = publish("chat:b c", "0");
        RawClient client = client();
        open(client, "channel=chat:a&channel=chat:b%20c");
        assertThat(client.block().get(2)).isEqualTo("id: chat:a=" + a0 + ";chat:b%20c=" + b0);

        Cursor a1 = publish("chat:a", "{\"x\":1}");
        List<String> first = client.block();
        Cursor b1 = publish(
                "chat:b c",
                "2",
                PublishOptions.none().withEventType("e").withKey("k").withHeader("h", "v"));

        assertThat(first)
                .containsExactly(
                        "id: chat:a=" + a1 + ";chat:b%20c=" + b0,
                        "data: {\"channel\":\"chat:a\",\"data\":{\"x\":1},\"offset\":2}");
        assertThat(client.block())
                .containsExactly(
                        "id: chat:a=" + a1 + ";chat:b%20c=" + b1,
                        "data: {\"channel\":\"chat:b c\",\"data\":2,\"offset\":2,"
                                + "\"event\":\"e\",\"key\":\"k\",\"headers\":{\"h\":\"v\"}}");
    }

    @Test
    void formOfTheEventsCanBeChosen() {
        RawClient plain = stream("channel=chat:a&channel=plain:a&envelope=false");
        RawClient wrapped = stream("channel=chat:a&envelope=true");

        Cursor cursor = publish("chat:a", "1");

        assertThat(plain.block()).containsExactly("id: chat:a=" + cursor, "data: 1");
        assertThat(wrapped.block())
                .containsExactly("id: chat:a=" + cursor, "data: {\"channel\":\"chat:a\",\"data\":1,\"offset\":1}");
    }

    @Test
    void channelNamedTwiceIsOne() {
        RawClient client = stream("channel=chat:a&channel=chat:a");

        Cursor cursor = publish("chat:a", "1");

        assertThat(client.block()).containsExactly("id: " + cursor, "data: 1");
    }

    // ---- coming back

    @Test
    void lastEventIdResumesWithoutHoleOrRepeat() {
        publish("chat:a", "1");
        Cursor second = publish("chat:a", "2");
        publish("chat:a", "3");
        publish("chat:a", "4");

        RawClient client = stream("channel=chat:a", "Last-Event-ID: " + second);
        publish("chat:a", "5");

        assertThat(client.block()).contains("data: 3");
        assertThat(client.block()).contains("data: 4");
        assertThat(client.block()).contains("data: 5");
    }

    @Test
    void idBeforeTheFirstEventIsGoodEnoughToComeBackWith() {
        publish("chat:a", "1");
        RawClient client = client();
        open(client, "channel=chat:a");
        String id = client.block().get(2).substring("id: ".length());
        client.close();
        publish("chat:a", "2");

        RawClient again = stream("channel=chat:a", "Last-Event-ID: " + id);

        assertThat(again.block()).contains("data: 2");
    }

    @Test
    void cursorInTheUrlResumesAndTheHeaderIsNewer() {
        Cursor first = publish("chat:a", "1");
        Cursor second = publish("chat:a", "2");
        publish("chat:a", "3");

        assertThat(stream("channel=chat:a&cursor=" + first).block()).contains("data: 2");
        assertThat(stream("channel=chat:a&cursor=" + first, "Last-Event-ID: " + second)
                        .block())
                .contains("data: 3");
    }

    @Test
    void vectorResumesEachChannelWhereItWas() {
        Cursor a1 = publish("chat:a", "1");
        Cursor b1 = publish("chat:b", "1");
        RawClient client = client();
        open(client, "channel=chat:a&channel=chat:b");
        String id = client.block().get(2).substring("id: ".length());
        client.close();
        Cursor a2 = publish("chat:a", "2");
        Cursor b2 = publish("chat:b", "2");

        RawClient again = stream("channel=chat:a&channel=chat:b&cursor=" + URLEncoder.encode(id, UTF_8));

        assertThat(id).isEqualTo("chat:a=" + a1 + ";chat:b=" + b1);
        assertThat(again.block().get(0)).isEqualTo("id: chat:a=" + a2 + ";chat:b=" + b1);
        assertThat(again.block().get(0)).isEqualTo("id: chat:a=" + a2 + ";chat:b=" + b2);
    }

    @Test
    void vectorOfMoreChannelsResumesThoseAskedForAndOthersBeginAnew() {
        Cursor a1 = publish("chat:a", "1");
        publish("chat:a", "2");
        publish("chat:c", "1");

        RawClient client =
                stream("channel=chat:a&channel=chat:c&history=1&cursor=chat:a=" + a1 + ";chat:gone=v1.x.1.1");

        assertThat(client.block().get(1)).contains("\"channel\":\"chat:a\",\"data\":2");
        assertThat(client.block().get(1)).contains("\"channel\":\"chat:c\",\"data\":1");
    }

    @Test
    void historyComesFirst() {
        for (int i = 1; i <= 5; i++) {
            publish("chat:a", String.valueOf(i));
        }

        RawClient client = stream("channel=chat:a&history=2");
        publish("chat:a", "6");

        assertThat(client.block()).contains("data: 4");
        assertThat(client.block()).contains("data: 5");
        assertThat(client.block()).contains("data: 6");
    }

    @Test
    void resumeInVainIsAResetThatNamesTheNewPosition() {
        Cursor first = publish("chat:a", "1");
        Cursor last = first;
        for (int i = 2; i <= 20; i++) {
            last = publish("chat:a", String.valueOf(i));
        }

        RawClient client = client();
        open(client, "channel=chat:a", "Last-Event-ID: " + first);

        assertThat(client.block().get(2)).isEqualTo("id: " + first);
        assertThat(client.block())
                .containsExactly(
                        "id: " + last,
                        "event: reset",
                        "data: {\"channel\":\"chat:a\",\"reason\":\"TRIMMED\",\"cursor\":\"" + last + "\"}");
    }

    @Test
    void clientComesBackAgainAndAgainToAChannelThatNoLongerRetains() {
        String id = "v1.gone.5.5";
        for (int i = 0; i < 3; i++) {
            RawClient client = client();
            open(client, "channel=plain:a", "Last-Event-ID: " + id);

            assertThat(client.block()).noneMatch(line -> line.startsWith("id:"));
            assertThat(client.block())
                    .contains("event: reset")
                    .noneMatch(line -> line.startsWith("id:") || line.contains("cursor"));
        }
    }

    @Test
    void resetOfOneChannelLeavesTheOthersAlone() {
        Cursor a = publish("chat:a", "1");
        Cursor b = publish("chat:b", "1");
        publish("chat:b", "2");
        Cursor foreign = new Cursor("another", 7, 7);

        RawClient client = client();
        open(client, "channel=chat:a&channel=chat:b", "Last-Event-ID: chat:a=" + foreign + ";chat:b=" + b);

        assertThat(client.block().get(2)).isEqualTo("id: chat:a=" + foreign + ";chat:b=" + b);
        assertThat(client.block())
                .containsExactly(
                        "id: chat:a=" + a + ";chat:b=" + b,
                        "event: reset",
                        "data: {\"channel\":\"chat:a\",\"reason\":\"EPOCH\",\"cursor\":\"" + a + "\"}");
        assertThat(client.block().get(1)).isEqualTo("data: {\"channel\":\"chat:b\",\"data\":2,\"offset\":2}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "garbage",
                "v2.a.1.1",
                "v1.a.-1.1",
                "chat:a=garbage",
                "chat:a=v1.a.1.1;",
                "=v1.a.1.1",
                "%zz=v1.a.1.1"
            })
    void garbageCursorIsRefusedByName(String cursor) {
        Answer answer = refused("channel=chat:a", "Last-Event-ID: " + cursor);

        assertThat(answer.status).isEqualTo(400);
        assertThat(answer.text()).contains("\"code\":107").contains("bad request: the cursor cannot be read");
    }

    @Test
    void bareCursorForSeveralChannelsIsRefused() {
        assertThat(refused("channel=chat:a&channel=chat:b&cursor=v1.a.1.1").text())
                .contains("it is of one channel, and 2 are asked for");
    }

    // ---- who and what

    @ParameterizedTest
    @CsvSource({
        "channel=chat:secret, 403, 103",
        "channel=nope:a, 404, 102",
        "channel=chat:a&channel=chat:secret, 403, 103",
        "'', 400, 107",
        "channel=, 400, 107",
        "channel=chat:a&history=x, 400, 107",
        "channel=chat:a&history=301, 400, 107",
        "channel=chat:a&envelope=perhaps, 400, 107",
        "channel=chat:a&token=bad, 401, 101",
        "channel=chat:a&token=old, 401, 109",
        "channel=chat:a&token=who, 401, 101",
        "channel=chat:a&token=no, 403, 103",
        "channel=chat:a&token=broken, 503, 100"
    })
    void refusalsAreErrorsBeforeTheStream(String query, int status, int code) {
        RawClient client = client();

        Answer answer = client.get("/sse?" + query);

        assertThat(answer.status).isEqualTo(status);
        assertThat(answer.headers).containsEntry("content-type", "application/json");
        assertThat(answer.text()).startsWith("{\"error\":{\"code\":" + code + ",");
        assertThat(client.get("/health/live").status).isEqualTo(200);
    }

    @Test
    void aChannelThatIsTooLongIsToldTheLimit() {
        assertThat(refused("channel=" + "x".repeat(256)).text())
                .contains("bad request: channel must have 1 to 255 characters");
    }

    @Test
    void aChannelWithoutRulesIsNamedAsByTheClientProtocol() {
        assertThat(refused("channel=nope:a").text())
                .contains("\"message\":\"" + ErrorCode.UNKNOWN_CHANNEL.text() + ": nope:a\"");
    }

    @Test
    void refusedStreamLeavesNobodyBehind() throws Exception {
        refused("channel=chat:a&channel=chat:secret");

        assertThat(fanfare.connections().count().toCompletableFuture().get(5, TimeUnit.SECONDS))
                .isZero();
    }

    @Test
    void tooManyChannelsForAnIdAreRefused() {
        StringBuilder query = new StringBuilder("channel=chat:0");
        for (int i = 1; i < 100; i++) {
            query.append("&channel=chat:").append(i);
        }

        Answer answer = refused(query.toString());

        assertThat(answer.status).isEqualTo(400);
        assertThat(answer.text()).contains("\"code\":106");
    }

    @Test
    void tokenComesInTheAuthorizationHeaderToo() throws Exception {
        stream("channel=chat:a", "Authorization: Bearer grace");

        assertThat(fanfare.connections().of("grace").toCompletableFuture().get(5, TimeUnit.SECONDS))
                .hasSize(1);
    }

    @Test
    void hostMayAddChannelsAndGreet() {
        Cursor before = publish("chat:secret", "\"0\"");
        RawClient client = client();

        Answer head = open(client, "token=member");

        assertThat(head.status).isEqualTo(200);
        assertThat(client.block()).contains("id: " + before);
        assertThat(client.block()).containsExactly("event: connect", "data: {\"hello\":1}");
        Cursor cursor = publish("chat:secret", "1");
        assertThat(client.block()).containsExactly("id: " + cursor, "data: 1");
    }

    @Test
    void joinsAndLeavesComeOnRequest() {
        RawClient watcher = stream("channel=chat:a&presence=true&token=ada");
        assertThat(watcher.block()).contains("event: join");

        RawClient other = stream("channel=chat:a&token=grace");
        List<String> join = watcher.block();
        fanfare.connections()
                .unsubscribe("grace", ChannelId.of("chat:a"))
                .toCompletableFuture()
                .join();

        assertThat(join.get(0)).isEqualTo("event: join");
        assertThat(join.get(1)).startsWith("data: {\"channel\":\"chat:a\",\"user\":\"grace\",\"client\":\"");
        assertThat(watcher.block().get(0)).isEqualTo("event: leave");
        assertThat(other.block().get(0)).isEqualTo("event: ended");
    }

    @Test
    void pagesOfAllowedOriginsMayReadAndOthersMayNotAsk() {
        RawClient client = client();

        Answer allowed = open(client, "channel=chat:a", "Origin: https://app.example");
        Answer foreign = refused("channel=chat:a", "Origin: https://evil.example");

        assertThat(allowed.headers)
                .containsEntry("access-control-allow-origin", "https://app.example")
                .containsEntry("vary", "origin");
        assertThat(foreign.status).isEqualTo(403);
    }

    // ---- the end

    @Test
    void endOfTheOnlyChannelEndsTheStream() {
        RawClient client = stream("channel=plain:a&token=ada");

        fanfare.connections()
                .unsubscribe("ada", ChannelId.of("plain:a"))
                .toCompletableFuture()
                .join();

        assertThat(client.block())
                .containsExactly("event: ended", "data: {\"channel\":\"plain:a\",\"reason\":\"BY_HOST\"}");
        assertThat(client.rest()).isEmpty();
    }

    @Test
    void endOfOneOfTwoChannelsLeavesTheOther() {
        RawClient client = stream("channel=chat:a&channel=chat:b&token=ada");
        fanfare.connections()
                .unsubscribe("ada", ChannelId.of("chat:a"))
                .toCompletableFuture()
                .join();
        assertThat(client.block()).contains("event: ended");

        publish("chat:b", "1");

        assertThat(client.block().get(1)).contains("\"channel\":\"chat:b\"");
    }

    @Test
    void disconnectIsExplained() {
        RawClient client = stream("channel=chat:a&token=ada");

        fanfare.connections()
                .disconnect("ada", DisconnectReason.FORCE_DISCONNECT)
                .toCompletableFuture()
                .join();

        assertThat(client.block())
                .containsExactly(
                        "event: disconnect",
                        "data: {\"code\":3503,\"reason\":\"force disconnect\",\"reconnect\":false}");
        assertThat(client.rest()).isEmpty();
    }

    @Test
    void closedTransportSaysThatItShutsDown() {
        RawClient client = stream("channel=chat:a");

        transport.close();

        assertThat(client.rest()).contains("\"code\":3001").contains("\"reconnect\":true");
    }

    @Test
    void closedFanfareSaysThatItShutsDown() {
        RawClient client = stream("channel=chat:a");

        fanfare.close();

        assertThat(client.rest()).contains("event: disconnect\ndata: {\"code\":3001");
        assertThat(refused("channel=chat:a").status).isEqualTo(503);
    }

    @Test
    void whatTheClientSendsLaterIsPassedOver() {
        RawClient client = stream("channel=chat:a");

        client.send("GET / HTTP/1.1\r\n\r\n");
        publish("chat:a", "1");

        assertThat(client.block()).contains("data: 1");
    }

    @Test
    void stalledReaderMissesNothing() {
        RawClient client = stream("channel=log:a");
        String filler = "x".repeat(30_000);

        for (int i = 0; i < 1000; i++) {
            publish("log:a", i + filler);
        }

        for (int i = 0; i < 1000; i++) {
            assertThat(client.block().get(1)).startsWith("data: " + i + "x");
        }
        assertThat(catchUps).hasPositiveValue();
    }

    @Test
    void nothingIsLostWhileAnotherChannelIsStillAskedFor() {
        RawClient client = client();
        client.send(RawClient.head("GET", "/sse?channel=plain:a&channel=chat:slow&channel=chat:b", ""));
        await().until(() -> subscribed.contains("plain:a") && subscribed.contains("chat:b"));

        publish("plain:a", "1");
        Cursor b = publish("chat:b", "2");
        publish("plain:a", "3");
        slow.complete(true);

        assertThat(client.receiveHead().status).isEqualTo(200);
        client.block();
        assertThat(client.block()).containsExactly("data: {\"channel\":\"plain:a\",\"data\":1}");
        assertThat(client.block().get(0)).contains("chat:b=" + b);
        assertThat(client.block()).containsExactly("data: {\"channel\":\"plain:a\",\"data\":3}");
    }
}
