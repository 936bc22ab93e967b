package dev.fanfare.bench.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * One connection that publishes with {@code POST /api/publish}, one request at a time; what is due meanwhile waits.
 *
 * <p><b>Threading:</b> confined to the event loop.
 */
final class Publisher extends SimpleChannelInboundHandler<FullHttpResponse> {

    private static final int LARGEST = 1 << 20;

    private final Target target;
    private final Plan plan;
    private final int payloadBytes;
    private final Deque<Integer> due = new ArrayDeque<>();
    private @Nullable Channel channel;
    private boolean isBusy;
    private int refused;
    private @Nullable String fault;

    Publisher(Target target, Plan plan, int payloadBytes) {
        this.target = target;
        this.plan = plan;
        this.payloadBytes = payloadBytes;
    }

    /** Adds what is needed to a fresh connection. */
    void addTo(ChannelPipeline pipeline) {
        pipeline.addLast(new HttpClientCodec(), new HttpObjectAggregator(LARGEST), this);
    }

    /** Publishes as soon as those before it are answered. */
    void publish(int publication) {
        due.add(publication);
        publishNext();
    }

    /** Returns how many publications the server did not take. */
    int refused() {
        return refused + due.size() + (isBusy ? 1 : 0);
    }

    /** Returns what the server said when it did not take one; null if it took them all. */
    @Nullable
    String fault() {
        return fault;
    }

    private void publishNext() {
        Channel open = channel;
        if (isBusy || open == null || due.isEmpty()) {
            return;
        }
        isBusy = true;
        open.writeAndFlush(request(due.remove()), open.voidPromise());
    }

    private HttpRequest request(int publication) {
        String body = "{\"channel\":\"" + target.channel(plan.channelOf(publication)) + "\",\"data\":"
                + Marks.payload(publication, payloadBytes) + "}";
        byte[] bytes = body.getBytes(UTF_8);
        HttpRequest request = new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1, HttpMethod.POST, "/api/publish", Unpooled.wrappedBuffer(bytes));
        request.headers()
                .set(HttpHeaderNames.HOST, target.host())
                .set(HttpHeaderNames.CONTENT_TYPE, "application/json")
                .set(HttpHeaderNames.CONTENT_LENGTH, bytes.length);
        if (!target.apiKey().isEmpty()) {
            request.headers().set("X-API-Key", target.apiKey());
        }
        return request;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        channel = ctx.channel();
        publishNext();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FullHttpResponse response) {
        String answer = response.content().toString(UTF_8);
        if (!response.status().equals(HttpResponseStatus.OK) || answer.contains("\"error\"")) {
            refused++;
            fault = response.status() + " " + answer;
        }
        isBusy = false;
        publishNext();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fault = fault == null ? "closed by the server" : fault;
        channel = null;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fault = cause.toString();
        ctx.close();
    }
}
