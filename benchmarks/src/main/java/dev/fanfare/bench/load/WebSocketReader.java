package dev.fanfare.bench.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshakerFactory;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler.ClientHandshakeStateEvent;
import io.netty.handler.codec.http.websocketx.WebSocketVersion;
import java.net.URI;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** Reads a channel with the Centrifuge protocol in JSON over WebSocket. */
final class WebSocketReader extends Reader<TextWebSocketFrame> {

    private static final int LARGEST = 1 << 20;
    private static final int PING_BYTES = 2;
    private static final String SUBSCRIBED = "\"id\":2,\"subscribe\"";

    private final Target target;
    private final String channel;

    WebSocketReader(Target target, String channel, Consumer<@Nullable String> opened, IntConsumer received) {
        super(TextWebSocketFrame.class, opened, received);
        this.target = target;
        this.channel = channel;
    }

    @Override
    void addTo(ChannelPipeline pipeline) {
        URI uri = URI.create("ws://" + target.host() + ":" + target.port() + "/connection/websocket");
        pipeline.addLast(
                new HttpClientCodec(),
                new HttpObjectAggregator(LARGEST),
                new WebSocketClientProtocolHandler(WebSocketClientHandshakerFactory.newHandshaker(
                        uri, WebSocketVersion.V13, null, false, new DefaultHttpHeaders(), LARGEST)),
                this);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
            String hello = "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"" + channel + "\"}}";
            ctx.writeAndFlush(new TextWebSocketFrame(hello), ctx.voidPromise());
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, TextWebSocketFrame frame) {
        if (frame.content().readableBytes() == PING_BYTES) {
            ctx.writeAndFlush(new TextWebSocketFrame("{}"), ctx.voidPromise());
        } else if (isOpen()) {
            scan(frame.content());
        } else {
            answered(ctx, frame.content().toString(UTF_8));
        }
    }

    private void answered(ChannelHandlerContext ctx, String replies) {
        if (replies.contains("\"error\"")) {
            fail(ctx, replies);
        } else if (replies.contains(SUBSCRIBED)) {
            open();
        }
    }
}
