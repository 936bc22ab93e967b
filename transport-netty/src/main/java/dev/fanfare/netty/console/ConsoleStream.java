package dev.fanfare.netty.console;

import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.TransportClosing;
import dev.fanfare.spi.LogLine;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends the totals to one page, once a second as a server-sent event, as long as it reads. A page that does not keep
 * up misses some, which it can see by their time. If the totals cannot be told or written, the stream ends, and the page
 * asks anew.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class ConsoleStream extends ChannelInboundHandlerAdapter {

    private static final String HEAD = String.join(
            "\r\n",
            "HTTP/1.1 200 OK",
            "content-type: text/event-stream",
            "cache-control: no-store",
            "x-accel-buffering: no",
            "connection: close",
            "",
            "");

    private static final LogLine FAILED =
            LogLine.error(ConsoleStream.class, "A stream of the console failed; this is a bug in Fanfare");

    private final Consumer<ByteBuf> writer;
    private final Runnable end;
    private @Nullable ScheduledFuture<?> timer;
    private boolean isOver;

    private ConsoleStream(Consumer<ByteBuf> writer, Runnable end) {
        this.writer = writer;
        this.end = end;
    }

    /** Begins; the end is told once. */
    static void open(Exchange exchange, Consumer<ByteBuf> writer, Runnable end) {
        exchange.detach(new ConsoleStream(writer, end));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        timer = ctx.executor().scheduleAtFixedRate(() -> send(ctx), 0, 1, TimeUnit.SECONDS);
        write(ctx, head -> JsonText.raw(head, HEAD));
    }

    private void send(ChannelHandlerContext ctx) {
        if (ctx.channel().isWritable()) {
            write(ctx, event -> {
                JsonText.raw(event, "data: ");
                writer.accept(event);
                JsonText.raw(event, "\n\n");
            });
        }
    }

    /** Writes a piece; if it cannot be told or sent, nobody would miss the next ones, so that is the end. */
    private static void write(ChannelHandlerContext ctx, Consumer<ByteBuf> content) {
        ByteBuf piece = ctx.alloc().ioBuffer();
        try {
            content.accept(piece);
        } catch (RuntimeException broken) {
            piece.release();
            FAILED.logTrace(broken);
            ctx.close();
            return;
        }
        ctx.writeAndFlush(piece).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ReferenceCountUtil.release(message);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == TransportClosing.NOW) {
            ctx.close();
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        stop();
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        stop();
    }

    private void stop() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
        if (!isOver) {
            isOver = true;
            end.run();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }
}
