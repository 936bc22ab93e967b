package dev.fanfare.internal;

import dev.fanfare.Action;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Expiry;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.HostCode;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Publisher;
import dev.fanfare.Refusal;
import dev.fanfare.Resume;
import dev.fanfare.RpcHandler;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Outlet;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection: what it asks for and what the host orders for it. Its subscriptions are {@link
 * ClientSubscriptions}, what it may do {@link ClientPermissions} and, in how short a time, {@link Allowance}.
 *
 * <p><i>State.</i> Open or closed.
 *
 * <p><i>Threads.</i> Confined to the outlet's loop. Answers that come from elsewhere come back through the
 * loop's queue.
 *
 * <p><i>Bounds.</i> How many commands are under way is bounded by the transport, which counts them.
 */
final class ClientConnection extends Port implements Connection {

    private final Engine engine;
    private final ConnectionInfo info;
    private final Outlet outlet;
    private final ClientPermissions permissions;
    private final ClientSubscriptions subscriptions;
    private final InOrder publishes = new InOrder();
    private final Deadline deadline;
    private Allowance allowance;
    private @Nullable ClientMessages messages;
    private boolean isClosed;

    ClientConnection(Engine engine, ConnectionInfo info, Outlet outlet) {
        super(engine.hub.queue(outlet.loop()));
        this.engine = engine;
        this.info = info;
        this.outlet = outlet;
        this.permissions = new ClientPermissions(engine, info, queue);
        this.subscriptions = new ClientSubscriptions(engine, this, permissions);
        this.allowance = new Allowance(engine.settings.limits(), engine.threads.time(), null);
        this.deadline = new Deadline(queue, engine.threads.time(), () -> disconnectNow(DisconnectReason.EXPIRED));
    }

    /** Learns which user's it is; before anything else. */
    void belongsTo(User user) {
        allowance = new Allowance(engine.settings.limits(), engine.threads.time(), user);
    }

    @Override
    public ConnectionInfo info() {
        return info;
    }

    // ---- subscriptions

    @Override
    public void subscribe(ChannelId channel, SubscribeRequest request, Consumer<SubscribeResult> answer) {
        if (isClosed) {
            answer.accept(new SubscribeResult.Refused(permissions.noted(channel, Refusal.CLOSED)));
        } else {
            subscriptions.begin(channel, request, allowance, answer);
        }
    }

    @Override
    public boolean unsubscribe(ChannelId channel) {
        return subscriptions.end(channel);
    }

    @Override
    public boolean isSubscribed(ChannelId channel) {
        return subscriptions.has(channel);
    }

    /** Returns the channels of its live subscriptions. */
    List<ChannelId> channels() {
        return subscriptions.channels();
    }

    @Override
    public @Nullable Expiry expiry(ChannelId channel) {
        return subscriptions.expiry(channel);
    }

    @Override
    public void prolong(ChannelId channel, String token, Consumer<ProlongResult> answer) {
        subscriptions.prolong(channel, token, answer);
    }

    // ---- commands

    @Override
    public @Nullable ChannelRules rules(ChannelId channel) {
        return engine.rules(channel);
    }

    @Override
    public void publish(ChannelId channel, Payload data, PublishOptions options, Consumer<PublishResult> answer) {
        if (!allowance.mayPublish()) {
            answer.accept(new PublishResult.Refused(permissions.noted(channel, Refusal.TOO_MANY_REQUESTS)));
            return;
        }
        InOrder.Turn turn = publishes.next();
        ifAllowed(
                Action.PUBLISH,
                channel,
                reason -> publishes.take(turn, () -> answer.accept(new PublishResult.Refused(reason))),
                rules -> publishes.take(turn, () -> append(channel, data, options, answer)));
    }

    private void append(ChannelId channel, Payload data, PublishOptions options, Consumer<PublishResult> answer) {
        engine.publishing
                .publish(channel, data, options, new Publisher(info.user(), info.id(), info.info()))
                .whenComplete((result, failure) -> queue.add(() ->
                        answer.accept(failure == null ? result : new PublishResult.Refused(Refusal.UNAVAILABLE))));
    }

    @Override
    public void history(ChannelId channel, HistoryQuery query, int enoughBytes, Consumer<HistoryResult> answer) {
        if (!allowance.mayRequest()) {
            answer.accept(new HistoryResult.Refused(permissions.noted(channel, Refusal.TOO_MANY_REQUESTS)));
            return;
        }
        ifAllowed(
                Action.HISTORY,
                channel,
                reason -> answer.accept(new HistoryResult.Refused(reason)),
                rules -> engine.histories
                        .read(channel, rules, query, enoughBytes)
                        .whenComplete((result, failure) -> queue.add(() -> answer.accept(
                                failure == null ? result : new HistoryResult.Refused(Refusal.UNAVAILABLE)))));
    }

    @Override
    public void presence(ChannelId channel, int limit, Consumer<PresenceResult> answer) {
        if (!allowance.mayRequest()) {
            answer.accept(new PresenceResult.Refused(permissions.noted(channel, Refusal.TOO_MANY_REQUESTS)));
            return;
        }
        ifAllowed(Action.PRESENCE, channel, reason -> answer.accept(new PresenceResult.Refused(reason)), rules -> {
            if (!rules.hasPresence()) {
                answer.accept(new PresenceResult.Refused(permissions.noted(channel, Refusal.NOT_AVAILABLE)));
                return;
            }
            engine.presences
                    .snapshot(channel, limit)
                    .whenComplete((found, failure) -> queue.add(() -> answer.accept(
                            failure == null
                                    ? new PresenceResult.Present(found)
                                    : new PresenceResult.Refused(Refusal.UNAVAILABLE))));
        });
    }

    @Override
    public void rpc(String method, Payload data, Consumer<RpcResult> answer) {
        if (!allowance.mayRequest()) {
            answer.accept(new RpcResult.Refused(permissions.noted(null, Refusal.TOO_MANY_REQUESTS)));
            return;
        }
        RpcHandler handler = engine.settings.rpcHandler();
        if (handler == null) {
            answer.accept(new RpcResult.Refused(permissions.noted(null, Refusal.NOT_AVAILABLE)));
            return;
        }
        engine.calls
                .host(() -> handler.call(new RpcHandler.Call(info, method, data)))
                .whenComplete((reply, failure) -> {
                    if (failure != null) {
                        engine.hub.log.hostFailed("RPC handler", failure);
                    }
                    RpcResult result = failure == null
                            ? new RpcResult.Answered(reply)
                            : new RpcResult.Refused(Refusal.UNAVAILABLE);
                    queue.add(() -> answer.accept(result));
                });
    }

    @Override
    public boolean message(Payload data) {
        RpcHandler.MessageHandler handler = engine.settings.messageHandler();
        if (handler == null) {
            return false;
        }
        if (messages == null) {
            messages = new ClientMessages(engine, info, queue);
        }
        if (!messages.hand(handler, data)) {
            permissions.noted(null, Refusal.TOO_MANY_REQUESTS);
            outlet.disconnect(DisconnectReason.TOO_MANY_REQUESTS);
        }
        return true;
    }

    private void ifAllowed(Action action, ChannelId channel, Consumer<Refusal> refuse, Consumer<ChannelRules> proceed) {
        if (isClosed) {
            refuse.accept(permissions.noted(channel, Refusal.CLOSED));
        } else {
            permissions.ifAllowed(action, channel, refuse, proceed);
        }
    }

    // ---- by order of the host

    /** Does what the host orders. */
    void carryOut(ControlMessage.Deed deed) {
        if (isClosed) {
            return;
        }
        if (deed instanceof ControlMessage.Disconnect order) {
            HostCode code = order.code();
            if (code == null) {
                outlet.disconnect(order.reason());
            } else {
                outlet.disconnect(code);
            }
        } else if (deed instanceof ControlMessage.Refresh order) {
            Expiry before = deadline.expiry();
            Instant until = order.until();
            deadline.set(until == null ? null : new Expiry(until, before != null && before.isByClient()));
        } else if (deed instanceof ControlMessage.Subscribe order) {
            subscriptions.beginByHost(order.channel(), order.until());
        } else if (deed instanceof ControlMessage.Unsubscribe order) {
            subscriptions.endByHost(order.channel(), order.code());
        }
    }

    // ---- the port

    @Override
    Outlet outlet() {
        return outlet;
    }

    @Override
    ConnectionInfo owner() {
        return info;
    }

    @Override
    void started(Reader reader, Resume resume) {
        subscriptions.started(reader, resume);
    }

    @Override
    void removed(Reader reader, UnsubscribeReason reason, boolean wasStarted) {
        subscriptions.removed(reader, reason, wasStarted);
    }

    @Override
    public void writable() {
        resumeWaiting();
    }

    // ---- its end

    @Override
    public void expires(@Nullable Expiry expiry) {
        deadline.set(isClosed ? null : expiry);
    }

    @Override
    public @Nullable Expiry expiry() {
        return deadline.expiry();
    }

    @Override
    public void closed(DisconnectReason reason) {
        if (isClosed) {
            return;
        }
        isClosed = true;
        deadline.set(null);
        engine.clients.remove(this);
        engine.hub.release(queue);
        subscriptions.endAll();
        engine.listener().onDisconnect(info, reason);
    }

    /** Closes the connection, from anywhere. */
    void disconnect(DisconnectReason reason) {
        queue.add(() -> disconnectNow(reason));
    }

    private void disconnectNow(DisconnectReason reason) {
        if (!isClosed) {
            outlet.disconnect(reason);
        }
    }
}
