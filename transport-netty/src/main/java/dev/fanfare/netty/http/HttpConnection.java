package dev.fanfare.netty.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.fanfare.Rejection;
import dev.fanfare.spi.LogLine;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP side of one channel: collects a request, hands it to the {@link Router}, writes the answer,
 * and only then looks at the next one.
 *
 * <p>Implementation notes.
 *
 * <p><i>State.</i> Receiving (nothing, or a part of a request), answering (one {@link Exchange}), or
 * lingering (refused; what still comes is thrown away until the client stops or a short time is over,
 * since closing at once would make the kernel throw away the refusal as well).
 *
 * <p><i>Ordering.</i> What arrives of later requests while one is being answered waits in {@link
 * #waiting}, and reading stops with the first such piece. Answers therefore leave in order.
 *
 * <p><i>Bounds.</i> Line, headers and body by {@link HttpLimits}; {@link #waiting} by what one read
 * brings; answers by the channel's watermark, over which no further request is begun.
 *
 * <p><i>Time.</i> One timer per channel, moved only to an earlier time; when it fires too early it sets
 * itself anew. So a busy connection costs no timer per request.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
public final class HttpConnection extends ChannelInboundHandlerAdapter {

    private static final Logger LOG = LoggerFactory.getLogger(HttpConnection.class);
    private static final LogLine FAILED =
            LogLine.error(HttpConnection.class, "An HTTP connection failed; this is a bug in Fanfare");
    private static final LogLine BROKEN = LogLine.warn(HttpConnection.class, "A request failed");
    private static final byte[] NOTHING = new byte[0];
    private static final byte[] CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n".getBytes(US_ASCII);
    private static final int LARGEST_PIECE = 64 * 1024;
    private static final HttpRequest UNKNOWN = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/");

    private final Router router;
    private final Origins origins;
    private final HttpLimits limits;
    private final HttpRequestDecoder decoder;
    private final ArrayDeque<Object> waiting = new ArrayDeque<>(2);
    private @Nullable ChannelHandlerContext context;
    private @Nullable HttpRequest receiving;
    private byte[] body = NOTHING;
    private int bodyLength;
    private @Nullable Exchange current;
    private boolean isReading;
    private boolean isFlushDue;
    private boolean isDraining;
    private boolean isLingering;
    private boolean isClosing;
    private boolean isAgreeingOnTls;
    private boolean hasAgreedOnTls;
    private boolean hasAsked;
    private boolean hasAccepted;
    private boolean isRequestBegun;
    private long deadline;
    private long timerAt;
    private long unsent;
    private @Nullable ScheduledFuture<?> timer;

    /** Makes the handler; it brings its own decoder when it is added to a pipeline. */
    public HttpConnection(Router router, Origins origins, HttpLimits limits) {
        this.router = router;
        this.origins = origins;
        this.limits = limits;
        this.decoder = new HttpRequestDecoder(new HttpDecoderConfig()
                .setMaxInitialLineLength(limits.maxLineBytes())
                .setMaxHeaderSize(limits.maxHeaderBytes())
                .setMaxChunkSize(LARGEST_PIECE));
    }

    Origins origins() {
        return origins;
    }

    ChannelHandlerContext context() {
        ChannelHandlerContext present = context;
        if (present == null) {
            throw new IllegalStateException("not in a pipeline");
        }
        return present;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        ctx.pipeline().addBefore(ctx.name(), null, decoder);
        isAgreeingOnTls = ctx.pipeline().get(SslHandler.class) != null;
        if (ctx.channel().isActive()) {
            expectFirstRequest();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        expectFirstRequest();
        ctx.fireChannelActive();
    }

    /** Gives who connected no longer to begin than a request may take; who has asked something may rest. */
    private void expectFirstRequest() {
        if (!isAgreeingOnTls) { // for which the handler of TLS has a time limit
            expectWithin(limits.requestTime());
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        isReading = true;
        if (isLingering || !(message instanceof HttpObject)) {
            ReferenceCountUtil.release(message);
        } else if (waiting.isEmpty() && canAccept()) {
            accept(message);
        } else {
            waiting.add(message);
            ctx.channel().config().setAutoRead(false);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        isReading = false;
        if (isFlushDue) {
            isFlushDue = false;
            ctx.flush();
        }
        if (receiving != null || !hasAccepted) {
            partArrived();
        }
        hasAccepted = false;
        ctx.fireChannelReadComplete();
    }

    /** Notes that a request has begun to arrive and is not complete: from now on its time runs. */
    private void partArrived() {
        if (current == null && !isLingering && !isRequestBegun && !isAgreeingOnTls) {
            isRequestBegun = true;
            expectWithin(limits.requestTime());
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        drain();
        ctx.fireChannelWritabilityChanged();
    }

    private boolean canAccept() {
        return current == null && !isLingering && context().channel().isWritable();
    }

    /** Goes on with what arrived while an answer was being made. */
    private void drain() {
        if (isDraining || waiting.isEmpty()) {
            return;
        }
        isDraining = true;
        while (!waiting.isEmpty() && canAccept()) {
            accept(waiting.remove());
        }
        isDraining = false;
        if (waiting.isEmpty()) {
            context().channel().config().setAutoRead(true);
            if (receiving != null) {
                partArrived();
            }
        }
    }

    private void accept(Object message) {
        hasAccepted = true;
        try {
            if (((HttpObject) message).decoderResult().isFailure()) {
                refuseMalformed((HttpObject) message);
                return;
            }
            if (message instanceof HttpRequest request) {
                begin(request);
            }
            if (message instanceof HttpContent content && receiving != null) {
                append(content.content());
                if (content instanceof LastHttpContent && receiving != null) {
                    dispatch(receiving);
                }
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void begin(HttpRequest request) {
        receiving = request;
        hasAsked = true;
        String fault = HttpRules.faultOf(request);
        if (!HttpRules.isKnownVersion(request)) {
            refuse(request, Rejection.HTTP_VERSION, "HTTP/1.1 is spoken here");
        } else if (fault != null) {
            refuse(request, Rejection.MALFORMED, fault);
        } else if (HttpUtil.getContentLength(request, 0L) > limits.maxBodyBytes()) {
            refuse(request, Rejection.TOO_LARGE, "body larger than " + limits.maxBodyBytes() + " bytes");
        } else if (HttpUtil.is100ContinueExpected(request)) {
            context().writeAndFlush(Unpooled.wrappedBuffer(CONTINUE), context().voidPromise());
        }
    }

    private void append(ByteBuf piece) {
        int length = piece.readableBytes();
        if (length == 0) {
            return;
        }
        if (bodyLength + length > limits.maxBodyBytes()) {
            refuse(receiving, Rejection.TOO_LARGE, "body larger than " + limits.maxBodyBytes() + " bytes");
            return;
        }
        if (bodyLength + length > body.length) {
            // Grows with what arrived, never with what was announced.
            int room = bodyLength == 0 ? length : Math.max(bodyLength + length, 2 * bodyLength);
            body = Arrays.copyOf(body, Math.min(room, limits.maxBodyBytes()));
        }
        piece.readBytes(body, bodyLength, length);
        bodyLength += length;
    }

    private void dispatch(HttpRequest request) {
        byte[] whole = bodyLength == body.length ? body : Arrays.copyOf(body, bodyLength);
        forgetRequest();
        Exchange exchange = new Exchange(this, request, whole);
        current = exchange;
        try {
            router.handle(exchange);
        } catch (RequestRefused refused) {
            router.rejected(HttpRules.rejection(refused));
            exchange.fail(refused.status(), refused.code(), refused.text());
        } catch (RuntimeException broken) {
            BROKEN.logTrace(broken, "method", request.method(), "path", exchange.path());
            exchange.fail(500, "internal server error");
        }
    }

    private void forgetRequest() {
        receiving = null;
        body = NOTHING;
        bodyLength = 0;
    }

    private void refuseMalformed(HttpObject message) {
        Throwable cause = message.decoderResult().cause();
        HttpRequest request = message instanceof HttpRequest head ? head : receiving;
        if (cause instanceof TooLongHttpLineException) {
            refuse(request, Rejection.LINE_TOO_LONG, "request line longer than " + limits.maxLineBytes() + " bytes");
        } else if (cause instanceof TooLongHttpHeaderException) {
            refuse(request, Rejection.HEADERS_TOO_LARGE, "headers larger than " + limits.maxHeaderBytes() + " bytes");
        } else {
            refuse(request, Rejection.MALFORMED, "malformed HTTP");
        }
    }

    /** Answers before the request is complete, and gives the connection up. */
    private void refuse(@Nullable HttpRequest request, Rejection reason, String message) {
        router.rejected(reason);
        forgetRequest();
        isLingering = true;
        HttpRequest refused = request != null ? request : UNKNOWN;
        Exchange exchange = new Exchange(this, refused, NOTHING);
        exchange.closeAfterwards();
        exchange.fail(HttpRules.status(reason), message);
    }

    /** Writes the answer of the current exchange. */
    void answered(ByteBuf answer, boolean isKeptAlive) {
        ChannelHandlerContext ctx = context();
        current = null;
        if (isLingering) {
            ctx.writeAndFlush(answer).addListener(done -> stopWriting(ctx, done.isSuccess()));
            linger(ctx, limits.lingerTime());
        } else if (!isKeptAlive || isClosing) {
            isLingering = true;
            ctx.writeAndFlush(answer).addListener(ChannelFutureListener.CLOSE);
            linger(ctx, limits.idleTime());
        } else {
            ctx.write(answer, ctx.voidPromise());
            flushSoon(ctx);
            isRequestBegun = false;
            expectWithin(limits.idleTime());
            drain();
        }
    }

    private void flushSoon(ChannelHandlerContext ctx) {
        if (isReading) {
            isFlushDue = true;
        } else {
            ctx.flush();
        }
    }

    private void linger(ChannelHandlerContext ctx, Duration time) {
        releaseWaiting();
        ctx.channel().config().setAutoRead(true);
        expectWithin(time);
    }

    private static void stopWriting(ChannelHandlerContext ctx, boolean isWritten) {
        if (isWritten && ctx.channel() instanceof DuplexChannel duplex) {
            duplex.shutdownOutput();
        } else {
            ctx.close();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent tls) {
            tlsEnded(tls.isSuccess());
        }
        if (event != TransportClosing.NOW) {
            ctx.fireUserEventTriggered(event);
        } else if (current != null) {
            isClosing = true;
        } else {
            ctx.close();
        }
    }

    private void tlsEnded(boolean isAgreed) {
        isAgreeingOnTls = false;
        hasAgreedOnTls = isAgreed;
        if (isAgreed) {
            expectFirstRequest();
        } else {
            router.rejected(Rejection.NO_TLS);
        }
    }

    /** Leaves the pipeline to a successor, which gets what the client sends from now on. */
    void detach(ChannelHandler successor) {
        ChannelHandlerContext ctx = context();
        current = null;
        ctx.pipeline().addAfter(ctx.name(), null, successor);
        ctx.pipeline().remove(this);
        ctx.pipeline().remove(decoder);
        ctx.channel().config().setAutoRead(true);
    }

    private void expectWithin(Duration time) {
        deadline = now() + time.toNanos();
        if (timer == null || timerAt - deadline > 0) {
            schedule();
        }
    }

    private void schedule() {
        cancelTimer();
        timerAt = deadline;
        timer = context().executor().schedule(this::timePassed, Math.max(0, deadline - now()), TimeUnit.NANOSECONDS);
    }

    private void cancelTimer() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private void timePassed() {
        timer = null;
        if (current != null) {
            // Who answers has a time limit of its own; this one is for what the client does.
            expectWithin(limits.idleTime());
        } else if (deadline - now() > 0) {
            schedule();
        } else if (isRequestBegun && !isLingering) {
            refuse(
                    receiving,
                    Rejection.SLOW_REQUEST,
                    "request took longer than " + limits.requestTime().toSeconds() + " s");
        } else if (isAnswerMoving()) {
            expectWithin(limits.idleTime());
        } else {
            closeQuietly();
        }
    }

    private void closeQuietly() {
        if (!hasAsked) {
            router.rejected(Rejection.SLOW_REQUEST);
        }
        context().close();
    }

    /** Tells whether the client has taken some of a large answer since this was asked last. */
    private boolean isAnswerMoving() {
        ChannelOutboundBuffer buffer = context().channel().unsafe().outboundBuffer();
        long pending = buffer == null ? 0 : buffer.totalPendingWriteBytes();
        boolean isMoving = pending > 0 && pending != unsent;
        unsent = pending;
        return isMoving;
    }

    private long now() {
        return context().executor().ticker().nanoTime();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        leave();
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        leave();
    }

    private void leave() {
        cancelTimer();
        releaseWaiting();
        forgetRequest();
        Exchange abandoned = current;
        if (abandoned != null) {
            current = null;
            abandoned.abandon();
        }
    }

    private void releaseWaiting() {
        waiting.forEach(ReferenceCountUtil::release);
        waiting.clear();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause.getCause() instanceof SSLException noTls) {
            noTls(ctx, noTls);
        } else if (!NetworkFailure.is(cause)) {
            FAILED.logTrace(cause, "peer", ctx.channel().remoteAddress());
        }
        ctx.close();
    }

    private void noTls(ChannelHandlerContext ctx, SSLException failure) {
        if (hasAgreedOnTls) {
            router.rejected(Rejection.MALFORMED);
        }
        LOG.atDebug()
                .addKeyValue("peer", ctx.channel().remoteAddress())
                .addKeyValue("failure", failure)
                .log("No TLS");
    }
}
