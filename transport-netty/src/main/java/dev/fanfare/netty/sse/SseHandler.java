package dev.fanfare.netty.sse;

import dev.fanfare.DisconnectReason;
import dev.fanfare.netty.http.TransportClosing;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes the events of a channel that streams on to its outlet. Whatever the client still sends is
 * thrown away.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class SseHandler extends ChannelInboundHandlerAdapter {

    private static final Logger LOG = LoggerFactory.getLogger(SseHandler.class);

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
        if (!(cause instanceof IOException)) {
            LOG.warn("Event stream of {} failed", ctx.channel().remoteAddress(), cause);
        }
        ctx.close();
    }
}
