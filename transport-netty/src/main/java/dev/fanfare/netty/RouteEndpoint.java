package dev.fanfare.netty;

import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes a request to a route of the host, on the host executor, and brings its answer back. */
final class RouteEndpoint implements Endpoint {

    private static final Logger LOG = LoggerFactory.getLogger(RouteEndpoint.class);

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
        try {
            hostExecutor.execute(() -> ask(call)
                    .whenComplete((answer, failure) ->
                            exchange.loop().execute(() -> answer(exchange, call, answer, failure))));
        } catch (RejectedExecutionException full) {
            exchange.fail(503, "too many requests at once");
        }
    }

    private CompletionStage<HttpAnswer> ask(HttpCall call) {
        try {
            CompletionStage<HttpAnswer> stage = route.handle(call);
            return stage != null ? stage : CompletableFuture.failedFuture(new NullPointerException("no stage"));
        } catch (RuntimeException | LinkageError failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    private static void answer(
            Exchange exchange, HttpCall call, @Nullable HttpAnswer answer, @Nullable Throwable failure) {
        if (answer == null) {
            LOG.warn("{} failed in the host's route", call, failure);
            exchange.fail(500, "internal server error");
            return;
        }
        ByteBuf out = exchange.begin(answer.status(), answer.contentType(), answer.headers());
        out.writeBytes(answer.body().unsafeBytes());
        exchange.end();
    }
}
