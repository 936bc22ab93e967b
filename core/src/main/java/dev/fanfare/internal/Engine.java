package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.ChannelRules;
import dev.fanfare.ClosedException;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Connections;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.Health;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.PatternSubscriber;
import dev.fanfare.PatternSubscription;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.Rejection;
import dev.fanfare.StartAt;
import dev.fanfare.StateAt;
import dev.fanfare.StateCache;
import dev.fanfare.Stats;
import dev.fanfare.Subscriber;
import dev.fanfare.Subscription;
import dev.fanfare.Tickets;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.Workers;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Gateway;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.Outlet;
import dev.fanfare.spi.Store;
import dev.fanfare.spi.TimeSource;
import dev.fanfare.spi.WorkQueues;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One running Fanfare: puts the parts together and is the front door to them. It has no logic of its own.
 *
 * <p><i>Threads.</i> Thread-safe.
 */
public final class Engine implements Fanfare {

    private static final int MAX_PRESENCE = 10_000;
    private static final int MAX_NAME_LENGTH = 64;
    private static final int BROADCAST_AT_ONCE = 500;
    private static final long CLOSE_SECONDS = 10;
    private static final Duration LONGEST_DRAIN = Duration.ofDays(1);
    private static final LogLine LEASE =
            LogLine.warn(Engine.class, "The presence lease could not be given up; it will run out");

    final Settings settings;
    final Threads threads;
    final Calls calls;
    final Hub hub;
    final Permissions permissions;
    final Publishing publishing;
    final Histories histories;
    final Presences presences;
    final Clients clients;
    final Mail mail;
    final InProcess inProcess;
    private final Store store;
    private final String node = UUID.randomUUID().toString();
    private final GuardedListener listener;
    private final Control control;
    private final StoredTickets tickets;
    private final Gate gate = new Gate(this);
    /** Who tells what waits for clients that do not read; one per transport. */
    private final Set<LongSupplier> unsent = ConcurrentHashMap.newKeySet();

    private final AtomicBoolean isClosed = new AtomicBoolean();
    private final AtomicReference<@Nullable CompletableFuture<Void>> draining = new AtomicReference<>();

    private Engine(Settings settings) {
        this.settings = settings;
        this.threads = new Threads(settings.timeSource(), settings.hostExecutor());
        TimeSource time = threads.time();
        this.clients = new Clients(settings.limits(), time);
        this.store = settings.parts().over(settings.store() == null ? MemoryStore.create(time) : settings.store());
        this.calls = new Calls(threads.host(), threads.overflow(), time);
        this.listener = GuardedListener.of(settings.listeners(), calls);
        this.hub = new Hub(store, listener, time, calls, threads.worker(), settings.repairReads());
        this.permissions = new Permissions(settings, calls, hub.log);
        this.publishing = new Publishing(settings, store, calls, time, listener, hub.log);
        this.histories = new Histories(store.log(), calls);
        this.presences = new Presences(node, store, calls, time, hub.log, listener, settings.presenceLease());
        this.mail = new Mail(node, store.control(), calls, time);
        this.control = new Control(node, store.control(), clients, hub, mail, calls, time);
        this.tickets = new StoredTickets(store, calls, time);
        this.inProcess = new InProcess(calls);
    }

    /** Starts one. */
    public static Engine start(Settings settings) {
        Engine engine = new Engine(settings);
        engine.control.start();
        if (settings.namespaces().values().stream().anyMatch(ChannelRules::hasPresence)) {
            engine.presences.start();
        }
        return engine;
    }

    // ---- Fanfare

    @Override
    public CompletionStage<PublishResult> publish(ChannelId channel, Payload data, PublishOptions options) {
        return calls.forHost(publishRaw(channel, data, options));
    }

    @Override
    public Map<ChannelId, CompletionStage<PublishResult>> broadcast(
            Collection<ChannelId> channels, Payload data, PublishOptions options) {
        requireOpen();
        Map<ChannelId, CompletionStage<PublishResult>> outcomes = new LinkedHashMap<>();
        new Spread<>(channels, BROADCAST_AT_ONCE, channel -> publishRaw(channel, data, options))
                .begin()
                .forEach((channel, outcome) -> outcomes.put(channel, calls.forHost(outcome)));
        return outcomes;
    }

    @Override
    public CompletionStage<HistoryResult> history(ChannelId channel, HistoryQuery query) {
        requireOpen();
        ChannelRules rules = rules(channel);
        if (rules == null) {
            return CompletableFuture.completedFuture(new HistoryResult.Refused(Refusal.UNKNOWN_NAMESPACE));
        }
        return calls.forHost(histories.read(channel, rules, requireNonNull(query, "query")));
    }

    @Override
    public <T> CompletionStage<StateAt<T>> stateAt(ChannelId channel, Supplier<? extends CompletionStage<T>> loader) {
        requireNonNull(loader, "loader");
        return new StateLoad<T>(channel, calls).begin(history(channel, HistoryQuery.first(0)), loader);
    }

    @Override
    public Subscription subscribe(ChannelId channel, StartAt start, Subscriber subscriber) {
        requireOpen();
        requireNonNull(subscriber, "subscriber");
        ChannelRules rules = rules(channel);
        LocalSubscription subscription =
                new LocalSubscription(this, channel, requireNonNull(start, "start"), subscriber, inProcess.nextLoop());
        if (rules == null) {
            subscription.refuse(Refusal.UNKNOWN_NAMESPACE);
            return subscription;
        }
        inProcess.add(subscription);
        SubscribeRequest request = new SubscribeRequest(start, true, true);
        Replay replay = new Replay(request, subscription::answered);
        subscription.begin(new Reader(subscription, channel, rules, request, replay));
        if (isClosed.get()) {
            subscription.end(UnsubscribeReason.SHUTDOWN);
        }
        return subscription;
    }

    @Override
    public PatternSubscription subscribeMatching(ChannelPattern pattern, PatternSubscriber subscriber) {
        requireOpen();
        requireNonNull(pattern, "pattern");
        requireNonNull(subscriber, "subscriber");
        MatchingSubscription subscription =
                new MatchingSubscription(this, pattern, subscriber, hub.queue(inProcess.nextLoop()));
        inProcess.add(subscription);
        subscription.begin();
        if (isClosed.get()) {
            subscription.end(UnsubscribeReason.SHUTDOWN);
        }
        return subscription;
    }

    @Override
    public CompletionStage<PresenceSnapshot> presence(ChannelId channel, int limit) {
        requireOpen();
        if (limit < 0 || limit > MAX_PRESENCE) {
            throw new IllegalArgumentException("limit must be in [0, " + MAX_PRESENCE + "]: " + limit);
        }
        ChannelRules rules = rules(channel);
        if (rules == null || !rules.hasPresence()) {
            Refusal reason = rules == null ? Refusal.UNKNOWN_NAMESPACE : Refusal.NOT_AVAILABLE;
            return CompletableFuture.failedFuture(new RefusedException(
                    "No presence in " + channel + ": " + reason.text() + "; see ChannelRules.Builder.presence()",
                    reason));
        }
        return calls.forHost(presences.snapshot(channel, limit));
    }

    @Override
    public Health health() {
        if (isClosed.get()) {
            return Health.down("closed");
        }
        return draining.get() == null ? storeHealth() : Health.down("draining").and(storeHealth());
    }

    @Override
    public Stats stats() {
        return hub.stats(
                clients.count(),
                threads.waitingHostTasks(),
                calls.refusedTasks(),
                unsent.stream().mapToLong(LongSupplier::getAsLong).sum(),
                publishing.overdueAnnouncements());
    }

    private Health storeHealth() {
        try {
            return store.health();
        } catch (RuntimeException broken) {
            return Health.down(
                    "the store cannot tell how it is: " + broken.getClass().getSimpleName());
        }
    }

    @Override
    public CompletionStage<Void> removeHistory(ChannelId channel) {
        requireOpen();
        ChannelRules rules = rules(channel);
        if (rules == null || !rules.isRetained()) {
            Refusal reason = rules == null ? Refusal.UNKNOWN_NAMESPACE : Refusal.NOT_AVAILABLE;
            return CompletableFuture.failedFuture(
                    new RefusedException("No history of " + channel + ": " + reason.text(), reason));
        }
        return calls.forHost(histories.remove(channel).thenCompose(head -> control.forget(channel, head)));
    }

    @Override
    public Tickets tickets() {
        return tickets;
    }

    @Override
    public Workers.Builder workers(ChannelId channel, String group) {
        requireOpen();
        requireNonNull(channel, "channel");
        checkedName(group, "group");
        requireRetained(channel, "Jobs are what a log retains");
        WorkQueues queues = store.log()
                .workQueues()
                .orElseThrow(() -> new UnsupportedOperationException("The log "
                        + store.log().getClass().getSimpleName() + " has no work queues; that of RedisStore has"));
        return new WorkersBuilder(this, queues, channel, group);
    }

    /** Refuses a channel without a log where the host needs one, and says why one is needed. */
    void requireRetained(ChannelId channel, String why) {
        ChannelRules rules = rules(channel);
        if (rules == null) {
            throw new IllegalArgumentException(
                    why + ", and the namespace of " + channel + " is unknown; Fanfare.builder().namespace(...)");
        }
        if (!rules.isRetained()) {
            throw new IllegalArgumentException(
                    why + ", and " + channel + " retains nothing; see ChannelRules.Builder.retain");
        }
    }

    Workers start(JobRunner runner) {
        requireOpen();
        inProcess.add(runner);
        runner.start();
        return runner;
    }

    @Override
    public StateCache.Builder stateCache(String key, Function<ChannelId, ? extends CompletionStage<Payload>> loader) {
        requireOpen();
        return new StateCacheBuilder(this, checkedName(key, "key"), requireNonNull(loader, "loader"));
    }

    StateCache start(StateCacheBuilder wanted) {
        requireOpen();
        CachedStates cache = new CachedStates(this, wanted, store.latestValues(), threads.time());
        inProcess.add(cache);
        cache.start();
        return cache;
    }

    @CanIgnoreReturnValue
    private static String checkedName(String name, String what) {
        if (name.isEmpty() || name.length() > MAX_NAME_LENGTH) {
            throw new IllegalArgumentException(what + " must have 1 to " + MAX_NAME_LENGTH + " characters: " + name);
        }
        return name;
    }

    @Override
    public Connections connections() {
        return control;
    }

    @Override
    public @Nullable ChannelRules rules(ChannelId channel) {
        return settings.rules(channel);
    }

    @Override
    public Gateway gateway() {
        return gate;
    }

    @Override
    public CompletionStage<Void> drain(Duration window) {
        requireOpen();
        if (window.isNegative() || window.compareTo(LONGEST_DRAIN) > 0) {
            throw new IllegalArgumentException("window must be in [0, " + LONGEST_DRAIN + "]: " + window);
        }
        CompletableFuture<Void> drained = new CompletableFuture<>();
        CompletableFuture<Void> running = draining.compareAndExchange(null, drained);
        if (running != null) {
            return calls.forHost(running);
        }
        new Drain(clients, threads.time(), window).start().thenRun(() -> drained.complete(null));
        return calls.forHost(drained);
    }

    @Override
    public void close() {
        if (calls.isInHostCode()) {
            throw new IllegalStateException("close() waits for callbacks, so it must not be called from one");
        }
        if (!isClosed.compareAndSet(false, true)) {
            return;
        }
        clients.forEach(connection -> connection.disconnect(DisconnectReason.SHUTDOWN));
        inProcess.endAll();
        CompletableFuture<Void> retired = presences.close().toCompletableFuture();
        threads.awaitEnd(() -> retired.isDone() && clients.count() == 0 && inProcess.isOver(), CLOSE_SECONDS);
        if (!retired.isDone() || retired.isCompletedExceptionally()) {
            LEASE.log("node", node);
        }
        publishing.close();
        control.close();
        hub.close();
        CompletableFuture<Void> drained = draining.get();
        if (drained != null) {
            drained.complete(null);
        }
        calls.close();
        threads.close();
    }

    // ---- for the gateway

    Connection open(ConnectionInfo info, Outlet outlet) {
        if (!isAccepting()) {
            throw new ClosedException("This Fanfare is " + (isClosed.get() ? "closed" : "being drained"));
        }
        if (clients.isFull()) {
            listener.onReject(Rejection.CONNECTION_LIMIT);
            throw new RefusedException(
                    "This node has as many connections as it may; see ClientLimits", Refusal.TOO_MANY_REQUESTS);
        }
        ClientConnection connection = new ClientConnection(this, info, outlet);
        if (!clients.add(connection)) {
            hub.release(connection.queue);
            listener.onReject(Rejection.USER_CONNECTION_LIMIT);
            throw new RefusedException("A user has too many connections; see ClientLimits", Refusal.LIMIT_EXCEEDED);
        }
        listener.onConnect(info);
        if (!isAccepting()) {
            connection.disconnect(DisconnectReason.SHUTDOWN);
        }
        return connection;
    }

    /** Publishes for the host; completes on any thread. */
    CompletionStage<PublishResult> publishRaw(ChannelId channel, Payload data, PublishOptions options) {
        requireOpen();
        requireNonNull(channel, "channel");
        requireNonNull(data, "data");
        requireNonNull(options, "options");
        return publishing.publish(channel, data, options, null);
    }

    FanfareListener listener() {
        return listener;
    }

    void listen(FanfareListener more) {
        listener.add(more);
    }

    Runnable countUnsent(LongSupplier bytes) {
        unsent.add(bytes);
        return () -> unsent.remove(bytes);
    }

    String node() {
        return node;
    }

    boolean isAccepting() {
        return !isClosed.get() && draining.get() == null;
    }

    boolean isOpen() {
        return !isClosed.get();
    }

    private void requireOpen() {
        if (isClosed.get()) {
            throw new ClosedException("This Fanfare is closed");
        }
    }
}
