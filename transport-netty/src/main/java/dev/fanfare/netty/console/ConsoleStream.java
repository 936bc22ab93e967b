package dev.fanfare.netty.console;

import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.TransportClosing;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends the totals to one page, once a second as a server-sent event, as long as it reads. A page that does not keep
 * up misses some, which it can see by their time.
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

    private final Consumer<ByteBuf> writer;
    private final Runnable end;
    private @Nullable ScheduledFuture<?> timer;

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
        ByteBuf head = ctx.alloc().ioBuffer();
        JsonText.raw(head, HEAD);
        ctx.writeAndFlush(head, ctx.voidPromise());
        timer = ctx.executor().scheduleAtFixedRate(() -> send(ctx), 0, 1, TimeUnit.SECONDS);
    }

    private void send(ChannelHandlerContext ctx) {
        if (ctx.channel().isWritable()) {
            ByteBuf event = ctx.alloc().ioBuffer();
            JsonText.raw(event, "data: ");
            writer.accept(event);
            JsonText.raw(event, "\n\n");
            ctx.writeAndFlush(event, ctx.voidPromise());
        }
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
            end.run();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }
}
