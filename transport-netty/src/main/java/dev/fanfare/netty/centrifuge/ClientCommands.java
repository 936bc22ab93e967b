package dev.fanfare.netty.centrifuge;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.RpcHandler;
import dev.fanfare.netty.connection.ErrorCode;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Connection.PresenceResult;
import dev.fanfare.spi.Connection.RpcResult;
import dev.fanfare.spi.Connection.SubscribeResult;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Carries out the commands of a connected client: puts them in the core's words, and its answers in the
 * protocol's.
 *
 * <p><b>Threading:</b> confined to the connection's event loop.
 */
final class ClientCommands implements Request.Visitor {

    /** What a client may read at once, however much it asks for. */
    private static final int MAX_HISTORY = 300;

    /** Of that, how many bytes of data go into one reply; the client asks for the rest. */
    static final int MAX_PAGE_BYTES = 512 * 1024;

    private static final int MAX_MEMBERS = 10_000;
    private static final int STREAM = 0;

    private final Connection connection;
    private final ClientOutlet outlet;
    private final Pulse pulse;
    private final Answers answers;
    private final Refreshing refreshing;

    ClientCommands(Connection connection, ClientOutlet outlet, Pulse pulse, Answers answers, Refreshing refreshing) {
        this.connection = connection;
        this.outlet = outlet;
        this.pulse = pulse;
        this.answers = answers;
        this.refreshing = refreshing;
    }

    // ---- the connection

    @Override
    public void connect(long id, Request.Connect request) {
        badRequest();
    }

    @Override
    public void pong() {
        if (!pulse.pong()) {
            badRequest();
        }
    }

    @Override
    public void refresh(long id, Request.Refresh request) {
        refreshing.connection(id, request.token());
    }

    @Override
    public void subRefresh(long id, Request.SubRefresh request) {
        ChannelId channel = channel(id, request.channel());
        if (channel != null) {
            refreshing.subscription(id, channel, request.token());
        }
    }

    // ---- subscriptions

    @Override
    public void subscribe(long id, Request.Subscribe request) {
        if (!request.hasKnownDelta()) {
            badRequest();
            return;
        }
        ChannelId channel = channel(id, request.channel());
        if (channel == null) {
            return;
        }
        if (request.type() != STREAM) {
            refuse(id, Refusal.NOT_AVAILABLE);
        } else if (request.filter() == TagsFilter.INVALID) {
            refuse(id, Refusal.BAD_REQUEST);
        } else {
            connection.subscribe(
                    channel,
                    request.inWordsOfTheCore(false, outlet.deltas()),
                    answers.expectSoon(
                            result -> subscribed(id, channel, request, result), () -> giveUpSubscribing(channel)));
        }
    }

    /** Has the core refuse it, as it does when the client unsubscribes meanwhile. */
    private void giveUpSubscribing(ChannelId channel) {
        outlet.noted(connection.info(), channel, Refusal.UNAVAILABLE);
        connection.unsubscribe(channel);
    }

    /** Refuses a subscribe that had to wait for too long to be begun. */
    void refuseForNow(long id, Request.Subscribe request) {
        if (ChannelId.isValid(request.channel())) {
            outlet.noted(connection.info(), ChannelId.of(request.channel()), Refusal.UNAVAILABLE);
            outlet.error(id, ErrorCode.of(Refusal.UNAVAILABLE));
        } else {
            subscribe(id, request);
        }
    }

    private void subscribed(long id, ChannelId channel, Request.Subscribe request, SubscribeResult result) {
        if (result instanceof SubscribeResult.Refused refused) {
            outlet.error(id, ErrorCode.of(refused.reason()));
        } else if (result instanceof SubscribeResult.Subscribed subscribed) {
            SubscriptionStart start =
                    SubscriptionStart.of(request.recoverFrom(), subscribed).withTtl(refreshing.ttl(channel));
            outlet.reply(outlet.messages().subscribed(id, start));
        }
    }

    @Override
    public void unsubscribe(long id, Request.Unsubscribe request) {
        if (request.channel().isEmpty()) {
            badRequest();
            return;
        }
        if (ChannelId.isValid(request.channel())) {
            ChannelId channel = ChannelId.of(request.channel());
            connection.unsubscribe(channel);
            outlet.forgetServerSide(channel);
        }
        outlet.reply(outlet.messages().unsubscribed(id));
    }

    // ---- publishing and reading

    @Override
    public void publish(long id, Request.Publish request) {
        ChannelId channel = channel(id, request.channel());
        if (channel == null) {
            return;
        }
        PublishOptions options = options(request.key());
        if (request.type() != STREAM || request.isRemoval()) {
            refuse(id, Refusal.NOT_AVAILABLE);
        } else if (options == null) {
            refuse(id, Refusal.BAD_REQUEST);
        } else if (!isPublishable(channel, request.data())) {
            outlet.refuseAsBad(
                    id, connection.info(), "data must be JSON, at most " + JsonText.MAX_DEPTH + " levels deep");
        } else {
            connection.publish(
                    channel, request.data(), options, answers.expect(result -> published(id, channel, result)));
        }
    }

    /** Only JSON can be sent to every subscriber, so a client may publish nothing else unless the rules say so. */
    private boolean isPublishable(ChannelId channel, Payload data) {
        ChannelRules rules = connection.rules(channel);
        boolean isBinaryFine = rules != null && rules.allowsBinary() && data.size() > 0;
        return isBinaryFine || new JsonScanner(data.unsafeBytes()).isValue();
    }

    private static @Nullable PublishOptions options(String key) {
        try {
            return key.isEmpty() ? PublishOptions.none() : PublishOptions.none().withKey(key);
        } catch (IllegalArgumentException noKey) {
            return null;
        }
    }

    private void published(long id, ChannelId channel, PublishResult result) {
        if (result instanceof PublishResult.Refused refused) {
            notPublished(id, channel, refused.reason());
        } else {
            outlet.reply(outlet.messages().published(id));
        }
    }

    private void notPublished(long id, ChannelId channel, Refusal reason) {
        ChannelRules rules = reason == Refusal.TOO_LARGE ? connection.rules(channel) : null;
        if (rules != null) {
            outlet.badRequest(id, reason.text() + ": at most " + rules.maxMessageBytes() + " bytes");
        } else {
            outlet.error(id, ErrorCode.of(reason));
        }
    }

    @Override
    public void history(long id, Request.History request) {
        ChannelId channel = channel(id, request.channel());
        if (channel == null) {
            return;
        }
        Position since = request.since();
        if (request.isReverse() && since != null && since.offset() == 0) {
            refuse(id, Refusal.BAD_REQUEST);
            return;
        }
        int limit = request.limit() < 0 ? MAX_HISTORY : Math.min(request.limit(), MAX_HISTORY);
        Cursor cursor = since == null ? null : since.cursor();
        connection.history(
                channel,
                new HistoryQuery(cursor, limit, request.isReverse()),
                MAX_PAGE_BYTES,
                answers.expect(result -> read(id, result)));
    }

    private void read(long id, HistoryResult result) {
        if (result instanceof HistoryResult.Page page) {
            outlet.reply(outlet.messages().history(id, firstOf(page.publications()), page.top()));
        } else if (result instanceof HistoryResult.Refused refused) {
            outlet.error(id, ErrorCode.of(refused.reason()));
        } else {
            refuse(id, Refusal.UNRECOVERABLE);
        }
    }

    /** Returns as many of the publications as fit into one reply, but one in any case. */
    private static List<Publication> firstOf(List<Publication> publications) {
        long bytes = 0;
        for (int i = 0; i < publications.size(); i++) {
            bytes += publications.get(i).data().size();
            if (bytes > MAX_PAGE_BYTES && i > 0) {
                return publications.subList(0, i);
            }
        }
        return publications;
    }

    @Override
    public void presence(long id, Request.Presence request) {
        look(
                id,
                request.channel(),
                MAX_MEMBERS,
                snapshot -> outlet.reply(outlet.messages().presence(id, snapshot)));
    }

    @Override
    public void presenceStats(long id, Request.PresenceStats request) {
        look(
                id,
                request.channel(),
                1,
                snapshot -> outlet.reply(outlet.messages().presenceStats(id, snapshot)));
    }

    private void look(long id, String name, int limit, Consumer<PresenceSnapshot> found) {
        ChannelId channel = channel(id, name);
        if (channel == null) {
            return;
        }
        connection.presence(channel, limit, answers.expect(result -> {
            if (result instanceof PresenceResult.Present present) {
                found.accept(present.snapshot());
            } else if (result instanceof PresenceResult.Refused refused) {
                outlet.error(id, ErrorCode.of(refused.reason()));
            }
        }));
    }

    // ---- the host's own

    @Override
    public void rpc(long id, Request.Rpc request) {
        connection.rpc(request.method(), request.data(), answers.expect(result -> called(id, result)));
    }

    private void called(long id, RpcResult result) {
        if (result instanceof RpcResult.Refused refused) {
            outlet.error(id, ErrorCode.of(refused.reason()));
        } else if (result instanceof RpcResult.Answered answered) {
            answered(id, answered.reply());
        }
    }

    private void answered(long id, RpcHandler.Reply reply) {
        if (reply instanceof RpcHandler.Reply.Ok ok) {
            outlet.reply(outlet.messages().answered(id, ok.data()));
        } else if (reply instanceof RpcHandler.Reply.Failed failed) {
            outlet.reply(outlet.messages().error(id, failed.code(), failed.message(), false));
        } else {
            outlet.error(id, ErrorCode.METHOD_NOT_FOUND);
        }
    }

    @Override
    public void send(Request.Send request) {
        if (!connection.message(request.data())) {
            outlet.disconnect(DisconnectReason.NOT_AVAILABLE);
        }
    }

    /** Returns the channel of that name; null if there can be none, which the client has then been told. */
    private @Nullable ChannelId channel(long id, String name) {
        if (name.isEmpty()) {
            badRequest();
            return null;
        }
        if (!ChannelId.isValid(name)) {
            outlet.refuseAsBad(id, connection.info(), ErrorCode.CHANNEL_NAME);
            return null;
        }
        return ChannelId.of(name);
    }

    private void refuse(long id, Refusal reason) {
        outlet.refuse(id, connection.info(), reason);
    }

    private void badRequest() {
        outlet.disconnect(DisconnectReason.BAD_REQUEST);
    }
}
