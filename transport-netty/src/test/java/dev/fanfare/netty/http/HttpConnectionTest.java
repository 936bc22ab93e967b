package dev.fanfare.netty.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Rejection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpConnectionTest {

    private static final long IDLE = HttpLimits.standard().idleTime().toSeconds();
    private static final long TLS = 2 * HttpLimits.standard().requestTime().toSeconds();
    private static final long REQUEST = HttpLimits.standard().requestTime().toSeconds();

    private final Queue<Exchange> waiting = new ArrayDeque<>();
    private final List<Rejection> rejections = new ArrayList<>();
    private final Bodies bodies = new Bodies(2 << 20);
    private final Router router = Router.builder()
            .rejections(rejections::add)
            .add("GET", "/now/*", exchange -> answer(exchange, exchange.path()))
            .add("POST", "/now/*", exchange -> answer(exchange, new String(exchange.body(), UTF_8)))
            .add("GET", "/later/*", waiting::add)
            .add("POST", "/later/*", waiting::add)
            .add("POST", "/guarded/*", new Guarded())
            .add("GET", "/broken", exchange -> {
                throw new IllegalStateException("a secret");
            })
            .add("GET", "/halfway", exchange -> {
                exchange.begin(200, MediaTypes.JSON).writeByte('x');
                throw new IllegalStateException("a secret");
            })
            .build();
    private final EmbeddedChannel channel = new EmbeddedChannel();

    HttpConnectionTest() {
        channel.freezeTime();
        channel.pipeline().addLast(new HttpConnection(router, Origins.of(List.of()), HttpLimits.standard(), bodies));
    }

    @AfterEach
    void end() {
        channel.finishAndReleaseAll();
    }

    /** Takes only what shows the word, and ten bytes at most. */
    private static final class Guarded implements Endpoint {

        @Override
        public void admit(Exchange exchange) {
            if (!exchange.headers().contains("word")) {
                throw new RequestRefused(401, 101, "unauthorized");
            }
        }

        @Override
        public int maxBodyBytes() {
            return 10;
        }

        @Override
        public void handle(Exchange exchange) {
            answer(exchange, new String(exchange.body(), UTF_8));
        }
    }

    private static void answer(Exchange exchange, String text) {
        exchange.begin(200, "text/plain").writeCharSequence(text, UTF_8);
        exchange.end();
    }

    private void receive(String text) {
        channel.writeInbound(Unpooled.copiedBuffer(text, UTF_8));
    }

    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }

    /** Returns all that was sent since the last call. */
    private String sent() {
        StringBuilder text = new StringBuilder();
        ByteBuf out;
        while ((out = channel.readOutbound()) != null) {
            text.append(out.toString(UTF_8));
            out.release();
        }
        return text.toString();
    }

    private void pass(long seconds) {
        channel.advanceTimeBy(seconds, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
    }

    @Test
    void answerHasExactlyItsLength() {
        receive(get("/now/123"));

        assertThat(sent())
                .isEqualTo("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length:          8\r\n\r\n/now/123");
    }

    @Test
    void nothingSentAtAllClosesQuietlyAsSoonAsARequestWouldBeLate() {
        pass(REQUEST - 1);
        assertThat(channel.isOpen()).isTrue();

        pass(1);

        assertThat(channel.isOpen()).isFalse();
        assertThat(sent()).isEmpty();
        assertThat(rejections).containsExactly(Rejection.SLOW_REQUEST);
    }

    @Test
    void nothingSentAfterTlsClosesQuietlyAsSoonAsARequestWouldBeLate() throws Exception {
        EmbeddedChannel secure = secureChannel();
        secure.advanceTimeBy(TLS - 1, TimeUnit.SECONDS);
        secure.runScheduledPendingTasks();
        assertThat(secure.isOpen()).as("TLS has a time of its own").isTrue();
        secure.pipeline().fireUserEventTriggered(SslHandshakeCompletionEvent.SUCCESS);
        secure.pipeline().fireChannelReadComplete(); // of the read that ended the handshake
        List<Object> written = new ArrayList<>();
        secure.pipeline().addAfter(secure.pipeline().firstContext().name(), null, new ChannelOutboundHandlerAdapter() {
            @Override
            public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
                written.add(message);
                ctx.write(message, promise);
            }
        });

        secure.advanceTimeBy(REQUEST, TimeUnit.SECONDS);
        secure.runScheduledPendingTasks();

        assertThat(secure.isOpen()).isFalse();
        assertThat(written).isEmpty();
        assertThat(rejections).containsExactly(Rejection.SLOW_REQUEST);
        secure.finishAndReleaseAll();
    }

    /** Returns a channel on which TLS is never agreed upon, unless a test says so. */
    private EmbeddedChannel secureChannel() throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine();
        engine.setUseClientMode(false);
        SslHandler tls = new SslHandler(engine);
        tls.setHandshakeTimeout(TLS, TimeUnit.SECONDS);
        EmbeddedChannel secure = new EmbeddedChannel();
        secure.freezeTime();
        secure.pipeline()
                .addLast(tls, new HttpConnection(router, Origins.of(List.of()), HttpLimits.standard(), bodies));
        return secure;
    }

    @Test
    void slowHeaderIsTimedOut() {
        receive("GET /now/1 HTTP/1.1\r\n");
        for (int i = 0; i < 9; i++) {
            pass(1);
            receive("X-" + i + ": 1\r\n");
        }
        assertThat(sent()).isEmpty();

        pass(1);

        assertThat(sent()).startsWith("HTTP/1.1 408 Request Timeout\r\n").contains("connection: close");
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void slowBodyIsTimedOut() {
        receive("POST /now/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
        for (int i = 0; i < 9; i++) {
            pass(1);
            receive("x");
        }

        pass(1);

        assertThat(sent()).startsWith("HTTP/1.1 408");
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void secondRequestOfConnectionIsTimedOutAsWell() {
        receive(get("/now/1"));
        pass(70);
        assertThat(channel.isOpen()).isTrue();
        receive("GET /now");

        pass(10);

        assertThat(sent()).contains("200 OK").contains("408 Request Timeout");
    }

    @Test
    void quietConnectionIsClosedAfterItsIdleTime() {
        receive(get("/now/1"));
        pass(60);
        receive(get("/now/2"));
        pass(IDLE - 1);
        assertThat(channel.isOpen()).isTrue();

        pass(1);

        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void longAnswerIsNotTimedOut() {
        receive(get("/later/1"));

        pass(600);
        answer(waiting.remove(), "at last");

        assertThat(sent()).endsWith("at last");
        pass(IDLE - 1);
        assertThat(channel.isOpen()).isTrue();
    }

    @Test
    void nextRequestIsNotBegunBeforeThisOneIsAnswered() {
        receive(get("/later/1") + get("/later/2") + get("/now/3"));

        assertThat(waiting).hasSize(1);
        assertThat(channel.config().isAutoRead()).isFalse();
        answer(waiting.remove(), "one");
        assertThat(sent()).endsWith("one");
        assertThat(waiting).hasSize(1);
        answer(waiting.remove(), "two");
        assertThat(sent()).contains("two").endsWith("/now/3");
        assertThat(channel.config().isAutoRead()).isTrue();
    }

    @Test
    void clientThatReadsNoAnswersIsGivenNoMore() {
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1, 2));
        channel.pipeline().addFirst(new StalledPeer());

        receive(get("/now/1") + get("/now/2") + get("/now/3"));

        assertThat(channel.unsafe().outboundBuffer().totalPendingWriteBytes()).isBetween(1L, 250L);
        assertThat(channel.config().isAutoRead()).isFalse();
    }

    @Test
    void lastAnswerIsNotCutWhileTheClientTakesIt() {
        channel.pipeline().addFirst(new StalledPeer());
        receive("GET /now/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        pass(IDLE + 1);
        assertThat(channel.isOpen()).isTrue();
        pass(IDLE);

        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void goneClientIsTakenNoteOf() {
        boolean[] isAbandoned = {false};
        receive(get("/later/1") + get("/later/2"));
        Exchange exchange = waiting.remove();
        exchange.whenAbandoned(() -> isAbandoned[0] = true);

        channel.close();

        assertThat(isAbandoned[0]).isTrue();
        assertThat(exchange.isOpen()).isFalse();
        answer(exchange, "too late");
        assertThat(sent()).isEmpty();
    }

    @Test
    void secondAnswerIsPassedOver() {
        receive(get("/later/1"));
        Exchange exchange = waiting.remove();

        answer(exchange, "one");
        answer(exchange, "two");

        assertThat(sent()).endsWith("one");
    }

    @Test
    void brokenEndpointIsAnInternalErrorWhatsoeverItBegan() {
        receive(get("/broken") + get("/halfway") + get("/now/1"));

        assertThat(sent().split("HTTP/1.1 ", -1))
                .satisfiesExactly(
                        none -> assertThat(none).isEmpty(),
                        broken -> assertThat(broken).startsWith("500").doesNotContain("secret"),
                        halfway -> assertThat(halfway).startsWith("500").doesNotContain("x{"),
                        fine -> assertThat(fine).startsWith("200"));
    }

    @Test
    void closingTransportLetsTheRunningRequestEnd() {
        receive(get("/later/1"));
        channel.pipeline().fireUserEventTriggered(TransportClosing.NOW);
        assertThat(channel.isOpen()).isTrue();

        answer(waiting.remove(), "bye");

        assertThat(sent()).endsWith("bye");
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void closingTransportClosesQuietConnections() {
        channel.pipeline().fireUserEventTriggered(TransportClosing.NOW);

        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void requestThatComesByteByByteIsUnderstood() {
        for (char c : "POST /now/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc".toCharArray()) {
            receive(String.valueOf(c));
        }

        assertThat(sent()).endsWith("\r\n\r\nabc");
    }

    @Test
    void bodyGrowsOnlyWithWhatArrives() {
        receive("POST /now/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
        for (int i = 0; i < 100; i++) {
            receive("x".repeat(10_000));
        }

        assertThat(sent()).endsWith("x".repeat(1_000_000));
    }

    @Test
    void absoluteTargetIsUnderstood() {
        receive("GET http://host:80/now/1?a=b HTTP/1.1\r\nHost: host:80\r\n\r\n");

        assertThat(sent()).endsWith("\r\n\r\n/now/1");
    }

    /** Keeps everything back, as a socket does whose peer does not read. */
    private static final class StalledPeer extends ChannelOutboundHandlerAdapter {
        @Override
        public void flush(ChannelHandlerContext ctx) {}
    }

    @Test
    void whatIsRefusedIsCountedOnceAlsoIfThePeerStays() {
        channel.pipeline().addFirst(new StalledPeer());

        receive("GET / now HTTP/1.1\r\n\r\n");
        while (channel.isOpen()) {
            pass(60);
        }

        assertThat(rejections).containsExactly(Rejection.MALFORMED);
    }

    private void assertRefused(String head, String status) {
        receive(head);

        assertThat(sent()).startsWith("HTTP/1.1 " + status).contains("connection: close");
    }

    @Test
    void aRequestWithoutHostIsRefused() {
        assertRefused("GET /now/1 HTTP/1.1\r\n\r\n", "400");
    }

    @Test
    void aRequestWithTwoHostsIsRefused() {
        assertRefused("GET /now/1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400");
    }

    @Test
    void oldHttpNeedsNoHost() {
        receive("GET /now/1 HTTP/1.0\r\n\r\n");

        assertThat(sent()).startsWith("HTTP/1.1 200");
    }

    @Test
    void anotherVersionIsRefused() {
        assertRefused("GET /now/1 HTTP/9.9\r\nHost: x\r\n\r\n", "505");
    }

    @Test
    void aPathIsLoggedAsItWasSentSoThatItBreaksNoLine() {
        receive(get("/later/a%0aERROR%20forged?token=secret"));

        assertThat(waiting.remove()).hasToString("GET /later/a%0aERROR%20forged");
    }

    /** Those of ISO 8859-1, too: some viewers of logs break the line there. */
    @ParameterizedTest
    @ValueSource(ints = {0x1b, 0x7f, 0x85, 0x9f})
    void aTargetWithControlCharactersIsRefused(int character) {
        String request = "GET /now/" + (char) character + " HTTP/1.1\r\nHost: x\r\n\r\n";

        channel.writeInbound(Unpooled.copiedBuffer(request, ISO_8859_1));

        assertThat(sent()).startsWith("HTTP/1.1 400");
        assertThat(rejections).containsExactly(Rejection.MALFORMED);
    }

    @Test
    void aLengthThatIsNoPlainNumberIsRefused() {
        assertRefused("POST /now/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0003\r\n\r\nabc", "400");
    }

    @Test
    void aLengthWithASignIsRefused() {
        assertRefused("POST /now/1 HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", "400");
    }

    @Test
    void aLengthBesideChunksIsRefused() {
        assertRefused(
                "POST /now/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "400");
        assertThat(rejections).containsExactly(Rejection.MALFORMED);
    }

    @Test
    void anotherTransferEncodingIsRefusedAndNotTakenForNoBody() {
        assertRefused(
                "POST /now/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n" + get("/now/smuggled"), "400");
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void chunksInOldHttpAreRefused() {
        assertRefused("POST /now/1 HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400");
    }

    @Test
    void twoLengthsAreRefused() {
        assertRefused("POST /now/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400");
    }

    // ---- what the head alone decides

    private static String post(String path, int length, String... headers) {
        String more = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
        return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n" + more + "\r\n";
    }

    @Test
    void aPathThatIsNotThereIsRefusedBeforeTheBodyComes() {
        assertRefused(post("/nowhere", 3), "404");
    }

    @Test
    void aMethodThatIsNotTakenIsRefusedBeforeTheBodyComes() {
        assertRefused(post("/broken", 3), "405");
    }

    @Test
    void aForeignOriginIsRefusedBeforeTheBodyComes() {
        assertRefused(post("/now/1", 3, "Origin: https://evil.example"), "403");
        assertThat(rejections).containsExactly(Rejection.FORBIDDEN_ORIGIN);
    }

    @Test
    void whomTheEndpointDoesNotAdmitIsRefusedBeforeTheBodyComes() {
        assertRefused(post("/guarded/1", 3), "401");
    }

    @Test
    void moreThanTheEndpointTakesIsRefusedBeforeTheBodyComes() {
        assertRefused(post("/guarded/1", 11, "Word: yes"), "413");
        assertThat(rejections).containsExactly(Rejection.TOO_LARGE);
    }

    @Test
    void moreThanTheEndpointTakesIsRefusedAsSoonAsItIsThereIfItWasNotAnnounced() {
        receive("POST /guarded/1 HTTP/1.1\r\nHost: x\r\nWord: yes\r\nTransfer-Encoding: chunked\r\n\r\n");
        receive("a\r\n0123456789\r\n");
        assertThat(sent()).isEmpty();

        assertRefused("1\r\nx\r\n", "413");
        assertThat(bodies.bytes()).isZero();
    }

    @Test
    void whatComesAfterARefusalIsNeitherKeptNorTakenForARequest() {
        receive(post("/nowhere", 1000) + "x".repeat(1000) + get("/now/1"));

        assertThat(sent()).startsWith("HTTP/1.1 404").doesNotContain("200");
        assertThat(bodies.bytes()).isZero();
    }

    @Test
    void aRefusalWithoutABodyLeavesTheConnectionAsItIs() {
        receive(get("/nowhere") + get("/now/1"));

        assertThat(sent()).startsWith("HTTP/1.1 404").contains("HTTP/1.1 200").doesNotContain("connection: close");
    }

    @Test
    void whoWaitsForPermissionToSendABodyGetsIt() {
        receive(post("/guarded/1", 3, "Word: yes", "Expect: 100-continue"));
        assertThat(sent()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");

        receive("abc");

        assertThat(sent()).startsWith("HTTP/1.1 200").endsWith("abc");
    }

    @Test
    void whoWaitsForPermissionInVainIsToldWhyInstead() {
        assertRefused(post("/guarded/1", 3, "Expect: 100-continue"), "401");
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void whoHasNoBodyNeedsNoPermissionToSendIt() {
        receive(post("/now/1", 0, "Expect: 100-continue"));

        assertThat(sent()).startsWith("HTTP/1.1 200");
    }

    // ---- bodies together

    /** Returns a channel beside the first one. */
    private EmbeddedChannel another() {
        return new EmbeddedChannel(new HttpConnection(router, Origins.of(List.of()), HttpLimits.standard(), bodies));
    }

    @Test
    void anAnnouncedBodyThatFindsNoRoomIsRefusedUntilThereIsSome() {
        EmbeddedChannel other = another();
        for (EmbeddedChannel each : List.of(channel, other)) {
            each.writeInbound(Unpooled.copiedBuffer(post("/later/1", 1 << 20) + "x".repeat(1 << 20), UTF_8));
        }
        assertThat(bodies.bytes()).isEqualTo(2 << 20);
        EmbeddedChannel third = another();
        third.writeInbound(Unpooled.copiedBuffer(post("/now/1", 1), UTF_8));
        ByteBuf refusal = third.readOutbound();
        assertThat(refusal.toString(UTF_8)).startsWith("HTTP/1.1 503").contains("retry-after: ");
        refusal.release();
        assertThat(rejections).containsExactly(Rejection.REQUESTS_LIMIT);

        answer(waiting.remove(), "one");

        assertThat(bodies.bytes()).isEqualTo(1 << 20);
        receive(post("/now/1", 1) + "x");
        assertThat(sent()).endsWith("x");
        other.finishAndReleaseAll();
        third.finishAndReleaseAll();
    }

    @Test
    void aBodyThatFindsNoMoreRoomIsRefusedInTheMiddle() {
        EmbeddedChannel other = another();
        receive("POST /now/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
        other.writeInbound(Unpooled.copiedBuffer(post("/later/1", 1 << 20) + "x".repeat(1 << 20), UTF_8));
        assertThat(bodies.take((1 << 20) - 10)).isTrue();

        assertRefused("6\r\n-----!\r\n", "503");

        assertThat(bodies.bytes()).as("what it had is given back").isEqualTo((2 << 20) - 10);
        other.finishAndReleaseAll();
    }

    @Test
    void whatAClientLeavesBehindTakesNoRoom() {
        receive(post("/later/1", 5) + "abcde");
        EmbeddedChannel other = another();
        other.writeInbound(Unpooled.copiedBuffer(post("/now/1", 9) + "abcd", UTF_8));
        assertThat(bodies.bytes()).isEqualTo(9);

        channel.close();
        other.close();

        assertThat(bodies.bytes()).isZero();
        other.finishAndReleaseAll();
    }

    @Test
    void theHeadMayTrickleForTenSecondsAndNotLonger() {
        String head = get("/now/slow");
        for (int i = 0; i < 9; i++) {
            receive(head.substring(i, i + 1));
            pass(1);
        }
        assertThat(sent()).isEmpty();
        pass(2);

        assertThat(sent()).startsWith("HTTP/1.1 408");
    }

    @Test
    void theBodyMayNotTrickleLongerEither() {
        receive("POST /now/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
        for (int i = 0; i < 9; i++) {
            receive("x");
            pass(1);
        }
        assertThat(sent()).isEmpty();
        pass(2);

        assertThat(sent()).startsWith("HTTP/1.1 408");
    }

    @Test
    void aFloodOfPipelinedRequestsIsAnsweredInOrderWithoutReadingAhead() {
        receive(get("/later/first") + get("/now/next").repeat(500));

        assertThat(channel.config().isAutoRead()).isFalse();
        assertThat(waiting).hasSize(1);
        answer(waiting.remove(), "first");
        assertThat(sent().split("HTTP/1.1 200", -1)).hasSize(502);
    }
}
