package dev.fanfare.netty;

import dev.fanfare.Rejection;
import dev.fanfare.netty.connection.Entrance;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.MediaTypes;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Lets as many clients begin a connection as the {@link Entrance} has room for, and tells the others when to come
 * again: each a moment of its own, so that they do not come together again.
 */
final class AdmittedEndpoint implements Endpoint {

    private static final int LONGEST_WAIT_SECONDS = 10;
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
    public void handle(Exchange exchange) {
        Rejection reason = entrance.enter();
        if (reason == null) {
            endpoint.handle(exchange);
            return;
        }
        int wait = ThreadLocalRandom.current().nextInt(1, LONGEST_WAIT_SECONDS + 1);
        exchange.closeAfterwards();
        JsonText.error(
                exchange.begin(503, MediaTypes.JSON, List.of("retry-after", Integer.toString(wait))),
                TOO_MANY_REQUESTS,
                text(reason));
        exchange.end();
    }

    private static String text(Rejection reason) {
        return switch (reason) {
            case DRAINING -> "this node takes nobody in any more";
            case CONNECTION_LIMIT -> "too many connections";
            default -> "too many connect at the same time";
        };
    }
}
