package dev.fanfare.netty;

import dev.fanfare.Rejection;
import dev.fanfare.netty.connection.Entrance;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;

/**
 * Lets as many clients begin a connection as the {@link Entrance} has room for, and tells the others when to come
 * again. What they want to say first is not even listened to.
 */
final class AdmittedEndpoint implements Endpoint {

    private static final int TOO_MANY_REQUESTS = 111;

    private final Entrance entrance;
    private final Endpoint endpoint;

    AdmittedEndpoint(Entrance entrance, Endpoint endpoint) {
        this.entrance = entrance;
        this.endpoint = endpoint;
    }

    @Override
    public boolean takesForeignOrigins() {
        return endpoint.takesForeignOrigins();
    }

    @Override
    public int maxBodyBytes() {
        return endpoint.maxBodyBytes();
    }

    @Override
    public void admit(Exchange exchange) {
        Rejection reason = entrance.enter();
        if (reason == null) {
            endpoint.admit(exchange);
        } else {
            exchange.failForNow(TOO_MANY_REQUESTS, text(reason));
        }
    }

    @Override
    public void handle(Exchange exchange) {
        endpoint.handle(exchange);
    }

    private static String text(Rejection reason) {
        return switch (reason) {
            case DRAINING -> "this node takes nobody in any more";
            case CONNECTION_LIMIT -> "too many connections";
            default -> "too many connect at the same time";
        };
    }
}
