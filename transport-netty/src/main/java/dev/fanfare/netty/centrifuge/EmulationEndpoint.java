package dev.fanfare.netty.centrifuge;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Rejection;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.MediaTypes;
import dev.fanfare.netty.http.RequestRefused;
import dev.fanfare.spi.Gateway;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.Mailboxes;
import dev.fanfare.spi.Mailboxes.Delivery;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpUtil;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Takes the commands of clients whose connection is a stream, on whatever node they land, and brings them to
 * the node that has the connection. The answers come down the stream.
 *
 * <p><b>Threading:</b> thread-safe; each exchange stays on its event loop.
 */
public final class EmulationEndpoint implements Endpoint {

    private static final LogLine NOT_BROUGHT =
            LogLine.warn(EmulationEndpoint.class, "A command could not be brought to another node");
    private static final int TOO_LARGE = 413;
    private static final String BYTES = "application/octet-stream";

    private final TransportContext context;
    private final Mailboxes mailboxes;
    private final Forwarding forwarding = new Forwarding();

    /** Brings commands through that context's gateway. */
    public EmulationEndpoint(TransportContext context) {
        this.context = context;
        this.mailboxes = context.gateway().mailboxes();
    }

    /** Tells whether the body is Protobuf. */
    static boolean isProtobuf(Exchange exchange) {
        CharSequence type = HttpUtil.getMimeType(exchange.headers().get(HttpHeaderNames.CONTENT_TYPE, ""));
        return type != null && BYTES.contentEquals(type);
    }

    @Override
    public int maxBodyBytes() {
        return context.settings().maxMessageBytes();
    }

    @Override
    public void handle(Exchange exchange) {
        EmulationRequest request = read(exchange.body(), isProtobuf(exchange));
        Gateway gateway = context.gateway();
        if (request.node().equals(gateway.node())) {
            post(exchange, request);
        } else {
            switch (forwarding.judge(request.session(), gateway.time().nanos())) {
                case FINE -> forward(exchange, request);
                case TOO_OFTEN -> answer(exchange, Delivery.REFUSED, null);
                case TOO_MANY -> answer(exchange, Delivery.TOO_MANY, null);
            }
        }
    }

    private void forward(Exchange exchange, EmulationRequest request) {
        post(exchange, request).whenComplete((delivery, failure) -> {
            // Any other outcome says nothing of whether there is such a session.
            if (delivery == Delivery.DELIVERED || delivery == Delivery.REFUSED) {
                forwarding.keep(request.session());
            } else if (delivery == Delivery.NO_MAILBOX || delivery == Delivery.NO_NODE) {
                forwarding.forget(request.session());
            }
        });
    }

    @CanIgnoreReturnValue
    private CompletionStage<Delivery> post(Exchange exchange, EmulationRequest request) {
        return mailboxes
                .post(request.node(), request.session(), request.data())
                .whenComplete((delivery, failure) -> answerOnLoop(exchange, delivery, failure));
    }

    private static EmulationRequest read(byte[] body, boolean isProtobuf) {
        try {
            return isProtobuf ? EmulationRequest.ofProtobuf(body) : EmulationRequest.ofJson(body);
        } catch (BadCommandException e) {
            throw RequestRefused.badRequest("the request cannot be read");
        }
    }

    private void answerOnLoop(Exchange exchange, @Nullable Delivery delivery, @Nullable Throwable failure) {
        if (exchange.loop().inEventLoop()) {
            answer(exchange, delivery, failure);
        } else {
            exchange.loop().execute(() -> answer(exchange, delivery, failure));
        }
    }

    private void answer(Exchange exchange, @Nullable Delivery delivery, @Nullable Throwable failure) {
        if (delivery == null) {
            NOT_BROUGHT.log("failure", failure);
            context.gateway().listener().onReject(Rejection.REMOTE_POST_FAILED);
            exchange.fail(500, 100, "internal server error");
            return;
        }
        switch (delivery) {
            // Of a session that is over the client has been told, or will find out by itself.
            case DELIVERED, NO_MAILBOX -> {
                exchange.begin(204, MediaTypes.JSON, List.of());
                exchange.end();
            }
            case NO_NODE -> {
                context.gateway().listener().onReject(Rejection.NOT_FOUND);
                exchange.fail(404, "unknown node");
            }
            case REFUSED -> {
                context.gateway().listener().onReject(Rejection.POSTS_LIMIT);
                exchange.fail(429, 111, "too many requests");
            }
            case TOO_MANY -> {
                context.gateway().listener().onReject(Rejection.REMOTE_POSTS_LIMIT);
                exchange.fail(503, 111, "too many requests");
            }
            case TOO_LARGE -> {
                context.gateway().listener().onReject(Rejection.TOO_LARGE);
                exchange.fail(
                        TOO_LARGE,
                        "message too large for another node: at most " + Mailboxes.MAX_REMOTE_BYTES + " bytes");
            }
        }
    }
}
