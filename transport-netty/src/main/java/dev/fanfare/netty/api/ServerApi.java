package dev.fanfare.netty.api;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ClosedException;
import dev.fanfare.Fanfare;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.MediaTypes;
import dev.fanfare.netty.http.RequestRefused;
import dev.fanfare.netty.http.Router;
import dev.fanfare.spi.Gateway;
import dev.fanfare.spi.LogLine;
import io.netty.buffer.ByteBuf;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /api/<method>}: what the host can do, for its other processes. Nobody asks the authorizer;
 * the key is the permission.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class ServerApi {

    private static final LogLine BROKEN =
            LogLine.warn(ServerApi.class, "A call of the server API could not be answered");

    private final Gateway gateway;
    private final Map<String, ApiMethods.Method> methods;
    private final ApiMethods.Method history;
    private final ApiKey key;

    /** Acts on that Fanfare for whoever shows the key. */
    public ServerApi(Fanfare fanfare, ApiKey key) {
        this.gateway = fanfare.gateway();
        this.methods = new ApiMethods(fanfare).all();
        this.history = requireNonNull(methods.get("history"));
        this.key = key;
    }

    /** Adds its routes. */
    public void addTo(Router.Builder router) {
        methods.forEach((name, method) -> add(router, name, (exchange, request) -> call(method, exchange, request)));
        add(router, "batch", this::batch);
        router.add(
                "GET",
                "/api/history",
                guarded(exchange -> call(history, exchange, ApiRequest.ofHistoryQuery(exchange.firstParameters()))));
        router.add("*", "/api/*", key.guard(gateway.listener(), new NoMethod()));
    }

    private void add(Router.Builder router, String name, BiConsumer<Exchange, ApiRequest> method) {
        router.add(
                "POST",
                "/api/" + name,
                guarded(exchange -> method.accept(exchange, ApiRequest.parse(exchange.body()))));
    }

    private Endpoint guarded(Endpoint endpoint) {
        return key.guard(gateway.listener(), exchange -> handle(endpoint, exchange));
    }

    private void handle(Endpoint endpoint, Exchange exchange) {
        if (!gateway.isOpen()) {
            ApiError.CLOSED.answer(exchange, 503);
            return;
        }
        try {
            endpoint.handle(exchange);
        } catch (ClosedException justNow) {
            ApiError.CLOSED.answer(exchange, 503);
        }
    }

    private void call(ApiMethods.Method method, Exchange exchange, ApiRequest request) {
        method.call(request).whenDone((reply, failure) -> {
            if (exchange.loop().inEventLoop()) {
                write(exchange, reply, failure);
            } else {
                exchange.loop().execute(() -> write(exchange, reply, failure));
            }
        });
    }

    private void batch(Exchange exchange, ApiRequest request) {
        ApiBatch.run(
                methods,
                gateway.time(),
                exchange.loop(),
                request.commands(),
                replies -> write(exchange, out -> out.writeBytes(replies), null));
    }

    private static void write(Exchange exchange, Consumer<ByteBuf> reply, @Nullable Throwable failure) {
        try {
            boolean isClosed = failure != null && ApiError.of(failure).equals(ApiError.CLOSED);
            reply.accept(exchange.begin(isClosed ? 503 : 200, MediaTypes.JSON));
            exchange.end();
        } catch (RuntimeException broken) {
            BROKEN.logTrace(broken, "path", exchange.path());
            exchange.fail(500, "internal server error");
        }
    }

    /** Says that there is no such method, whatever else it is that somebody wants of it. */
    private static final class NoMethod implements Endpoint {

        @Override
        public void admit(Exchange exchange) {
            throw new RequestRefused(404, 104, "method not found");
        }

        @Override
        public void handle(Exchange exchange) {
            throw new IllegalStateException("was not admitted");
        }
    }
}
