package dev.fanfare.netty.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * One request and its answer. The head and the body of an answer go into one buffer and out in one
 * write: {@link #begin}, write the body into the buffer that it returns, {@link #end}.
 *
 * <p>It begins with the head of the request; the body follows, unless the head alone is answered. Then the connection
 * cannot be kept, since the body may still come.
 *
 * <p><b>Lifecycle:</b> ends with {@link #end}, {@link #detach}, or when the client goes away; what is
 * called after that does nothing.
 *
 * <p><b>Threading:</b> confined to {@link #loop}.
 */
public final class Exchange {

    /** Room for the length of a body, which is known only when the body is written. */
    private static final byte[] LENGTH = "content-length:           \r\n".getBytes(US_ASCII);

    private static final int MAX_PARAMETERS = 1024;
    private static final int LAST_DIGIT_FROM_END = 3;
    private static final int LONGEST_WAIT_SECONDS = 10;
    private static final byte[] COMMON_HEAD =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n".getBytes(US_ASCII);

    private final HttpConnection connection;
    private final HttpRequest request;
    private final Body body;
    private final String path;
    private final @Nullable String origin;
    private final boolean isForeign;
    private boolean isKeptAlive;
    private boolean isWhole = true;
    private boolean isOpen = true;
    private @Nullable ByteBuf response;
    private int lengthEnd;
    private int bodyStart;
    private @Nullable Runnable abandoned;

    Exchange(HttpConnection connection, HttpRequest request) {
        this.connection = connection;
        this.request = request;
        this.body = new Body(connection.bodies());
        this.path = path(request.uri());
        this.origin = request.headers().get(HttpHeaderNames.ORIGIN);
        this.isForeign = origin != null
                && connection.origins().isForeign(origin, request.headers().get(HttpHeaderNames.HOST));
        this.isKeptAlive = HttpUtil.isKeepAlive(request);
    }

    /** Returns the method. */
    public HttpMethod method() {
        return request.method();
    }

    /** Returns the path as it was sent, still percent-encoded, without the query. */
    public String path() {
        return path;
    }

    /**
     * Returns the path, percent-decoded.
     *
     * @throws RequestRefused if it cannot be decoded
     */
    public String decodedPath() {
        try {
            return QueryStringDecoder.decodeComponent(path.replace("+", "%2B"));
        } catch (IllegalArgumentException garbled) {
            throw RequestRefused.badRequest("the path is not percent-encoded properly");
        }
    }

    /**
     * Returns the query's parameters, decoded, in their order.
     *
     * @throws RequestRefused if they cannot be decoded
     */
    public Map<String, List<String>> query() {
        try {
            return new QueryStringDecoder(request.uri(), UTF_8, true, MAX_PARAMETERS, true).parameters();
        } catch (IllegalArgumentException garbled) {
            throw RequestRefused.badRequest("the query is not percent-encoded properly");
        }
    }

    /** Returns the first value of each of the query's parameters. */
    public Map<String, String> firstParameters() {
        Map<String, String> first = new LinkedHashMap<>();
        query().forEach((name, values) -> first.put(name, values.get(0)));
        return first;
    }

    /** Returns the first value of each header, names in lower case. */
    public Map<String, String> firstHeaders() {
        Map<String, String> first = new LinkedHashMap<>();
        for (Map.Entry<String, String> header : request.headers()) {
            first.putIfAbsent(header.getKey().toLowerCase(Locale.ROOT), header.getValue());
        }
        return first;
    }

    /** Returns the headers. */
    public HttpHeaders headers() {
        return request.headers();
    }

    /** Returns the body, perhaps without bytes; the caller may keep it. */
    public byte[] body() {
        return body.whole();
    }

    /** Has the body count as held, also when this is over, until the task that this returns is run; on any thread. */
    Runnable lendBody() {
        return body.lend();
    }

    /** Returns the body while it arrives. */
    Body arriving() {
        return body;
    }

    /** Takes note that not all of the request is there. */
    void expectMore() {
        isWhole = false;
    }

    /** Takes note that all of the request is there. */
    void complete() {
        isWhole = true;
    }

    /** Tells whether all of the request is there. */
    boolean isWhole() {
        return isWhole;
    }

    /** Tells whether another request may follow on the connection. */
    boolean isKeptAlive() {
        return isKeptAlive && isWhole;
    }

    /** Returns the peer's address, without its port. */
    public String remoteAddress() {
        SocketAddress address = channel().remoteAddress();
        if (address instanceof InetSocketAddress internet) {
            return internet.getAddress() == null
                    ? internet.getHostString()
                    : internet.getAddress().getHostAddress();
        }
        return String.valueOf(address);
    }

    /** Returns the loop that confines this exchange. */
    public EventLoop loop() {
        return channel().eventLoop();
    }

    /** Tells whether an answer is still wanted. */
    public boolean isOpen() {
        return isOpen;
    }

    /** Returns the request's head, for protocols that start from it. */
    public HttpRequest request() {
        return request;
    }

    /** Returns the place in the pipeline that this exchange goes through. */
    public ChannelHandlerContext context() {
        return connection.context();
    }

    /** Tells whether the request comes from a page whose origin is not allowed. */
    public boolean isForeign() {
        return isForeign;
    }

    /** Tells whether the request comes from a page of another server that was allowed. */
    boolean isAllowedOrigin() {
        return origin != null && connection.origins().allowed().isListed(origin);
    }

    /** Has the task run if the client goes away before it is answered. */
    public void whenAbandoned(Runnable task) {
        abandoned = task;
    }

    /** Begins an answer without further headers. */
    public ByteBuf begin(int status, CharSequence contentType) {
        return begin(status, contentType, List.of());
    }

    /**
     * Begins an answer.
     *
     * @param more further headers: name, value, name, value …
     * @return where to write the body
     */
    @CanIgnoreReturnValue
    public ByteBuf begin(int status, CharSequence contentType, List<String> more) {
        ByteBuf out = begun();
        if (isCommon(status, contentType, more)) {
            out.writeBytes(COMMON_HEAD);
        } else {
            writeHead(out, status, contentType, more);
        }
        if (status != 204 && status != 304) {
            out.writeBytes(LENGTH);
            lengthEnd = out.writerIndex() - LAST_DIGIT_FROM_END;
        }
        out.writeShort('\r' << 8 | '\n');
        bodyStart = out.writerIndex();
        return out;
    }

    private ByteBuf begun() {
        if (response != null) {
            response.release();
        }
        lengthEnd = 0;
        response = context().alloc().ioBuffer(256);
        return response;
    }

    private boolean isCommon(int status, CharSequence contentType, List<String> more) {
        return status == 200
                && contentType == MediaTypes.JSON
                && origin == null
                && isKeptAlive()
                && more.isEmpty()
                && request.protocolVersion().equals(HttpVersion.HTTP_1_1);
    }

    private void writeHead(ByteBuf out, int status, CharSequence contentType, List<String> more) {
        writeStatus(out, status);
        if (status != 204 && status != 304) {
            writeHeader(out, "content-type", contentType);
        }
        for (int i = 0; i + 1 < more.size(); i += 2) {
            writeHeader(out, more.get(i), more.get(i + 1));
        }
        writeOriginHeaders(out);
        if (!isKeptAlive()) {
            writeHeader(out, "connection", "close");
        } else if (!request.protocolVersion().equals(HttpVersion.HTTP_1_1)) {
            writeHeader(out, "connection", "keep-alive");
        }
    }

    /** Writes a status line. */
    public static void writeStatus(ByteBuf out, int status) {
        ByteBufUtil.writeAscii(out, "HTTP/1.1 ");
        ByteBufUtil.writeAscii(out, HttpResponseStatus.valueOf(status).toString());
        out.writeShort('\r' << 8 | '\n');
    }

    /** Writes a header; the caller knows that neither name nor value breaks lines. */
    public static void writeHeader(ByteBuf out, CharSequence name, CharSequence value) {
        ByteBufUtil.writeAscii(out, name);
        out.writeShort(':' << 8 | ' ');
        ByteBufUtil.writeUtf8(out, value);
        out.writeShort('\r' << 8 | '\n');
    }

    /** Writes the headers that let a page of an allowed origin read the answer. */
    public void writeOriginHeaders(ByteBuf out) {
        if (origin == null) {
            return;
        }
        if (isAllowedOrigin()) {
            writeHeader(out, "access-control-allow-origin", origin);
            if (connection.origins().withCredentials()) {
                writeHeader(out, "access-control-allow-credentials", "true");
            }
        }
        writeHeader(out, "vary", "origin");
    }

    /** Sends the answer that was begun. */
    public void end() {
        ByteBuf out = response;
        if (out == null) {
            throw new IllegalStateException("end() without begin()");
        }
        response = null;
        if (!isOpen) {
            out.release();
            return;
        }
        writeLength(out, out.writerIndex() - bodyStart);
        if (method().equals(HttpMethod.HEAD) || lengthEnd == 0) {
            out.writerIndex(bodyStart); // a status that has no body has none, whatever was written
        }
        over();
        connection.answered(this, out);
    }

    private void over() {
        isOpen = false;
        body.release();
    }

    private void writeLength(ByteBuf out, int length) {
        if (lengthEnd == 0) {
            return;
        }
        int index = lengthEnd;
        int rest = length;
        do {
            out.setByte(index--, '0' + rest % 10);
            rest /= 10;
        } while (rest > 0);
    }

    /** Sends an answer that is only an error, with the status as its code. */
    public void fail(int status, String message) {
        fail(status, status, message);
    }

    /** Sends an answer that is only an error: {@code {"error":{"code":…,"message":…}}}. */
    public void fail(int status, int code, String message) {
        begin(status, MediaTypes.JSON, List.of());
        endWithError(code, message);
    }

    /**
     * Sends 503, for want of room: the client may come again, each at a moment of its own, so that those who are turned
     * away together do not come back together. Then the connection is closed.
     */
    public void failForNow(int code, String message) {
        int wait = ThreadLocalRandom.current().nextInt(1, LONGEST_WAIT_SECONDS + 1);
        closeAfterwards();
        begin(503, MediaTypes.JSON, List.of("retry-after", Integer.toString(wait)));
        endWithError(code, message);
    }

    /** Writes an error as the body of the answer that was begun, and sends it. */
    void endWithError(int code, String message) {
        if (response != null) {
            JsonText.error(response, code, message);
        }
        end();
    }

    /** Has the connection closed after the answer; called before {@link #begin}. */
    public void closeAfterwards() {
        isKeptAlive = false;
    }

    /**
     * Takes the channel out of HTTP's hands: HTTP's handlers leave the pipeline, and the exchange is
     * over without an answer.
     *
     * @param successor gets what the client sends from now on, as plain buffers
     * @return the channel
     */
    @CanIgnoreReturnValue
    public Channel detach(ChannelHandler successor) {
        over();
        connection.detach(successor);
        return channel();
    }

    /** Learns that nobody waits for the answer any more. */
    void abandon() {
        over();
        if (response != null) {
            response.release();
            response = null;
        }
        Runnable task = abandoned;
        if (task != null) {
            abandoned = null;
            task.run();
        }
    }

    /** Says what was asked for, for the log: as it was sent, since decoded it could break lines. */
    @Override
    public String toString() {
        return method() + " " + path;
    }

    private Channel channel() {
        return context().channel();
    }

    private static String path(String uri) {
        int start = uri.startsWith("/") ? 0 : pathOfAbsolute(uri);
        int end = uri.indexOf('?', start);
        return uri.substring(start, end < 0 ? uri.length() : end);
    }

    private static int pathOfAbsolute(String uri) {
        int authority = uri.indexOf("://");
        int slash = authority < 0 ? -1 : uri.indexOf('/', authority + 3);
        return Math.max(slash, 0);
    }
}
