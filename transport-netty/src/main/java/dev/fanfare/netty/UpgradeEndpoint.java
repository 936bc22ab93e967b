package dev.fanfare.netty;

import dev.fanfare.netty.centrifuge.CentrifugeUpgrade;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;

/** Hands a channel over to the WebSocket protocol, which looks at the origin itself. */
final class UpgradeEndpoint implements Endpoint {

    private final CentrifugeUpgrade upgrade;

    UpgradeEndpoint(TransportContext context) {
        upgrade = new CentrifugeUpgrade(context);
    }

    @Override
    public boolean takesForeignOrigins() {
        return true;
    }

    @Override
    public int maxBodyBytes() {
        return 0;
    }

    @Override
    public void handle(Exchange exchange) {
        upgrade.upgrade(exchange.context(), exchange.request());
    }
}
