package dev.fanfare.netty.sse;

import dev.fanfare.DisconnectReason;
import dev.fanfare.netty.http.NetworkFailure;
import dev.fanfare.netty.http.TransportClosing;
import dev.fanfare.spi.LogLine;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;

/**
 * Passes the events of a channel that streams on to its outlet. Whatever the client still sends is
 * thrown away.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class SseHandler extends ChannelInboundHandlerAdapter {

    private static final LogLine FAILED =
            LogLine.error(SseHandler.class, "An event stream failed; this is a bug in Fanfare");

    private final SseOutlet outlet;

    SseHandler(SseOutlet outlet) {
        this.outlet = outlet;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ReferenceCountUtil.release(message);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        outlet.goOn();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        outlet.gone(DisconnectReason.BY_CLIENT);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == TransportClosing.NOW) {
            outlet.disconnect(DisconnectReason.SHUTDOWN);
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!NetworkFailure.is(cause)) {
            FAILED.logTrace(cause, "peer", ctx.channel().remoteAddress());
        }
        ctx.close();
    }
}
