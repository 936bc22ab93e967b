package dev.fanfare.netty;

import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.HostAnswer;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.Executor;

/** Takes a request to a route of the host, on the host executor, and brings its answer back. */
final class RouteEndpoint implements Endpoint {

    private final HttpRoute route;
    private final Executor hostExecutor;
    private final boolean isSafe;

    RouteEndpoint(String method, HttpRoute route, Executor hostExecutor) {
        this.route = route;
        this.hostExecutor = hostExecutor;
        this.isSafe = method.equals("GET") || method.equals("HEAD");
    }

    /** Lets foreign pages ask, but not change anything; what they may read, browsers decide. */
    @Override
    public boolean takesForeignOrigins() {
        return isSafe;
    }

    @Override
    public void handle(Exchange exchange) {
        HttpCall call = new HttpCall(exchange);
        HostAnswer.ask(
                exchange,
                hostExecutor,
                answer -> route.handle(call).whenComplete((given, failure) -> {
                    if (given != null) {
                        answer.give(() -> write(exchange, given));
                    } else {
                        answer.fail(failure != null ? failure : new NullPointerException("no answer"));
                    }
                }));
    }

    private static void write(Exchange exchange, HttpAnswer answer) {
        ByteBuf out = exchange.begin(answer.status(), answer.contentType(), answer.headers());
        out.writeBytes(answer.body().unsafeBytes());
        exchange.end();
    }
}
