package dev.fanfare.netty.centrifuge;

import dev.fanfare.DisconnectReason;
import dev.fanfare.netty.http.NetworkFailure;
import dev.fanfare.netty.http.TransportClosing;
import dev.fanfare.spi.LogLine;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.util.ReferenceCountUtil;
import java.util.zip.DataFormatException;

/**
 * Turns WebSocket frames into messages for the session, inflated if they are compressed, and answers control frames. What comes after the
 * end has begun is thrown away, but for the client's own Close.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class FrameHandler extends ChannelInboundHandlerAdapter {

    private static final LogLine FAILED =
            LogLine.error(FrameHandler.class, "A WebSocket failed; this is a bug in Fanfare");

    /** The first of the reserved bits; only where compression was agreed upon does the decoder let it pass. */
    private static final int COMPRESSED = 4;

    private final Session session;
    private final ClientOutlet outlet;
    private final MessageAssembly assembly;
    private final int maxMessageBytes;
    private final Deflate deflate;
    private boolean isCompressed;

    FrameHandler(Session session, int maxMessageBytes, Deflate deflate) {
        this.session = session;
        this.outlet = session.outlet();
        this.assembly = new MessageAssembly(maxMessageBytes);
        this.maxMessageBytes = maxMessageBytes;
        this.deflate = deflate;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        session.begin();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
            if (message instanceof CloseWebSocketFrame close) {
                outlet.farewellCame(WebSocketFraming.closeEcho(ctx.alloc(), close.content()));
            } else if (message instanceof WebSocketFrame frame && !outlet.isEnding()) {
                outlet.beginRead();
                read(ctx, frame);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void read(ChannelHandlerContext ctx, WebSocketFrame frame) {
        if (frame instanceof PingWebSocketFrame) {
            outlet.answer(WebSocketFraming.pong(ctx.alloc(), frame.content()));
        } else if (frame instanceof PongWebSocketFrame) {
            session.pongFrame();
        } else {
            readData(ctx, frame);
        }
    }

    private void readData(ChannelHandlerContext ctx, WebSocketFrame frame) {
        boolean isContinued = frame instanceof ContinuationWebSocketFrame;
        if (!isContinued) {
            isCompressed = frame.rsv() == COMPRESSED;
        }
        if (frame.rsv() != 0 && (isContinued || !isCompressed)) {
            violated(ctx, WebSocketCloseStatus.PROTOCOL_ERROR);
        } else if (assembly.exceeds(frame.content())) {
            violated(ctx, WebSocketCloseStatus.MESSAGE_TOO_BIG);
        } else if (frame.isFinalFragment()) {
            receive(ctx, assembly.complete(frame.content()));
        } else if (!assembly.add(frame.content())) {
            violated(ctx, WebSocketCloseStatus.PROTOCOL_ERROR);
        }
    }

    private void receive(ChannelHandlerContext ctx, byte[] message) {
        if (!isCompressed) {
            session.receive(message);
            return;
        }
        try {
            byte[] inflated = deflate.inflate(message, maxMessageBytes);
            if (inflated == null) {
                violated(ctx, WebSocketCloseStatus.MESSAGE_TOO_BIG);
            } else {
                session.receive(inflated);
            }
        } catch (DataFormatException garbage) {
            violated(ctx, WebSocketCloseStatus.INVALID_PAYLOAD_DATA);
        }
    }

    private void violated(ChannelHandlerContext ctx, WebSocketCloseStatus status) {
        String reason = status.equals(WebSocketCloseStatus.MESSAGE_TOO_BIG)
                ? "message larger than " + maxMessageBytes + " bytes"
                : status.reasonText();
        outlet.violated(WebSocketFraming.close(ctx.alloc(), status.code(), reason));
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        outlet.endRead();
        ctx.fireChannelReadComplete();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        session.writabilityChanged();
        ctx.fireChannelWritabilityChanged();
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
    public void channelInactive(ChannelHandlerContext ctx) {
        session.lost();
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        session.lost();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof CorruptedWebSocketFrameException corrupted) {
            violated(ctx, corrupted.closeStatus());
        } else if (NetworkFailure.is(cause)) {
            ctx.close();
        } else {
            FAILED.logTrace(cause, "peer", ctx.channel().remoteAddress());
            outlet.disconnect(DisconnectReason.INTERNAL_ERROR);
        }
    }
}
