package dev.fanfare.netty.sse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Authenticator;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.netty.connection.TransportSettings;
import dev.fanfare.netty.http.Bodies;
import dev.fanfare.netty.http.HttpConnection;
import dev.fanfare.netty.http.HttpLimits;
import dev.fanfare.netty.http.Origins;
import dev.fanfare.netty.http.Router;
import dev.fanfare.netty.http.TransportClosing;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.Frame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SseOutletTest {

    private static final ChannelId A = ChannelId.of("chat:a");
    private static final ChannelId B = ChannelId.of("chat:b");

    private final ScriptedGateway core = new ScriptedGateway();
    private final TransportContext context =
            new TransportContext(core, Authenticator.anonymous(), TransportSettings.defaults());
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private boolean isStalled;

    SseOutletTest() {
        channel.freezeTime();
        Router router =
                Router.builder().add("GET", "/sse", new SseEndpoint(context)).build();
        channel.pipeline().addLast(new ChannelOutboundHandlerAdapter() {
            @Override
            public void flush(ChannelHandlerContext ctx) {
                if (!isStalled) {
                    ctx.flush();
                }
            }
        });
        channel.pipeline()
                .addLast(new HttpConnection(router, Origins.of(List.of()), HttpLimits.standard(), new Bodies(1 << 20)));
    }

    @AfterEach
    void end() {
        isStalled = false;
        channel.finishAndReleaseAll();
    }

    private void ask(String query) {
        channel.writeInbound(Unpooled.copiedBuffer("GET /sse?" + query + " HTTP/1.1\r\nHost: x\r\n\r\n", UTF_8));
        channel.runPendingTasks();
    }

    private void answer(ChannelId id, SubscribeResult result) {
        core.asked.get(id.value()).accept(result);
    }

    private static SubscribeResult live(long offset) {
        Cursor position = cursor(offset);
        return new SubscribeResult.Subscribed(new Resume.Fresh(position), List.of(), position, true);
    }

    private static Cursor cursor(long offset) {
        return new Cursor("e", offset, offset);
    }

    private static Publication publication(long offset, String data) {
        return Publication.builder(Payload.of(data))
                .position("e", offset, offset, offset - 1)
                .build();
    }

    private void write(ChannelId id, Publication publication) {
        Frame frame = core.outlet.encoder().publication(id, publication);
        core.outlet.write(id, frame, publication);
        frame.release();
        core.outlet.flush();
    }

    @CanIgnoreReturnValue
    private String sent() {
        StringBuilder text = new StringBuilder();
        ByteBuf out;
        while ((out = channel.readOutbound()) != null) {
            text.append(out.toString(UTF_8));
            out.release();
        }
        return text.toString();
    }

    private void stream() {
        ask("channel=chat:a");
        answer(A, live(0));
        sent();
    }

    private void pass(int seconds) {
        for (int i = 0; i < seconds; i++) {
            channel.advanceTimeBy(1, TimeUnit.SECONDS);
            channel.runScheduledPendingTasks();
        }
    }

    @Test
    void quietStreamBeats() {
        stream();

        pass(26);
        assertThat(sent()).isEqualTo(":\n\n");
        pass(25);

        assertThat(sent()).isEqualTo(":\n\n");
    }

    @Test
    void busyStreamNeedsNoBeat() {
        stream();

        for (int i = 1; i <= 10; i++) {
            pass(10);
            write(A, publication(i, "1"));
            assertThat(sent()).endsWith("data: 1\n\n").doesNotContain(":\n\n");
        }
    }

    @Test
    void nothingIsWrittenBeforeAllChannelsAreAnswered() {
        ask("channel=chat:a&channel=chat:b&presence=true");
        answer(A, live(0));
        write(A, publication(1, "1"));
        core.outlet.skipped(A, 3, 0);
        core.outlet.skipped(A, 0, 2);
        write(A, publication(2, "2"));
        assertThat(sent()).isEmpty();

        answer(B, live(7));

        assertThat(sent())
                .endsWith("\nid: chat:a=v1.e.0.0;chat:b=v1.e.7.7\n\n"
                        + "id: chat:a=v1.e.1.1;chat:b=v1.e.7.7\ndata: {\"channel\":\"chat:a\",\"data\":1,\"offset\":1}\n\n"
                        + "event: skipped\ndata: {\"channel\":\"chat:a\",\"count\":3}\n\n"
                        + "event: skipped\ndata: {\"channel\":\"chat:a\",\"count\":0,\"presence\":2}\n\n"
                        + "id: chat:a=v1.e.2.2;chat:b=v1.e.7.7\n"
                        + "data: {\"channel\":\"chat:a\",\"data\":2,\"offset\":2}\n\n");
        assertThat(core.requests.get("chat:a").wantsPresence()).isTrue();
        assertThat(core.requests.get("chat:a").isPermitted()).isFalse();
    }

    @Test
    void whatIsHeldBackIsBounded() {
        ask("channel=chat:a&channel=chat:b");
        answer(A, live(0));

        write(A, publication(1, "\"" + "x".repeat(70_000) + "\""));
        assertThat(core.outlet.isWritable()).isFalse();
        answer(B, live(0));

        assertThat(core.outlet.isWritable()).isTrue();
        assertThat(core.writable).isPositive();
    }

    @Test
    void missedPublicationsComeBetweenPositionAndLive() {
        ask("channel=chat:a&cursor=v1.e.3.3");
        answer(
                A,
                new SubscribeResult.Subscribed(
                        new Resume.Continued(cursor(3)),
                        List.of(publication(4, "4"), publication(5, "5")),
                        cursor(5),
                        true));
        write(A, publication(6, "6"));

        assertThat(core.requests.get("chat:a").start()).isEqualTo(StartAt.after(cursor(3)));
        assertThat(sent())
                .endsWith(
                        "id: v1.e.3.3\n\nid: v1.e.4.4\ndata: 4\n\nid: v1.e.5.5\ndata: 5\n\nid: v1.e.6.6\ndata: 6\n\n");
    }

    @Test
    void manyMissedPublicationsAllCome() {
        ask("channel=chat:a&channel=chat:b");
        answer(A, live(0));
        List<Publication> missed = LongStream.rangeClosed(1, 100)
                .mapToObj(i -> publication(i, "\"" + "x".repeat(5000) + "\""))
                .toList();
        answer(B, new SubscribeResult.Subscribed(new Resume.Fresh(cursor(0)), missed, cursor(100), true));

        assertThat(sent().split("\n\n", -1))
                .hasSize(102)
                .anySatisfy(block -> assertThat(block).startsWith("id: chat:a=v1.e.0.0;chat:b=v1.e.100.64\n"));
    }

    @Test
    void liveResetMovesTheIdAndGoesOn() {
        stream();

        boolean goesOn = core.outlet.reset(A, new Resume.Reset(ResetReason.DIVERGED, new Cursor("f", 9, 9)));
        core.outlet.flush();

        assertThat(goesOn).isTrue();
        assertThat(sent())
                .isEqualTo("id: v1.f.9.9\nevent: reset\n"
                        + "data: {\"channel\":\"chat:a\",\"reason\":\"DIVERGED\",\"cursor\":\"v1.f.9.9\"}\n\n");
    }

    @Test
    void resetOfAChannelThatNoLongerRetainsHasNoIdToComeBackWith() {
        ask("channel=chat:a&cursor=v1.e.3.3");
        Cursor nowhere = Cursor.ofUnknownEpoch(0);

        answer(A, notRetained(nowhere));
        core.outlet.reset(A, new Resume.Reset(ResetReason.DIVERGED, nowhere));
        core.outlet.flush();

        String reset = "event: reset\ndata: {\"channel\":\"chat:a\",\"reason\":\"%s\"}\n\n";
        assertThat(sent())
                .endsWith(reset.formatted("TRIMMED") + reset.formatted("DIVERGED"))
                .doesNotContain("id:");
    }

    @Test
    void idNamesOnlyChannelsThatOneCanComeBackTo() {
        ask("channel=chat:a&channel=chat:b&cursor=chat:a=v1.e.3.3;chat:b=v1.e.7.7");
        answer(A, notRetained(new Cursor("f", 1, 1)));
        answer(B, live(7));
        assertThat(sent())
                .contains("\nid: chat:b=v1.e.7.7\n")
                .doesNotContain("chat:a=")
                .doesNotContain("cursor");

        core.outlet.reset(B, new Resume.Reset(ResetReason.DIVERGED, Cursor.ofUnknownEpoch(0)));
        core.outlet.flush();

        assertThat(sent()).isEqualTo("event: reset\ndata: {\"channel\":\"chat:b\",\"reason\":\"DIVERGED\"}\n\n");
    }

    private static SubscribeResult notRetained(Cursor position) {
        return new SubscribeResult.Subscribed(
                new Resume.Reset(ResetReason.TRIMMED, position), List.of(), position, false);
    }

    @Test
    void missedPublicationsWaitForAClientThatDoesNotRead() {
        isStalled = true;
        ask("channel=chat:a&channel=chat:b");
        answer(A, missed(100));
        write(A, publication(101, "101"));
        answer(B, missed(100));
        write(B, publication(101, "\"last\""));
        assertThat(pendingBytes()).isBetween(64L * 1024, 200L * 1024);
        assertThat(core.outlet.isWritable()).isFalse();
        assertThat(core.writable).isZero();

        isStalled = false;
        channel.flush();

        String all = sent();
        assertThat(all).endsWith("\"data\":\"last\",\"offset\":101}\n\n");
        assertThat(offsets(all, "chat:a"))
                .isEqualTo(LongStream.rangeClosed(1, 101).boxed().toList());
        assertThat(offsets(all, "chat:b"))
                .isEqualTo(LongStream.rangeClosed(1, 101).boxed().toList());
        assertThat(core.outlet.isWritable()).isTrue();
        assertThat(core.writable).isPositive();
    }

    @Test
    void clientThatNeverReadsItsMissedPublicationsCanBeCut() {
        isStalled = true;
        ask("channel=chat:a");
        answer(A, missed(100));
        write(A, publication(101, "101"));

        core.outlet.disconnect(DisconnectReason.SLOW);
        isStalled = false;
        channel.flush();

        assertThat(sent())
                .endsWith("\"reason\":\"slow\",\"reconnect\":true}\n\n")
                .doesNotContain("data: 101");
        assertThat(channel.isOpen()).isFalse();
    }

    private static SubscribeResult missed(int count) {
        List<Publication> missed = LongStream.rangeClosed(1, count)
                .mapToObj(i -> publication(i, "\"" + "x".repeat(20_000) + "\""))
                .toList();
        return new SubscribeResult.Subscribed(new Resume.Fresh(cursor(0)), missed, cursor(count), true);
    }

    private static List<Long> offsets(String events, String of) {
        return Pattern.compile("\\{\"channel\":\"" + of + "\",\"data\":[^,]*,\"offset\":([0-9]+)")
                .matcher(events)
                .results()
                .map(found -> Long.valueOf(found.group(1)))
                .toList();
    }

    private long pendingBytes() {
        return channel.unsafe().outboundBuffer().totalPendingWriteBytes();
    }

    @Test
    void disconnectBeforeTheStreamIsAnError() {
        ask("channel=chat:a");

        core.outlet.disconnect(DisconnectReason.FORCE_DISCONNECT);
        assertThat(core.closed).isEmpty();
        channel.runPendingTasks();

        assertThat(sent()).startsWith("HTTP/1.1 403 Forbidden\r\n").contains("force disconnect");
        assertThat(core.closed).containsExactly(DisconnectReason.FORCE_DISCONNECT);
        answer(A, new SubscribeResult.Refused(Refusal.CLOSED));
        assertThat(sent()).isEmpty();
    }

    @Test
    void refusalClosesTheConnectionInTheCore() {
        ask("channel=chat:a&channel=chat:b");
        answer(A, live(0));
        write(A, publication(1, "1"));
        answer(B, new SubscribeResult.Refused(Refusal.NOT_ALLOWED));

        assertThat(sent()).startsWith("HTTP/1.1 403 Forbidden\r\n").endsWith("permission denied: chat:b\"}}");
        assertThat(core.closed).containsExactly(DisconnectReason.PERMISSION_DENIED);
        write(A, publication(2, "2"));
        assertThat(sent()).isEmpty();
    }

    @Test
    void clientThatLeavesBeforeTheStreamIsForgotten() {
        ask("channel=chat:a&channel=chat:b");
        answer(A, live(0));
        write(A, publication(1, "1"));

        channel.close();

        assertThat(core.closed).containsExactly(DisconnectReason.BY_CLIENT);
        answer(B, live(0));
        assertThat(sent()).isEmpty();
    }

    @Test
    void clientThatLeavesIsReportedOnce() {
        stream();

        channel.close();
        core.outlet.disconnect(DisconnectReason.SLOW);
        channel.runPendingTasks();

        assertThat(core.closed).containsExactly(DisconnectReason.BY_CLIENT);
        write(A, publication(1, "1"));
        assertThat(sent()).isEmpty();
    }

    @Test
    void endOfAChannelWhileAnotherIsAskedForIsToldInItsPlace() {
        ask("channel=chat:a&channel=chat:b");
        answer(A, live(0));
        core.outlet.ended(A, UnsubscribeReason.BY_HOST);

        answer(B, live(0));

        assertThat(sent()).endsWith("event: ended\ndata: {\"channel\":\"chat:a\",\"reason\":\"BY_HOST\"}\n\n");
        assertThat(channel.isOpen()).isTrue();
    }

    @Test
    void stalledClientIsCutAfterItsFarewell() {
        stream();
        isStalled = true;

        core.outlet.disconnect(DisconnectReason.SLOW);
        pass(4);
        assertThat(channel.isOpen()).isTrue();
        pass(2);

        assertThat(channel.isOpen()).isFalse();
        assertThat(core.closed).containsExactly(DisconnectReason.SLOW);
    }

    @Test
    void fullSocketIsNotWrittenToAndItsReliefIsPassedOn() {
        stream();
        isStalled = true;
        write(A, publication(1, "x".repeat(70_000)));
        assertThat(core.outlet.isWritable()).isFalse();
        int before = core.writable;
        pass(20);

        isStalled = false;
        channel.flush();

        assertThat(core.outlet.isWritable()).isTrue();
        assertThat(core.writable).isGreaterThan(before);
        assertThat(sent()).endsWith("x\n\n");
    }

    @Test
    void closingTransportSaysSo() {
        stream();

        channel.pipeline().fireUserEventTriggered(TransportClosing.NOW);

        assertThat(sent())
                .isEqualTo("event: disconnect\ndata: {\"code\":3001,\"reason\":\"shutdown\",\"reconnect\":true}\n\n");
        assertThat(channel.isOpen()).isFalse();
    }
}
