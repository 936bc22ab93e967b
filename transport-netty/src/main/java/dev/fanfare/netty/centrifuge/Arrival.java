package dev.fanfare.netty.centrifuge;

import dev.fanfare.Authenticator;
import dev.fanfare.Authenticator.Accepted;
import dev.fanfare.ChannelId;
import dev.fanfare.ClosedException;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.StartAt;
import dev.fanfare.netty.connection.Admission;
import dev.fanfare.netty.connection.ErrorCode;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.LogLine;
import io.netty.channel.EventLoop;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One connect command on its way: the authenticator is asked, the connection registered, and every
 * subscription that the server makes has begun, before the client hears that it is connected.
 *
 * <p><b>Threading:</b> confined to the connection's event loop.
 */
final class Arrival implements Admission.Outcome {

    private static final LogLine FAILED =
            LogLine.warn(Arrival.class, "A client cannot be subscribed to what its authenticator wants");

    private final TransportContext context;
    private final ClientOutlet outlet;
    private final String transport;
    private final Request.Connect request;
    private final @Nullable Emulated emulated;
    private final Listener listener;
    private final Map<String, SubscriptionStart> subs = new LinkedHashMap<>();
    private @Nullable Admission admission;
    private int missing;
    private boolean isOver;

    Arrival(
            TransportContext context,
            ClientOutlet outlet,
            String transport,
            Request.Connect request,
            @Nullable Emulated emulated,
            Listener listener) {
        this.context = context;
        this.outlet = outlet;
        this.transport = transport;
        this.request = request;
        this.emulated = emulated;
        this.listener = listener;
    }

    void begin(EventLoop loop, Authenticator.Credentials credentials) {
        admission = Admission.ask(context, loop, credentials, this);
    }

    /** The connection is gone; nothing more is told. */
    void giveUp() {
        isOver = true;
        if (admission != null) {
            admission.giveUp();
        }
    }

    @Override
    public void answered(Authenticator.Answer answer) {
        if (outlet.isEnding()) {
            isOver = true;
        } else if (answer instanceof Accepted accepted) {
            open(accepted);
        } else if (answer instanceof Authenticator.Rejected rejected) {
            isOver = true;
            reject(rejected);
        }
    }

    @Override
    public void failed() {
        isOver = true;
        listener.refused(ErrorCode.INTERNAL);
    }

    @Override
    public void crowdedOut() {
        isOver = true;
        listener.refused(ErrorCode.TOO_MANY_REQUESTS);
    }

    private void reject(Authenticator.Rejected reason) {
        switch (reason) {
            case INVALID_TOKEN -> outlet.disconnect(DisconnectReason.INVALID_TOKEN);
            case DENIED -> outlet.disconnect(DisconnectReason.PERMISSION_DENIED);
            case EXPIRED_TOKEN -> listener.refused(ErrorCode.TOKEN_EXPIRED);
            case UNAUTHORIZED -> listener.refused(ErrorCode.UNAUTHORIZED);
        }
    }

    private void open(Accepted accepted) {
        if (Refreshing.isOver(context, accepted.expiry())) {
            isOver = true;
            listener.refused(ErrorCode.EXPIRED);
            return;
        }
        ConnectionInfo info = new ConnectionInfo(
                context.gateway().newConnectionId(),
                accepted.user(),
                transport,
                Instant.ofEpochMilli(context.gateway().time().millis()),
                accepted.info());
        Connection connection;
        try {
            connection = context.gateway().open(info, outlet);
        } catch (ClosedException e) {
            outlet.disconnect(DisconnectReason.SHUTDOWN);
            return;
        } catch (RefusedException e) {
            limited(e.reason());
            return;
        }
        outlet.opened(connection);
        connection.expires(accepted.expiry());
        subscribeAll(connection, accepted);
    }

    /** A user with too many connections stays away; where the node has too many, the client tries again later. */
    private void limited(Refusal reason) {
        if (reason == Refusal.LIMIT_EXCEEDED) {
            outlet.disconnect(DisconnectReason.CONNECTION_LIMIT);
        } else {
            isOver = true;
            listener.refused(ErrorCode.of(reason));
        }
    }

    private void subscribeAll(Connection connection, Accepted accepted) {
        Set<ChannelId> channels = new LinkedHashSet<>(accepted.channels());
        outlet.serverSide(channels);
        missing = channels.size();
        for (ChannelId channel : channels) {
            if (!isOver) {
                Request.Subscribe asked = request.subs().get(channel.value());
                connection.subscribe(
                        channel,
                        asked == null
                                ? new SubscribeRequest(StartAt.live(), false, true)
                                : asked.inWordsOfTheCore(true, outlet.deltas()),
                        result -> subscribed(connection, accepted, channel, result));
            }
        }
        if (channels.isEmpty()) {
            finish(connection, accepted);
        }
    }

    private void subscribed(Connection connection, Accepted accepted, ChannelId channel, SubscribeResult result) {
        if (isOver || outlet.isEnding()) {
            return;
        }
        if (result instanceof SubscribeResult.Refused refused) {
            isOver = true;
            fail(channel, refused.reason());
        } else if (result instanceof SubscribeResult.Subscribed subscribed) {
            Request.Subscribe asked = request.subs().get(channel.value());
            Position recoverFrom = asked == null ? null : asked.recoverFrom();
            subs.put(channel.value(), SubscriptionStart.of(recoverFrom, subscribed));
            if (--missing == 0) {
                finish(connection, accepted);
            }
        }
    }

    /** What the host wants the client to have cannot be given: it may come back and try again. */
    private void fail(ChannelId channel, Refusal reason) {
        FAILED.log("channel", channel, "reason", reason);
        outlet.disconnect(
                reason == Refusal.LIMIT_EXCEEDED ? DisconnectReason.CHANNEL_LIMIT : DisconnectReason.INTERNAL_ERROR);
    }

    private void finish(Connection connection, Accepted accepted) {
        isOver = true;
        long seconds = context.settings().pingInterval().plusMillis(999).toSeconds();
        int ttl = Refreshing.ttl(context, accepted.expiry());
        Welcome welcome = new Welcome(connection.info().id(), accepted.data(), subs, (int) seconds, ttl, emulated);
        listener.connected(connection, welcome);
    }

    /** Hears how it ended, unless by a disconnect. */
    interface Listener {

        /** The client is connected, and is to be told so. */
        void connected(Connection connection, Welcome welcome);

        /** The client is refused with an error, after which it closes by itself. */
        void refused(ErrorCode error);
    }
}
