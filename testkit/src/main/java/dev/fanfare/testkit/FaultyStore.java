package dev.fanfare.testkit;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.Health;
import dev.fanfare.Publication;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Wraps a store and makes it fail as a network, a broker or a database does. Without further ado it is as good
 * as the store it wraps.
 *
 * <pre>{@code
 * FaultyStore store = FaultyStore.wrap(MemoryStore.create(time), time, seed);
 * store.bus().lose(0.1).repeat(0.1).swap(0.1);
 * store.appends().loseAnswers(0.05);
 * Gate gate = store.reads().hold();
 * }</pre>
 *
 * <p>Chance comes from a seed; with one thread the same seed gives the same faults. Several nodes of one cluster
 * each wrap the same store.
 *
 * <p><b>Threading:</b> thread-safe. Held and delayed calls go on upon the thread that opens the gate, or of the
 * time source.
 */
public final class FaultyStore implements Store {

    private static final int WHOLE_LOG = 10_000_000;

    private final Store store;
    private final FaultyCalls appends;
    private final FaultyCalls reads;
    private final FaultyCalls presenceCalls;
    private final FaultyCalls controlCalls;
    private final FaultyCalls latestCalls;
    private final FaultyBus bus;
    private final FaultyLog log = new FaultyLog();
    private final FaultyPresence presence = new FaultyPresence();
    private final FaultyControl control = new FaultyControl();
    private final FaultyLatest latest = new FaultyLatest();
    private final Map<ChannelId, StaleLog> staleLogs = new ConcurrentHashMap<>();
    private volatile Health ownHealth = Health.up();

    private FaultyStore(Store store, TimeSource time, Dice dice) {
        this.store = store;
        this.appends = new FaultyCalls("An append", time, dice);
        this.reads = new FaultyCalls("A read", time, dice);
        this.presenceCalls = new FaultyCalls("A presence call", time, dice);
        this.controlCalls = new FaultyCalls("A control call", time, dice);
        this.latestCalls = new FaultyCalls("A call for latest values", time, dice);
        this.bus = new FaultyBus(store.bus(), time, dice);
    }

    /**
     * Wraps a store.
     *
     * @param time for delays
     * @param seed of all chance
     */
    public static FaultyStore wrap(Store store, TimeSource time, long seed) {
        return new FaultyStore(requireNonNull(store, "store"), requireNonNull(time, "time"), new Dice(seed));
    }

    /** Returns what goes wrong with appends. */
    public FaultyCalls appends() {
        return appends;
    }

    /** Returns what goes wrong with reads. */
    public FaultyCalls reads() {
        return reads;
    }

    /** Returns what goes wrong with all calls of the presence store. */
    public FaultyCalls presenceCalls() {
        return presenceCalls;
    }

    /** Returns what goes wrong with all calls of the control bus. A message that was sent arrives. */
    public FaultyCalls controlCalls() {
        return controlCalls;
    }

    /** Returns what goes wrong with all calls for latest values. */
    public FaultyCalls latestCalls() {
        return latestCalls;
    }

    /** Lets the store say that it is down, whatever it can do. */
    public void complain(String reason) {
        ownHealth = Health.down(reason);
    }

    /** Ends all faults; what is held at a gate stays there until that is opened, and stale logs stay. */
    public void heal() {
        appends.heal();
        reads.heal();
        presenceCalls.heal();
        controlCalls.heal();
        latestCalls.heal();
        bus.heal();
        ownHealth = Health.up();
    }

    /**
     * Fails over to a stale replica of one channel: the log now ends at that offset, in the same epoch, and goes on
     * from there. Tell {@link HistoryChecker#lost} too. No append may be under way; where several nodes share the
     * store, each must fail over, or only one may be used for the channel.
     */
    public CompletionStage<Void> failOver(ChannelId channel, long keptOffset) {
        return log.read(new ChannelLog.LogRead(channel, 0, WHOLE_LOG, false)).thenAccept(page -> {
            staleLogs.put(channel, new StaleLog(channel, page, keptOffset, this::announceForLog));
        });
    }

    /** Does for a stale log what the true one does itself. */
    private void announceForLog(Announcement announcement) {
        if (store.log().announcesOn(store.bus())) {
            // A bus may lose announcements; nobody waits for them.
            CompletionStage<Void> unused = store.bus().announce(announcement);
        }
    }

    @Override
    public ChannelLog log() {
        return log;
    }

    /** Returns the bus, which can be told what goes wrong with announcements. */
    @Override
    public FaultyBus bus() {
        return bus;
    }

    @Override
    public PresenceStore presence() {
        return presence;
    }

    @Override
    public ControlBus control() {
        return control;
    }

    @Override
    public LatestValues latestValues() {
        return latest;
    }

    @Override
    public Health health() {
        return ownHealth.and(store.health());
    }

    private final class FaultyLog implements ChannelLog {
        @Override
        public CompletionStage<AppendResult> append(AppendRequest request) {
            return appends.make(() -> {
                StaleLog stale = staleLogs.get(request.channel());
                return stale == null || !request.rules().isRetained()
                        ? store.log().append(request)
                        : CompletableFuture.completedFuture(stale.append(request));
            });
        }

        @Override
        public CompletionStage<LogPage> read(LogRead read) {
            return reads.make(() -> {
                StaleLog stale = staleLogs.get(read.channel());
                return stale == null ? store.log().read(read) : CompletableFuture.completedFuture(stale.read(read));
            });
        }

        @Override
        public CompletionStage<Void> clear(ChannelId channel) {
            StaleLog stale = staleLogs.get(channel);
            if (stale != null) {
                stale.clear();
            }
            return store.log().clear(channel);
        }

        @Override
        public boolean isDurable() {
            return store.log().isDurable();
        }

        @Override
        public boolean announcesOn(Bus other) {
            return other == bus && store.log().announcesOn(store.bus());
        }
    }

    private final class FaultyPresence implements PresenceStore {
        @Override
        public CompletionStage<Boolean> renew(String node, Duration timeToLive) {
            return make(() -> store.presence().renew(node, timeToLive));
        }

        @Override
        public CompletionStage<Void> retire(String node) {
            return make(() -> store.presence().retire(node));
        }

        @Override
        public CompletionStage<Boolean> enter(String node, ChannelId channel, Member member, Duration grace) {
            return make(() -> store.presence().enter(node, channel, member, grace));
        }

        @Override
        public CompletionStage<Boolean> leave(ChannelId channel, Member member, Duration grace) {
            return make(() -> store.presence().leave(channel, member, grace));
        }

        @Override
        public CompletionStage<List<Departure>> sweep(int limit) {
            return make(() -> store.presence().sweep(limit));
        }

        @Override
        public CompletionStage<PresenceSnapshot> snapshot(ChannelId channel, int limit) {
            return make(() -> store.presence().snapshot(channel, limit));
        }

        private <T> CompletionStage<T> make(Supplier<CompletionStage<T>> call) {
            return presenceCalls.make(call);
        }
    }

    private final class FaultyControl implements ControlBus {
        @Override
        public CompletionStage<Membership> join(String node, Consumer<String> handler) {
            return controlCalls.make(() -> store.control().join(node, handler));
        }

        @Override
        public CompletionStage<Void> send(String message) {
            return controlCalls.make(() -> store.control().send(message));
        }

        @Override
        public CompletionStage<Set<String>> nodes() {
            return controlCalls.make(() -> store.control().nodes());
        }
    }

    private final class FaultyLatest implements LatestValues {
        @Override
        public CompletionStage<Void> put(ChannelId channel, String key, Publication value, Duration timeToLive) {
            return latestCalls.make(() -> store.latestValues().put(channel, key, value, timeToLive));
        }

        @Override
        public CompletionStage<@Nullable Publication> get(ChannelId channel, String key) {
            return latestCalls.make(() -> store.latestValues().get(channel, key));
        }

        @Override
        public CompletionStage<Map<String, Publication>> all(ChannelId channel, int limit) {
            return latestCalls.make(() -> store.latestValues().all(channel, limit));
        }

        @Override
        public CompletionStage<Void> remove(ChannelId channel, String key) {
            return latestCalls.make(() -> store.latestValues().remove(channel, key));
        }
    }
}
