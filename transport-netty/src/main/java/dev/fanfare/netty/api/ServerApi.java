package dev.fanfare.netty.api;

import dev.fanfare.ChannelId;
import dev.fanfare.ClosedException;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.MediaTypes;
import dev.fanfare.netty.http.RequestRefused;
import dev.fanfare.netty.http.Router;
import dev.fanfare.spi.Gateway;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code POST /api/<method>}: what the host can do, for its other processes. Nobody asks the authorizer;
 * the key is the permission.
 *
 * <p>A publish is made on the event loop itself, through the {@link Gateway}; everything else is rare
 * and comes back from wherever it was done.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class ServerApi {

    private static final Logger LOG = LoggerFactory.getLogger(ServerApi.class);
    private static final int MAX_BROADCAST = 1000;

    private final Fanfare fanfare;
    private final Gateway gateway;
    private final ApiKey key;

    /** Acts on that Fanfare for whoever shows the key. */
    public ServerApi(Fanfare fanfare, ApiKey key) {
        this.fanfare = fanfare;
        this.gateway = fanfare.gateway();
        this.key = key;
    }

    /** Adds its routes. */
    public void addTo(Router.Builder router) {
        add(router, "publish", this::publish);
        add(router, "broadcast", this::broadcast);
        add(router, "history", this::history);
        add(router, "presence", this::presence);
        add(router, "presence_stats", this::presenceStats);
        add(router, "disconnect", this::disconnect);
        add(router, "subscribe", this::subscribe);
        add(router, "unsubscribe", this::unsubscribe);
        add(router, "connections", this::connections);
        add(router, "info", this::info);
        router.add("GET", "/api/history", guarded(this::historyByQuery));
        router.add("*", "/api/*", guarded(exchange -> exchange.fail(404, 104, "method not found")));
    }

    private void add(Router.Builder router, String name, Method method) {
        router.add(
                "POST", "/api/" + name, guarded(exchange -> method.call(exchange, ApiRequest.parse(exchange.body()))));
    }

    private Endpoint guarded(Endpoint endpoint) {
        return exchange -> {
            if (key.isShownBy(exchange)) {
                handle(endpoint, exchange);
            } else {
                exchange.fail(401, 101, "unauthorized: X-API-Key is missing or wrong");
            }
        };
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

    private void publish(Exchange exchange, ApiRequest request) {
        ChannelId channel = request.channel();
        Payload data = request.data();
        answer(exchange, gateway.publish(channel, data, request.options()), ApiReply::published);
    }

    private void broadcast(Exchange exchange, ApiRequest request) {
        List<String> channels = request.channels();
        if (channels.size() > MAX_BROADCAST) {
            throw new RequestRefused(200, 106, "limit exceeded: at most " + MAX_BROADCAST + " channels");
        }
        Payload data = request.data();
        PublishOptions options = request.options();
        List<CompletableFuture<PublishResult>> results = new ArrayList<>();
        for (String channel : channels) {
            results.add(publishOne(channel, data, options).toCompletableFuture());
        }
        CompletableFuture<Void> all = CompletableFuture.allOf(results.toArray(CompletableFuture[]::new));
        answer(exchange, all, (out, done, failure) -> writeBroadcast(out, results));
    }

    private CompletionStage<PublishResult> publishOne(String channel, Payload data, PublishOptions options) {
        if (!ChannelId.isValid(channel)) {
            return CompletableFuture.completedFuture(new PublishResult.Refused(Refusal.BAD_REQUEST));
        }
        return gateway.publish(ChannelId.of(channel), data, options);
    }

    private static void writeBroadcast(ByteBuf out, List<CompletableFuture<PublishResult>> results) {
        JsonText.raw(out, "{\"result\":{\"responses\":[");
        for (int i = 0; i < results.size(); i++) {
            if (i > 0) {
                out.writeByte(',');
            }
            BiConsumer<@Nullable PublishResult, @Nullable Throwable> write =
                    (result, failure) -> ApiReply.published(out, result, failure);
            results.get(i).whenComplete(write);
        }
        JsonText.raw(out, "]}}");
    }

    private void history(Exchange exchange, ApiRequest request) {
        answer(
                exchange,
                fanfare.history(request.channel(), request.historyQuery()),
                (out, result, failure) -> orError(out, result, failure, ApiReply::history));
    }

    private void historyByQuery(Exchange exchange) {
        history(exchange, ApiRequest.ofHistoryQuery(exchange.firstParameters()));
    }

    private void presence(Exchange exchange, ApiRequest request) {
        answer(
                exchange,
                fanfare.presence(request.channel()),
                (out, snapshot, failure) -> orError(out, snapshot, failure, ApiReply::presence));
    }

    private void presenceStats(Exchange exchange, ApiRequest request) {
        answer(
                exchange,
                fanfare.presence(request.channel(), 0),
                (out, snapshot, failure) -> orError(out, snapshot, failure, ApiReply::presenceStats));
    }

    private void disconnect(Exchange exchange, ApiRequest request) {
        DisconnectReason reason =
                request.isReconnect() ? DisconnectReason.FORCE_RECONNECT : DisconnectReason.FORCE_DISCONNECT;
        answer(exchange, fanfare.connections().disconnect(request.user(), reason), ServerApi::doneOrError);
    }

    private void subscribe(Exchange exchange, ApiRequest request) {
        answer(exchange, fanfare.connections().subscribe(request.user(), request.channel()), ServerApi::doneOrError);
    }

    private void unsubscribe(Exchange exchange, ApiRequest request) {
        answer(exchange, fanfare.connections().unsubscribe(request.user(), request.channel()), ServerApi::doneOrError);
    }

    private void connections(Exchange exchange, ApiRequest request) {
        String user = request.userIfAny();
        answer(
                exchange,
                user == null
                        ? fanfare.connections().list()
                        : fanfare.connections().of(user),
                (out, list, failure) -> orError(out, list, failure, ApiReply::connections));
    }

    private void info(Exchange exchange, ApiRequest request) {
        answer(
                exchange,
                fanfare.connections().count(),
                (out, count, failure) ->
                        orError(out, count, failure, (to, present) -> ApiReply.info(to, gateway.node(), present)));
    }

    private static void doneOrError(ByteBuf out, @Nullable Void nothing, @Nullable Throwable failure) {
        if (failure == null) {
            ApiReply.done(out);
        } else {
            ApiReply.error(out, ApiError.of(failure));
        }
    }

    private static <T> void orError(
            ByteBuf out, @Nullable T result, @Nullable Throwable failure, BiConsumer<ByteBuf, T> writer) {
        if (result != null) {
            writer.accept(out, result);
        } else {
            LOG.debug("An API call failed", failure);
            ApiReply.error(out, failure == null ? ApiError.of(Refusal.UNAVAILABLE) : ApiError.of(failure));
        }
    }

    /** Answers on the exchange's loop when the stage completes, at once if it has. */
    private static <T> void answer(Exchange exchange, CompletionStage<T> stage, Writer<T> writer) {
        stage.whenComplete((result, failure) -> {
            if (exchange.loop().inEventLoop()) {
                write(exchange, result, failure, writer);
            } else {
                exchange.loop().execute(() -> write(exchange, result, failure, writer));
            }
        });
    }

    private static <T> void write(
            Exchange exchange, @Nullable T result, @Nullable Throwable failure, Writer<T> writer) {
        try {
            boolean isClosed = failure != null && ApiError.of(failure).equals(ApiError.CLOSED);
            writer.write(exchange.begin(isClosed ? 503 : 200, MediaTypes.JSON), result, failure);
            exchange.end();
        } catch (RuntimeException broken) {
            LOG.warn("{} could not be answered", exchange.path(), broken);
            exchange.fail(500, "internal server error");
        }
    }

    /** One method of the API. */
    private interface Method {
        void call(Exchange exchange, ApiRequest request);
    }

    /** Writes what came of a call. */
    private interface Writer<T> {
        void write(ByteBuf out, @Nullable T result, @Nullable Throwable failure);
    }
}
