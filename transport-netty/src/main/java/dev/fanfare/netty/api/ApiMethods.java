package dev.fanfare.netty.api;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Connections;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HostCode;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.Selection;
import dev.fanfare.netty.connection.ErrorCode;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.RequestRefused;
import dev.fanfare.spi.Gateway;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What each method of the API does. A publish is made on the calling thread, through the {@link Gateway};
 * everything else is rare and comes back from wherever it was done.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class ApiMethods {

    private static final int MAX_BROADCAST = 1000;

    private final Fanfare fanfare;
    private final Connections connections;
    private final Gateway gateway;
    private final Map<String, Method> methods = new LinkedHashMap<>();

    ApiMethods(Fanfare fanfare) {
        this.fanfare = fanfare;
        this.connections = fanfare.connections();
        this.gateway = fanfare.gateway();
        methods.put("publish", this::publish);
        methods.put("broadcast", this::broadcast);
        methods.put("history", this::history);
        methods.put("history_remove", request -> ApiCall.done(fanfare.removeHistory(request.channel())));
        methods.put("presence", request -> ApiCall.of(fanfare.presence(request.channel()), ApiReply::presence));
        methods.put(
                "presence_stats",
                request -> ApiCall.of(fanfare.presence(request.channel(), 0), ApiReply::presenceStats));
        methods.put("subscribe", this::subscribe);
        methods.put("unsubscribe", this::unsubscribe);
        methods.put("disconnect", this::disconnect);
        methods.put("refresh", this::refresh);
        methods.put("connections", this::connections);
        methods.put("channels", request -> ApiCall.of(connections.channels(request.pattern()), ApiReply::channels));
        methods.put("ticket", this::ticket);
        methods.put("info", this::info);
    }

    /** Returns all methods, by name; unmodifiable. */
    Map<String, Method> all() {
        return Map.copyOf(methods);
    }

    private ApiCall<PublishResult> publish(ApiRequest request) {
        ChannelId channel = request.channel();
        return new ApiCall<>(
                gateway.publish(channel, request.data(), request.options()),
                (out, result, failure) -> writePublished(out, channel.value(), result, failure));
    }

    private ApiCall<Void> broadcast(ApiRequest request) {
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
        return new ApiCall<>(all, (out, done, failure) -> writeBroadcast(out, channels, results));
    }

    private CompletionStage<PublishResult> publishOne(String channel, Payload data, PublishOptions options) {
        if (!ChannelId.isValid(channel)) {
            return CompletableFuture.completedFuture(new PublishResult.Refused(Refusal.BAD_REQUEST));
        }
        return gateway.publish(ChannelId.of(channel), data, options);
    }

    /** Writes what became of a publish, and what would have been right if it was refused. */
    private void writePublished(
            ByteBuf out, String channel, @Nullable PublishResult result, @Nullable Throwable failure) {
        if (!ChannelId.isValid(channel)) {
            ApiReply.error(out, ApiError.of(Refusal.BAD_REQUEST).about(ErrorCode.CHANNEL_NAME));
            return;
        }
        boolean isTooLarge = result instanceof PublishResult.Refused refused && refused.reason() == Refusal.TOO_LARGE;
        ChannelRules rules = isTooLarge ? gateway.rules(ChannelId.of(channel)) : null;
        if (rules != null) {
            ApiReply.error(out, ApiError.of(Refusal.TOO_LARGE).about("at most " + rules.maxMessageBytes() + " bytes"));
        } else {
            ApiReply.published(out, result, failure);
        }
    }

    private void writeBroadcast(ByteBuf out, List<String> channels, List<CompletableFuture<PublishResult>> results) {
        JsonText.raw(out, "{\"result\":{\"responses\":[");
        for (int i = 0; i < results.size(); i++) {
            if (i > 0) {
                out.writeByte(',');
            }
            String channel = channels.get(i);
            BiConsumer<@Nullable PublishResult, @Nullable Throwable> write =
                    (result, failure) -> writePublished(out, channel, result, failure);
            results.get(i).whenComplete(write);
        }
        JsonText.raw(out, "]}}");
    }

    private ApiCall<?> history(ApiRequest request) {
        HistoryQuery query = request.historyQuery();
        return ApiCall.of(
                fanfare.history(request.channel(), query), (out, result) -> ApiReply.history(out, query, result));
    }

    private ApiCall<Void> subscribe(ApiRequest request) {
        Selection who = request.selection();
        return ApiCall.done(connections.subscribe(who, request.channel(), request.expireAt()));
    }

    private ApiCall<Void> unsubscribe(ApiRequest request) {
        Selection who = request.selection();
        ChannelId channel = request.channel();
        HostCode code = request.unsubscribeCode();
        return ApiCall.done(
                code == null ? connections.unsubscribe(who, channel) : connections.unsubscribe(who, channel, code));
    }

    private ApiCall<Void> disconnect(ApiRequest request) {
        Selection who = request.selection();
        HostCode code = request.disconnectCode();
        return ApiCall.done(
                code == null
                        ? connections.disconnect(who, request.disconnectReason())
                        : connections.disconnect(who, code));
    }

    private ApiCall<Void> refresh(ApiRequest request) {
        Selection who = request.selection();
        return ApiCall.done(
                request.isExpired()
                        ? connections.disconnect(who, DisconnectReason.EXPIRED)
                        : connections.refresh(who, request.expireAt()));
    }

    private ApiCall<?> connections(ApiRequest request) {
        String user = request.userIfAny();
        return ApiCall.of(user == null ? connections.list() : connections.of(user), ApiReply::connections);
    }

    private ApiCall<?> ticket(ApiRequest request) {
        try {
            return ApiCall.of(fanfare.tickets().issue(request.admission()), ApiReply::ticket);
        } catch (IllegalArgumentException tooLarge) {
            throw new RequestRefused(200, 107, "bad request: " + tooLarge.getMessage());
        }
    }

    private ApiCall<?> info(ApiRequest request) {
        return ApiCall.of(connections.count(), (out, count) -> ApiReply.info(out, gateway.node(), count));
    }

    /** One method of the API. */
    interface Method {

        /**
         * Calls it.
         *
         * @throws RequestRefused if the arguments make no sense
         */
        ApiCall<?> call(ApiRequest request);
    }
}
