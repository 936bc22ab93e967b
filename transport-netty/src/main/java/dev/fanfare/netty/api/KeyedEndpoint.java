package dev.fanfare.netty.api;

import dev.fanfare.FanfareListener;
import dev.fanfare.Rejection;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;

/** Listens only to those who show the key: to others not even until they have said what they want. */
final class KeyedEndpoint implements Endpoint {

    private final ApiKey key;
    private final FanfareListener listener;
    private final Endpoint endpoint;

    KeyedEndpoint(ApiKey key, FanfareListener listener, Endpoint endpoint) {
        this.key = key;
        this.listener = listener;
        this.endpoint = endpoint;
    }

    @Override
    public int maxBodyBytes() {
        return endpoint.maxBodyBytes();
    }

    @Override
    public void admit(Exchange exchange) {
        if (key.isShownBy(exchange)) {
            endpoint.admit(exchange);
        } else {
            listener.onReject(Rejection.WRONG_API_KEY);
            exchange.fail(401, 101, "unauthorized: X-API-Key is missing or wrong");
        }
    }

    @Override
    public void handle(Exchange exchange) {
        endpoint.handle(exchange);
    }
}
