package dev.fanfare.netty.console;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.faults.CausesFault;
import dev.fanfare.netty.http.Bodies;
import dev.fanfare.netty.http.HttpConnection;
import dev.fanfare.netty.http.HttpLimits;
import dev.fanfare.netty.http.Origins;
import dev.fanfare.netty.http.Router;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ConsoleStreamTest {

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final AtomicInteger ends = new AtomicInteger();
    private boolean isBroken;

    ConsoleStreamTest() {
        Router router = Router.builder()
                .add("GET", "/stream", exchange -> ConsoleStream.open(exchange, this::totals, ends::incrementAndGet))
                .build();
        channel.freezeTime();
        channel.config().setAllocator(allocator);
        channel.pipeline()
                .addLast(new HttpConnection(router, Origins.of(List.of()), HttpLimits.standard(), new Bodies(1 << 20)));
    }

    @AfterEach
    void end() {
        channel.finishAndReleaseAll();
        assertThat(allocator.metric().usedDirectMemory()).as("bytes leaked").isZero();
        assertThat(allocator.metric().usedHeapMemory()).as("bytes leaked").isZero();
    }

    private void totals(ByteBuf out) {
        out.writeByte('{');
        if (isBroken) {
            throw new IllegalStateException("the test wants this");
        }
        out.writeByte('}');
    }

    private void open() {
        channel.writeInbound(Unpooled.copiedBuffer("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", UTF_8));
        channel.runScheduledPendingTasks();
    }

    private void passASecond() {
        channel.advanceTimeBy(1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
    }

    private String sent() {
        StringBuilder text = new StringBuilder();
        ByteBuf out;
        while ((out = channel.readOutbound()) != null) {
            text.append(out.toString(UTF_8));
            out.release();
        }
        return text.toString();
    }

    @Test
    void theTotalsComeAtOnceAndThenEverySecond() {
        open();
        assertThat(sent()).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\ndata: {}\n\n");

        passASecond();

        assertThat(sent()).isEqualTo("data: {}\n\n");
    }

    @Test
    @CausesFault("A stream of the console failed")
    void totalsThatCannotBeToldEndTheStreamForThePageToAskAnew() {
        open();
        isBroken = true;

        passASecond();

        assertThat(channel.isOpen()).isFalse();
        assertThat(ends).hasValue(1);
    }

    @Test
    void aWriteThatFailsEndsTheStream() {
        open();
        channel.pipeline().addFirst(new FailingSocket());

        passASecond();

        assertThat(channel.isOpen()).isFalse();
        assertThat(ends).hasValue(1);
    }

    @Test
    void aFirstWriteThatFailsEndsTheStream() {
        channel.pipeline().addFirst(new FailingSocket());

        open();

        assertThat(channel.isOpen()).isFalse();
        assertThat(ends).hasValue(1);
    }

    @Test
    void aPageThatGoesEndsTheStreamOnce() {
        open();

        channel.close();
        passASecond();

        assertThat(ends).hasValue(1);
    }

    /** Cannot write any more. */
    private static final class FailingSocket extends ChannelOutboundHandlerAdapter {
        @Override
        public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
            ReferenceCountUtil.release(message);
            promise.tryFailure(new IOException("the test wants this"));
        }
    }
}
