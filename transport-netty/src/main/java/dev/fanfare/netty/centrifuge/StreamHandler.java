package dev.fanfare.netty.centrifuge;

import dev.fanfare.DisconnectReason;
import dev.fanfare.netty.http.NetworkFailure;
import dev.fanfare.netty.http.TransportClosing;
import dev.fanfare.spi.LogLine;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;

/**
 * Passes the events of a channel that streams on to its session. Whatever the client still sends on it is
 * thrown away: its commands come another way.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class StreamHandler extends ChannelInboundHandlerAdapter {

    private static final LogLine FAILED =
            LogLine.error(StreamHandler.class, "A stream failed; this is a bug in Fanfare");

    private final Session session;
    private final Inbox inbox;

    StreamHandler(Session session, Inbox inbox) {
        this.session = session;
        this.inbox = inbox;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ReferenceCountUtil.release(message);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        session.writabilityChanged();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == TransportClosing.NOW) {
            session.outlet().disconnect(DisconnectReason.SHUTDOWN);
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        inbox.close();
        session.lost();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        inbox.close();
        session.lost();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!NetworkFailure.is(cause)) {
            FAILED.logTrace(cause, "peer", ctx.channel().remoteAddress());
        }
        ctx.close();
    }
}
