package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.RefusedException;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.MediaTypes;
import dev.fanfare.netty.http.RequestRefused;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;

/**
 * Turns a request into a connection of the client protocol: its body is the first message of the client, and
 * the endless answer is everything that is said to the client. What the client says later comes to {@link
 * EmulationEndpoint}.
 *
 * <p><b>Threading:</b> thread-safe; each exchange stays on its event loop.
 */
public final class StreamEndpoint implements Endpoint {

    private static final int TOO_LARGE = 413;
    private static final String FIRST_MESSAGE = "cf_connect";

    private final TransportContext context;
    private final boolean isEvents;

    private StreamEndpoint(TransportContext context, boolean isEvents) {
        this.context = context;
        this.isEvents = isEvents;
    }

    /** Answers with lines of JSON, or with Protobuf if the body is {@code application/octet-stream}. */
    public static StreamEndpoint http(TransportContext context) {
        return new StreamEndpoint(context, false);
    }

    /** Answers with server-sent events; the first message may also be in the parameter {@code cf_connect}. */
    public static StreamEndpoint events(TransportContext context) {
        return new StreamEndpoint(context, true);
    }

    @Override
    public int maxBodyBytes() {
        return context.settings().maxMessageBytes();
    }

    @Override
    public void handle(Exchange exchange) {
        if (!exchange.request().protocolVersion().equals(HttpVersion.HTTP_1_1)) {
            throw RequestRefused.badRequest("a stream needs HTTP/1.1");
        }
        if (exchange.method().equals(HttpMethod.HEAD)) {
            exchange.begin(200, contentType(exchange), List.of());
            exchange.end();
            return;
        }
        WireFormat format = format(exchange);
        begin(exchange, format, commands(exchange, format));
    }

    private WireFormat format(Exchange exchange) {
        if (isEvents) {
            return WireFormat.EVENTS;
        }
        return EmulationEndpoint.isProtobuf(exchange) ? WireFormat.STREAM_PROTOBUF : WireFormat.STREAM_JSON;
    }

    private List<Command> commands(Exchange exchange, WireFormat format) {
        byte[] message = firstMessage(exchange);
        if (message.length > context.settings().maxMessageBytes()) {
            throw new RequestRefused(
                    TOO_LARGE,
                    TOO_LARGE,
                    "message larger than " + context.settings().maxMessageBytes() + " bytes");
        }
        try {
            return format.commands().decode(message);
        } catch (BadCommandException e) {
            throw RequestRefused.badRequest("the first message cannot be read");
        }
    }

    private byte[] firstMessage(Exchange exchange) {
        if (exchange.method().equals(HttpMethod.GET)) {
            return exchange.firstParameters().getOrDefault(FIRST_MESSAGE, "").getBytes(UTF_8);
        }
        return exchange.body();
    }

    private void begin(Exchange exchange, WireFormat format, List<Command> first) {
        Channel channel = exchange.context().channel();
        Handshake facts = new Handshake(exchange.firstHeaders(), exchange.firstParameters(), exchange.remoteAddress());
        Inbox inbox = inbox(channel.eventLoop()); // after what can still refuse the request, or nobody would close it
        Session session = new Session(context, channel, format, facts, inbox.address());
        inbox.leadTo(session);
        ByteBuf head = channel.alloc().ioBuffer(512);
        writeHead(head, exchange);
        exchange.detach(new StreamHandler(session, inbox));
        channel.write(head, channel.voidPromise());
        session.begin();
        session.outlet().beginRead();
        session.receive(first);
        session.outlet().endRead();
        channel.flush();
    }

    private Inbox inbox(EventLoop loop) {
        try {
            return new Inbox(context.gateway().mailboxes(), context.gateway().node(), loop);
        } catch (RefusedException full) {
            throw new RequestRefused(503, 100, "too many streams");
        }
    }

    private void writeHead(ByteBuf out, Exchange exchange) {
        Exchange.writeStatus(out, 200);
        Exchange.writeHeader(out, HttpHeaderNames.CONTENT_TYPE, contentType(exchange));
        Exchange.writeHeader(out, "cache-control", "private, no-cache, no-store, must-revalidate, max-age=0");
        Exchange.writeHeader(out, "pragma", "no-cache");
        Exchange.writeHeader(out, "expires", "0");
        Exchange.writeHeader(out, "x-accel-buffering", "no");
        Exchange.writeHeader(out, "transfer-encoding", "chunked");
        Exchange.writeHeader(out, "connection", "close");
        exchange.writeOriginHeaders(out);
        out.writeShort('\r' << 8 | '\n');
    }

    private CharSequence contentType(Exchange exchange) {
        if (isEvents) {
            return MediaTypes.EVENT_STREAM;
        }
        return EmulationEndpoint.isProtobuf(exchange) ? MediaTypes.BYTES : MediaTypes.JSON;
    }
}
