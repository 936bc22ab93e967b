package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import dev.fanfare.Rejection;
import dev.fanfare.netty.connection.TransportContext;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns an HTTP connection into one of the Centrifuge client protocol, if the request is a WebSocket
 * handshake that we take.
 *
 * <p><b>Threading:</b> thread-safe; called on the channel's event loop.
 */
public final class CentrifugeUpgrade {

    private final TransportContext context;
    private final Deflate deflate = new Deflate();
    private final WireFormat compressedJson = WireFormat.compressedJson(deflate);
    private final WireFormat compressedProtobuf = WireFormat.compressedProtobuf(deflate);

    /** Upgrades connections of that transport. */
    public CentrifugeUpgrade(TransportContext context) {
        this.context = requireNonNull(context, "context");
    }

    /**
     * Answers the request: with 101, after which the pipeline, from the HTTP decoder on, is no longer HTTP;
     * or with a refusal, after which the connection is closed. The request stays the caller's to release.
     *
     * @param ctx any context of the channel's pipeline
     * @param request a GET request for the endpoint, from a client that sends nothing before the answer
     */
    public void upgrade(ChannelHandlerContext ctx, HttpRequest request) {
        UpgradeRequest asked = new UpgradeRequest(request);
        String refusal = refusal(asked);
        if (refusal != null) {
            refuse(ctx, refusal);
        } else {
            accept(ctx.channel(), asked);
        }
    }

    /** Returns status line and own headers of the answer, if the request is not one to take. */
    private @Nullable String refusal(UpgradeRequest asked) {
        HttpHeaders headers = asked.headers();
        if (!asked.isWebSocket()) {
            rejected(Rejection.NOT_FOUND);
            return "426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13";
        }
        if (!asked.isWellFormed()) {
            rejected(Rejection.MALFORMED);
            return "400 Bad Request";
        }
        boolean isAllowed = context.settings()
                .allowedOrigins()
                .allows(headers.get(HttpHeaderNames.ORIGIN), headers.get(HttpHeaderNames.HOST));
        if (isAllowed) {
            return null;
        }
        rejected(Rejection.FORBIDDEN_ORIGIN);
        return "403 Forbidden";
    }

    private void rejected(Rejection reason) {
        context.gateway().listener().onReject(reason);
    }

    private void accept(Channel channel, UpgradeRequest asked) {
        boolean isCompressed = context.settings().compresses() && asked.offersCompression();
        WireFormat plain = asked.format();
        WireFormat format = isCompressed ? compressed(plain) : plain;
        int maxBytes = context.settings().maxMessageBytes();
        Session session = new Session(context, channel, format, asked.handshake(channel.remoteAddress()));
        if (asked.wantsPingFrames()) {
            session.pingByFrames();
        }
        ChannelPipeline pipeline = channel.pipeline();
        List<ChannelHandler> http = httpHandlers(pipeline);
        // Past the HTTP encoder, and before what the client may have sent already is handed on.
        ByteBuf answer = answer(asked, isCompressed);
        if (http.isEmpty()) {
            channel.writeAndFlush(answer, channel.voidPromise());
        } else {
            pipeline.context(http.get(0)).writeAndFlush(answer);
        }
        pipeline.addLast(decoder(maxBytes, isCompressed), new FrameHandler(session, maxBytes, deflate));
        for (int i = http.size() - 1; i >= 0; i--) {
            pipeline.remove(http.get(i));
        }
        channel.config().setAutoRead(true);
    }

    private WireFormat compressed(WireFormat plain) {
        return plain == WireFormat.PROTOBUF ? compressedProtobuf : compressedJson;
    }

    /** Returns the HTTP decoder and everything behind it; before it may be TLS. */
    private static List<ChannelHandler> httpHandlers(ChannelPipeline pipeline) {
        List<ChannelHandler> handlers = new ArrayList<>(4);
        pipeline.forEach(entry -> {
            ChannelHandler handler = entry.getValue();
            if (!handlers.isEmpty() || handler instanceof HttpRequestDecoder || handler instanceof HttpServerCodec) {
                handlers.add(handler);
            }
        });
        return handlers;
    }

    private static WebSocket13FrameDecoder decoder(int maxBytes, boolean isCompressed) {
        return new WebSocket13FrameDecoder(WebSocketDecoderConfig.newBuilder()
                .expectMaskedFrames(true)
                .allowMaskMismatch(false)
                .allowExtensions(isCompressed)
                .maxFramePayloadLength(maxBytes)
                // Texts are checked as JSON is; and there is no encoder for what the decoder would send.
                .withUTF8Validator(false)
                .closeOnProtocolViolation(false)
                .build());
    }

    private static ByteBuf answer(UpgradeRequest asked, boolean isCompressed) {
        StringBuilder answer = new StringBuilder("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n")
                .append("Connection: Upgrade\r\nSec-WebSocket-Accept: ")
                .append(asked.acceptKey())
                .append("\r\n");
        String subprotocol = asked.subprotocol();
        if (subprotocol != null) {
            answer.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
        }
        if (isCompressed) {
            answer.append("Sec-WebSocket-Extensions: permessage-deflate; "
                    + "server_no_context_takeover; client_no_context_takeover\r\n");
        }
        return Unpooled.copiedBuffer(answer.append("\r\n"), US_ASCII);
    }

    private static void refuse(ChannelHandlerContext ctx, String refusal) {
        String answer = "HTTP/1.1 " + refusal + "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        ByteBuf bytes = Unpooled.copiedBuffer(answer, US_ASCII);
        List<ChannelHandler> http = httpHandlers(ctx.pipeline());
        ChannelHandlerContext before = http.isEmpty() ? ctx : ctx.pipeline().context(http.get(0));
        before.writeAndFlush(bytes).addListener(ChannelFutureListener.CLOSE);
    }
}
