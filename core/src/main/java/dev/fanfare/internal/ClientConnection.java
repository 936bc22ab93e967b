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
import dev.fanfare.StartAt;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.presence.Member;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Outlet;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection: its subscriptions, and what it may do.
 *
 * <p><i>State.</i> Open or closed; the subscriptions by channel, those that are still beginning included.
 *
 * <p><i>Threads.</i> Confined to the outlet's loop. Answers that come from elsewhere come back through the
 * loop's queue.
 *
 * <p><i>Bounds.</i> As many subscriptions as the builder says; {@link #MAX_MESSAGES} messages with the host's
 * handler. How many publishes wait for the authorizer is bounded by the transport, which counts commands.
 */
final class ClientConnection extends Port implements Connection {

    private static final int MAX_MESSAGES = 64;

    private final Engine engine;
    private final ConnectionInfo info;
    private final Outlet outlet;
    private final Member member;
    private Allowance allowance;
    private final Map<ChannelId, Reader> readers = new HashMap<>(4);
    private final Deque<Turn> publishes = new ArrayDeque<>(0);
    private final Grants grants;
    private final Deadline deadline;
    private int messagesUnderWay;
    private boolean isClosed;

    ClientConnection(Engine engine, ConnectionInfo info, Outlet outlet) {
        super(engine.hub.queue(outlet.loop()));
        this.engine = engine;
        this.info = info;
        this.outlet = outlet;
        this.member = new Member(info.user(), info.id(), info.info());
        this.allowance = new Allowance(engine.settings.limits(), engine.threads.time(), null);
        this.grants = new Grants(engine, info, outlet, queue);
        this.deadline = new Deadline(queue, engine.threads.time(), () -> disconnectNow(DisconnectReason.EXPIRED));
    }

    /** Learns which user's it is; before anything else. */
    void belongsTo(User user) {
        allowance = new Allowance(engine.settings.limits(), engine.threads.time(), user);
    }

    // ---- subscriptions

    @Override
    public void subscribe(ChannelId channel, SubscribeRequest request, Consumer<SubscribeResult> answer) {
        ChannelRules rules = engine.rules(channel);
        Refusal refusal = refusal(channel, rules, request);
        if (rules == null || refusal != null) {
            answer.accept(new SubscribeResult.Refused(noted(channel, refusal)));
            return;
        }
        if (!request.isPermitted() && !allowance.maySubscribe()) {
            answer.accept(new SubscribeResult.Refused(noted(channel, Refusal.TOO_MANY_REQUESTS)));
            return;
        }
        Replay replay = new Replay(request, result -> {
            if (result instanceof SubscribeResult.Refused refused && refused.reason() != Refusal.CLOSED) {
                engine.listener().onRefuse(info, channel, refused.reason());
            }
            answer.accept(result);
        });
        Reader reader = new Reader(this, channel, rules, request, replay);
        readers.put(channel, reader);
        if (request.isPermitted()) {
            enter(reader);
            return;
        }
        Runnable enter = asksForHistory(request.start())
                ? () -> enterIfAllowed(Action.HISTORY, reader, () -> enter(reader))
                : () -> enter(reader);
        if (grants.decides(request.token())) {
            grants.enter(reader, request.token(), enter);
        } else {
            enterIfAllowed(Action.SUBSCRIBE, reader, enter);
        }
    }

    /** Who shows no cursor of this channel, and yet wants what was before, needs the permission for history. */
    private static boolean asksForHistory(StartAt start) {
        return start instanceof StartAt.Latest
                || (start instanceof StartAt.After after && !after.cursor().hasEpoch());
    }

    private void enterIfAllowed(Action action, Reader reader, Runnable then) {
        ask(action, reader.channel, isAllowed -> {
            if (reader.isEnded()) {
                return;
            }
            if (isAllowed) {
                then.run();
            } else {
                reader.refuse(Refusal.NOT_ALLOWED);
            }
        });
    }

    private @Nullable Refusal refusal(ChannelId channel, @Nullable ChannelRules rules, SubscribeRequest request) {
        if (isClosed) {
            return Refusal.CLOSED;
        } else if (rules == null) {
            return Refusal.UNKNOWN_NAMESPACE;
        } else if (readers.containsKey(channel)) {
            return Refusal.ALREADY_SUBSCRIBED;
        } else if (readers.size() >= engine.settings.maxChannelsPerConnection()) {
            return Refusal.LIMIT_EXCEEDED;
        } else if (request.filter() != null && !rules.allowsFilters()) {
            return Refusal.BAD_REQUEST;
        }
        return null;
    }

    /** Makes the user present, then lets the reader begin. */
    private void enter(Reader reader) {
        if (!reader.rules.hasPresence()) {
            engine.hub.join(reader);
            return;
        }
        engine.presences
                .enter(reader.channel, member, reader.rules)
                .whenComplete((joined, failure) -> queue.add(() -> {
                    if (reader.isEnded()) {
                        return;
                    }
                    if (failure != null) {
                        reader.refuse(Refusal.UNAVAILABLE);
                    } else {
                        reader.announcesJoin = joined;
                        engine.hub.join(reader);
                    }
                }));
    }

    @Override
    public boolean unsubscribe(ChannelId channel) {
        Reader reader = readers.get(channel);
        return reader != null && reader.end(UnsubscribeReason.BY_SUBSCRIBER);
    }

    @Override
    public void expires(@Nullable Expiry expiry) {
        deadline.set(isClosed ? null : expiry);
    }

    @Override
    public @Nullable Expiry expiry() {
        return deadline.expiry();
    }

    @Override
    public @Nullable Expiry expiry(ChannelId channel) {
        Reader reader = readers.get(channel);
        return reader == null ? null : reader.expiry();
    }

    @Override
    public void prolong(ChannelId channel, String token, Consumer<ProlongResult> answer) {
        grants.prolong(readers.get(channel), token, answer);
    }

    @Override
    public boolean isSubscribed(ChannelId channel) {
        return readers.containsKey(channel);
    }

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
            subscribeByHost(order.channel(), order.until());
        } else if (deed instanceof ControlMessage.Unsubscribe order) {
            unsubscribeByHost(order.channel(), order.code());
        }
    }

    /** Subscribes for the host, and tells the client; one that cannot be told is not subscribed. */
    private void subscribeByHost(ChannelId channel, @Nullable Instant until) {
        Reader present = readers.get(channel);
        if (present != null) {
            if (until != null) {
                Expiry before = present.expiry();
                grants.expire(present, new Expiry(until, before != null && before.isByClient()));
            }
            return;
        }
        subscribe(channel, new SubscribeRequest(StartAt.live(), false, true), result -> {
            if (!(result instanceof SubscribeResult.Subscribed subscribed)) {
                return;
            }
            if (outlet.subscribed(channel, subscribed)) {
                outlet.flush();
            } else {
                unsubscribe(channel);
            }
        });
        Reader begun = readers.get(channel);
        if (begun != null && until != null) {
            grants.expire(begun, Expiry.prolongedByHost(until));
        }
    }

    /** Ends a subscription for the host, and tells the client. */
    private void unsubscribeByHost(ChannelId channel, @Nullable HostCode code) {
        Reader reader = readers.get(channel);
        if (reader == null) {
            return;
        }
        boolean wasStarted = reader.isStarted(); // if not, the answer to the subscribe says it all
        if (reader.end(UnsubscribeReason.BY_HOST) && wasStarted) {
            if (code == null) {
                outlet.ended(channel, UnsubscribeReason.BY_HOST);
            } else {
                outlet.ended(channel, code);
            }
            outlet.flush();
        }
    }

    @Override
    void started(Reader reader, Resume resume) {
        engine.hub.subscriptions.increment();
        engine.listener().onSubscribe(info, reader.channel, resume);
        if (resume instanceof Resume.Reset reset) {
            engine.listener().onReset(reader.channel, reset.reason());
        }
        if (reader.announcesJoin) {
            queue.add(() -> engine.presences.announceJoin(reader.channel, member));
        }
    }

    @Override
    void removed(Reader reader, UnsubscribeReason reason, boolean wasStarted) {
        readers.remove(reader.channel, reader);
        grants.expire(reader, null);
        if (wasStarted) {
            engine.hub.subscriptions.decrement();
            engine.listener().onUnsubscribe(info, reader.channel, reason);
        }
        boolean isExplicit = reason == UnsubscribeReason.BY_SUBSCRIBER
                || reason == UnsubscribeReason.BY_HOST
                || reason == UnsubscribeReason.NOT_STARTED;
        leave(reader, isExplicit ? Duration.ZERO : reader.rules.presenceGrace());
    }

    private void leave(Reader reader, Duration grace) {
        if (reader.rules.hasPresence()) {
            engine.presences.leave(reader.channel, member, grace);
        }
    }

    /** Returns the channels of its live subscriptions. */
    List<ChannelId> channels() {
        return readers.values().stream()
                .filter(Reader::isStarted)
                .map(reader -> reader.channel)
                .toList();
    }

    // ---- commands

    @Override
    public @Nullable ChannelRules rules(ChannelId channel) {
        return engine.rules(channel);
    }

    @Override
    public void publish(ChannelId channel, Payload data, PublishOptions options, Consumer<PublishResult> answer) {
        if (!allowance.mayPublish()) {
            answer.accept(new PublishResult.Refused(noted(channel, Refusal.TOO_MANY_REQUESTS)));
            return;
        }
        Turn turn = new Turn();
        publishes.add(turn);
        ifAllowed(
                Action.PUBLISH,
                channel,
                reason -> take(turn, () -> answer.accept(new PublishResult.Refused(reason))),
                rules -> take(turn, () -> append(channel, data, options, answer)));
    }

    private void append(ChannelId channel, Payload data, PublishOptions options, Consumer<PublishResult> answer) {
        engine.publishing
                .publish(channel, data, options, new Publisher(info.user(), info.id(), info.info()))
                .whenComplete((result, failure) -> queue.add(() ->
                        answer.accept(failure == null ? result : new PublishResult.Refused(Refusal.UNAVAILABLE))));
    }

    /** Lets a client's publishes go in the order in which they came, whichever is allowed first. */
    private void take(Turn turn, Runnable task) {
        turn.task = task;
        for (Turn head = publishes.peek(); head != null && head.task != null; head = publishes.peek()) {
            publishes.remove();
            head.task.run();
        }
    }

    /** A publish that waits for its permission, or for those before it. */
    private static final class Turn {
        private @Nullable Runnable task;
    }

    @Override
    public void history(ChannelId channel, HistoryQuery query, Consumer<HistoryResult> answer) {
        ifAllowed(
                Action.HISTORY,
                channel,
                reason -> answer.accept(new HistoryResult.Refused(reason)),
                rules -> engine.histories
                        .read(channel, rules, query)
                        .whenComplete((result, failure) -> queue.add(() -> answer.accept(
                                failure == null ? result : new HistoryResult.Refused(Refusal.UNAVAILABLE)))));
    }

    @Override
    public void presence(ChannelId channel, int limit, Consumer<PresenceResult> answer) {
        ifAllowed(Action.PRESENCE, channel, reason -> answer.accept(new PresenceResult.Refused(reason)), rules -> {
            if (!rules.hasPresence()) {
                answer.accept(new PresenceResult.Refused(noted(channel, Refusal.NOT_AVAILABLE)));
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
        RpcHandler handler = engine.settings.rpcHandler();
        if (handler == null) {
            answer.accept(new RpcResult.Refused(noted(null, Refusal.NOT_AVAILABLE)));
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
        if (messagesUnderWay == MAX_MESSAGES) {
            engine.listener().onRefuse(info, null, Refusal.TOO_MANY_REQUESTS);
            outlet.disconnect(DisconnectReason.TOO_MANY_REQUESTS);
            return true;
        }
        messagesUnderWay++;
        AtomicBoolean isUnderWay = new AtomicBoolean(true);
        engine.calls
                .host(() -> {
                    try {
                        handler.message(info, data);
                    } finally {
                        handled(isUnderWay);
                    }
                    return CompletableFuture.completedFuture(true);
                })
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        engine.hub.log.hostFailed("message handler", failure);
                    }
                    if (failure instanceof RejectedExecutionException) {
                        handled(isUnderWay); // it never came to the handler
                    }
                });
        return true;
    }

    private void handled(AtomicBoolean isUnderWay) {
        if (isUnderWay.getAndSet(false)) {
            queue.add(() -> messagesUnderWay--);
        }
    }

    private void ifAllowed(Action action, ChannelId channel, Consumer<Refusal> refuse, Consumer<ChannelRules> proceed) {
        ChannelRules rules = engine.rules(channel);
        if (isClosed || rules == null) {
            refuse.accept(noted(channel, isClosed ? Refusal.CLOSED : Refusal.UNKNOWN_NAMESPACE));
            return;
        }
        ask(action, channel, isAllowed -> {
            if (isAllowed) {
                proceed.accept(rules);
            } else {
                refuse.accept(noted(channel, Refusal.NOT_ALLOWED));
            }
        });
    }

    /** Asks the authorizer; an answer that is known without asking comes at once. */
    private void ask(Action action, ChannelId channel, Consumer<Boolean> answer) {
        Boolean known = engine.permissions.known();
        if (known != null) {
            answer.accept(known);
        } else {
            engine.permissions.ask(
                    info.user(), action, channel, isAllowed -> queue.add(() -> answer.accept(isAllowed)));
        }
    }

    private Refusal noted(@Nullable ChannelId channel, @Nullable Refusal reason) {
        Refusal known = reason == null ? Refusal.UNKNOWN_NAMESPACE : reason;
        engine.listener().onRefuse(info, channel, known);
        return known;
    }

    // ---- the port, and its end

    @Override
    public ConnectionInfo info() {
        return info;
    }

    @Override
    Outlet outlet() {
        return outlet;
    }

    @Override
    ConnectionInfo owner() {
        return info;
    }

    @Override
    public void writable() {
        resumeWaiting();
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
        for (Reader reader : List.copyOf(readers.values())) {
            reader.end(UnsubscribeReason.CONNECTION_CLOSED);
        }
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
