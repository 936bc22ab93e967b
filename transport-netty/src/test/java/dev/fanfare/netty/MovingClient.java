package dev.fanfare.netty;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.testkit.HistoryChecker;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshakerFactory;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketVersion;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * A client of one channel that does as SDKs do: when it is told to reconnect, it does, to another node, and resumes
 * after the last publication it has. Unlike them it does not try again when it is turned away or gives up: tests that
 * wait in vain are told so by {@link #state}. Confined to its event loop but for {@link #offset} and {@link #state}.
 */
final class MovingClient {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SUBSCRIBE = 2;
    /** Thousands of these on a busy machine take longer than the ten seconds that Netty would wait for each. */
    private static final int PATIENCE_MILLIS = 120_000;

    private final EventLoopGroup loops;
    private final String user;
    private final ChannelId channel;
    private final HistoryChecker.Client seen;
    private final int nextPort;
    private final List<Integer> closeCodes = new CopyOnWriteArrayList<>();
    private volatile String state = "not begun";
    private volatile long offset;
    private String epoch = "";

    MovingClient(EventLoopGroup loops, String user, ChannelId channel, HistoryChecker.Client seen, int nextPort) {
        this.loops = loops;
        this.user = user;
        this.channel = channel;
        this.seen = seen;
        this.nextPort = nextPort;
    }

    ChannelId channel() {
        return channel;
    }

    HistoryChecker.Client seen() {
        return seen;
    }

    long offset() {
        return offset;
    }

    /** Returns with which codes it was closed, and -1 for each time that it could not resume. */
    List<Integer> closeCodes() {
        return closeCodes;
    }

    /** Returns how far it has come, or what went wrong. */
    String state() {
        return state;
    }

    void connect(int port) {
        state = "connecting";
        URI uri = URI.create("ws://localhost:" + port + "/connection/websocket");
        new Bootstrap()
                .group(loops)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, PATIENCE_MILLIS)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel socket) {
                        socket.pipeline()
                                .addLast(
                                        new HttpClientCodec(),
                                        new HttpObjectAggregator(8192),
                                        new WebSocketClientProtocolHandler(
                                                WebSocketClientHandshakerFactory.newHandshaker(
                                                        uri,
                                                        WebSocketVersion.V13,
                                                        null,
                                                        false,
                                                        new DefaultHttpHeaders()),
                                                false,
                                                PATIENCE_MILLIS),
                                        new Conversation());
                    }
                })
                .connect("localhost", port)
                .addListener(connected -> {
                    if (!connected.isSuccess()) {
                        state = "not connected: " + connected.cause();
                    }
                });
    }

    private final class Conversation extends SimpleChannelInboundHandler<WebSocketFrame> {

        private boolean hasMoved;

        private void note(String news) {
            if (!hasMoved) {
                state = news;
            }
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            note("handshake");
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            note("closed after: " + state);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable failure) {
            note(state + ", then " + failure);
            ctx.close();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            note(event.toString());
            if (event == WebSocketClientProtocolHandler.ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
                send(ctx, "{\"id\":1,\"connect\":{\"token\":\"" + user + "\"}}");
            }
        }

        private void send(ChannelHandlerContext ctx, String text) {
            ctx.writeAndFlush(new TextWebSocketFrame(text));
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) throws Exception {
            if (frame instanceof CloseWebSocketFrame close) {
                closeCodes.add(close.statusCode());
                hasMoved = true;
                ctx.close();
                connect(nextPort);
            } else if (frame instanceof TextWebSocketFrame text) {
                for (String line : text.text().split("\n")) {
                    receive(ctx, JSON.readTree(line));
                }
            }
        }

        private void receive(ChannelHandlerContext ctx, JsonNode message) {
            if (message.isEmpty()) {
                send(ctx, "{}");
            } else if (message.has("error")) {
                note(message.toString());
                if (message.path("id").asInt() == SUBSCRIBE
                        && message.at("/error/temporary").asBoolean()) {
                    ctx.executor().schedule(() -> subscribe(ctx), 500, TimeUnit.MILLISECONDS); // as SDKs do
                }
            } else if (message.has("connect")) {
                note("connected");
                subscribe(ctx);
            } else if (message.has("subscribe")) {
                subscribed(message.get("subscribe"));
            } else if (message.path("push").has("pub")) {
                take(message.get("push").get("pub"));
            }
        }

        private void subscribe(ChannelHandlerContext ctx) {
            String from =
                    epoch.isEmpty() ? "" : ",\"recover\":true,\"offset\":" + offset + ",\"epoch\":\"" + epoch + "\"";
            send(ctx, "{\"id\":" + SUBSCRIBE + ",\"subscribe\":{\"channel\":\"" + channel + "\"" + from + "}}");
        }

        private void subscribed(JsonNode answer) {
            note("subscribed");
            Cursor position = Cursor.of(
                    answer.get("epoch").asText(), answer.path("offset").asLong());
            if (epoch.isEmpty()) {
                epoch = position.epoch();
                offset = position.offset();
                seen.resumed(new Resume.Fresh(position));
            } else if (answer.path("recovered").asBoolean()) {
                seen.resumed(new Resume.Continued(Cursor.of(epoch, offset)));
                answer.path("publications").forEach(this::take);
            } else {
                seen.resumed(new Resume.Reset(ResetReason.TOO_FAR, position));
                closeCodes.add(-1);
            }
        }

        private void take(JsonNode publication) {
            offset = publication.get("offset").asLong();
            seen.received(epoch, offset, Payload.of(publication.get("data").toString()));
        }
    }
}
