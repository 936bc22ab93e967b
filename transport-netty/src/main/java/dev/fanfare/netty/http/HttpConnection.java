package dev.fanfare.netty.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

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
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP side of one channel: has the {@link Router} look at the head of a request, collects its body, hands it to its
 * {@link Endpoint}, writes the answer, and only then looks at the next one.
 *
 * <p>Implementation notes.
 *
 * <p><i>State.</i> Receiving (nothing, or a part of a request), answering (one {@link Exchange}), or
 * lingering (refused, or answered before its body was there; what still comes is thrown away until the client stops or a short time is over,
 * since closing at once would make the kernel throw away the refusal as well).
 *
 * <p><i>Ordering.</i> What arrives of later requests while one is being answered waits in {@link
 * #waiting}, and reading stops with the first such piece. Answers therefore leave in order.
 *
 * <p><i>Bounds.</i> Line, headers and body by {@link HttpLimits}, all bodies together by {@link Bodies}; {@link #waiting} by what one read
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
    private static final byte[] CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n".getBytes(US_ASCII);
    private static final int TOO_MANY_REQUESTS = 111;
    private static final int LARGEST_PIECE = 64 * 1024;
    private static final HttpRequest UNKNOWN = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/");

    private final Router router;
    private final Origins origins;
    private final HttpLimits limits;
    private final Bodies bodies;
    private final HttpRequestDecoder decoder;
    private final ArrayDeque<Object> waiting = new ArrayDeque<>(2);
    private @Nullable ChannelHandlerContext context;
    private @Nullable Exchange receiving;
    private @Nullable Endpoint endpoint;
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
    public HttpConnection(Router router, Origins origins, HttpLimits limits, Bodies bodies) {
        this.router = router;
        this.origins = origins;
        this.limits = limits;
        this.bodies = bodies;
        this.decoder = new HttpRequestDecoder(new HttpDecoderConfig()
                .setMaxInitialLineLength(limits.maxLineBytes())
                .setMaxHeaderSize(limits.maxHeaderBytes())
                .setMaxChunkSize(LARGEST_PIECE));
    }

    Origins origins() {
        return origins;
    }

    Bodies bodies() {
        return bodies;
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
            Exchange exchange = receiving;
            if (message instanceof HttpContent content && exchange != null) {
                append(exchange, content.content());
                if (content instanceof LastHttpContent && exchange.isOpen()) {
                    dispatch(exchange);
                }
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void begin(HttpRequest request) {
        hasAsked = true;
        Exchange exchange = new Exchange(this, request);
        receiving = exchange;
        String fault = HttpRules.faultOf(request);
        if (!HttpRules.isKnownVersion(request)) {
            refuse(exchange, Rejection.HTTP_VERSION, "HTTP/1.1 is spoken here");
        } else if (fault != null) {
            refuse(exchange, Rejection.MALFORMED, fault);
        } else {
            if (HttpRules.hasBody(request)) {
                exchange.expectMore();
            }
            attempt(exchange, head -> endpoint = router.admit(head));
            if (exchange.isOpen() && !exchange.isWhole()) {
                admitBody(exchange);
            }
        }
    }

    /** Has the body sent, if one of its size can be taken. */
    private void admitBody(Exchange exchange) {
        long announced = HttpRules.announced(exchange.request());
        if (announced > maxBodyBytes()) {
            refuseTooLarge(exchange);
        } else if (!bodies.hasRoomFor(announced)) {
            refuseForNow(exchange);
        } else if (HttpUtil.is100ContinueExpected(exchange.request())) {
            context().writeAndFlush(Unpooled.wrappedBuffer(CONTINUE), context().voidPromise());
        }
    }

    private int maxBodyBytes() {
        int most = limits.maxBodyBytes();
        return endpoint == null ? most : Math.min(most, endpoint.maxBodyBytes());
    }

    private void append(Exchange exchange, ByteBuf piece) {
        if (!piece.isReadable()) {
            return;
        }
        long announced = HttpRules.announced(exchange.request());
        if (exchange.arriving().length() + piece.readableBytes() > maxBodyBytes()) {
            refuseTooLarge(exchange);
        } else if (!exchange.arriving().add(piece, announced > 0 ? (int) announced : maxBodyBytes())) {
            refuseForNow(exchange);
        }
    }

    private void refuseTooLarge(Exchange exchange) {
        refuse(exchange, Rejection.TOO_LARGE, "body larger than " + maxBodyBytes() + " bytes");
    }

    private void refuseForNow(Exchange exchange) {
        router.rejected(Rejection.REQUESTS_LIMIT);
        exchange.failForNow(TOO_MANY_REQUESTS, "too many requests at once");
    }

    private void dispatch(Exchange exchange) {
        Endpoint taking = endpoint;
        forgetRequest();
        exchange.complete();
        current = exchange;
        attempt(exchange, whole -> requireNonNull(taking).handle(whole));
    }

    private void attempt(Exchange exchange, Consumer<Exchange> step) {
        try {
            step.accept(exchange);
        } catch (RequestRefused refused) {
            router.rejected(HttpRules.rejection(refused));
            exchange.fail(refused.status(), refused.code(), refused.text());
        } catch (RuntimeException broken) {
            BROKEN.logTrace(broken, "method", exchange.method(), "path", exchange.path());
            exchange.fail(500, "internal server error");
        }
    }

    private void forgetRequest() {
        receiving = null;
        endpoint = null;
    }

    private void refuseMalformed(HttpObject message) {
        Throwable cause = message.decoderResult().cause();
        Exchange exchange = message instanceof HttpRequest head ? new Exchange(this, head) : receiving;
        if (cause instanceof TooLongHttpLineException) {
            refuse(exchange, Rejection.LINE_TOO_LONG, "request line longer than " + limits.maxLineBytes() + " bytes");
        } else if (cause instanceof TooLongHttpHeaderException) {
            refuse(exchange, Rejection.HEADERS_TOO_LARGE, "headers larger than " + limits.maxHeaderBytes() + " bytes");
        } else {
            refuse(exchange, Rejection.MALFORMED, "malformed HTTP");
        }
    }

    /** Answers before the request is complete, and gives the connection up. */
    private void refuse(@Nullable Exchange exchange, Rejection reason, String message) {
        router.rejected(reason);
        Exchange refused = exchange != null ? exchange : new Exchange(this, UNKNOWN);
        refused.expectMore();
        refused.fail(HttpRules.status(reason), message);
    }

    /** Writes the answer of an exchange. */
    void answered(Exchange exchange, ByteBuf answer) {
        ChannelHandlerContext ctx = context();
        current = null;
        forgetRequest();
        if (!exchange.isWhole()) {
            isLingering = true;
            ctx.writeAndFlush(answer).addListener(done -> stopWriting(ctx, done.isSuccess()));
            linger(ctx, limits.lingerTime());
        } else if (!exchange.isKeptAlive() || isClosing) {
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
            hasAccepted = true; // what was read was for TLS, and begins no request
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
        if (!hasAsked && !isLingering) { // who lingers was refused, and counted
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
        Exchange abandoned = current != null ? current : receiving;
        current = null;
        forgetRequest();
        if (abandoned != null) {
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
