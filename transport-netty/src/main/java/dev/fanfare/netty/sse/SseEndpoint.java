package dev.fanfare.netty.sse;

import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.MediaTypes;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;

/**
 * {@code GET /sse?channel=…}: a stream of events of one or several channels.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class SseEndpoint implements Endpoint {

    private final TransportContext context;

    /** Opens connections in that context. */
    public SseEndpoint(TransportContext context) {
        this.context = context;
    }

    @Override
    public int maxBodyBytes() {
        return 0;
    }

    @Override
    public void handle(Exchange exchange) {
        SseRequest request = SseRequest.of(exchange);
        if (exchange.method().equals(HttpMethod.HEAD)) {
            exchange.begin(200, MediaTypes.EVENT_STREAM, List.of());
            exchange.end();
        } else {
            new SseOpening(context, exchange, request).begin();
        }
    }
}
