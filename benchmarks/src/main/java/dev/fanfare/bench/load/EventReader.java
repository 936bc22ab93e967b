package dev.fanfare.bench.load;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** Reads a channel as an event stream. */
final class EventReader extends Reader<HttpObject> {

    private final Target target;
    private final String channel;

    EventReader(Target target, String channel, Consumer<@Nullable String> opened, IntConsumer received) {
        super(HttpObject.class, opened, received);
        this.target = target;
        this.channel = channel;
    }

    @Override
    void addTo(ChannelPipeline pipeline) {
        pipeline.addLast(new HttpClientCodec(), this);
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        super.channelActive(ctx);
        HttpRequest request =
                new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/sse?channel=" + channel);
        request.headers().set(HttpHeaderNames.HOST, target.host()).set(HttpHeaderNames.ACCEPT, "text/event-stream");
        ctx.writeAndFlush(request, ctx.voidPromise());
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, HttpObject message) {
        if (message instanceof HttpResponse response && !response.status().equals(HttpResponseStatus.OK)) {
            fail(ctx, response.status().toString());
        } else if (message instanceof HttpContent content && content.content().isReadable()) {
            open(); // the first that comes is the hint when to retry
            scan(content.content());
        }
    }
}
