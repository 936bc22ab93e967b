package dev.fanfare.netty;

import dev.fanfare.Health;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.MediaTypes;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.function.Supplier;

/** Answers the probes of load balancers and orchestrators: 200 if all is well, else 503 with the reasons. */
final class HealthEndpoint implements Endpoint {

    private static final List<String> UNCACHED = List.of("cache-control", "no-store");

    private final Supplier<Health> health;

    HealthEndpoint(Supplier<Health> health) {
        this.health = health;
    }

    @Override
    public int maxBodyBytes() {
        return 0;
    }

    @Override
    public void handle(Exchange exchange) {
        Health now = health.get();
        ByteBuf out = exchange.begin(now.isUp() ? 200 : 503, MediaTypes.JSON, UNCACHED);
        JsonText.raw(out, now.isUp() ? "{\"status\":\"up\",\"reasons\":[" : "{\"status\":\"down\",\"reasons\":[");
        String separator = "";
        for (String reason : now.reasons()) {
            JsonText.raw(out, separator);
            JsonText.string(out, reason);
            separator = ",";
        }
        JsonText.raw(out, "]}");
        exchange.end();
    }
}
