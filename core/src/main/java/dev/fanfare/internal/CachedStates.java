package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ClosedException;
import dev.fanfare.Payload;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.StartAt;
import dev.fanfare.StateAt;
import dev.fanfare.StateCache;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * Keeps states by channel; see {@link CachedState} for one of them.
 *
 * <p><i>Threads.</i> Thread-safe, without a lock.
 *
 * <p><i>Bounds.</i> As many channels as the builder says, and those that come while one thread makes room.
 */
final class CachedStates implements StateCache {

    /** Of all channels one in so many goes when there is no room, so that all are looked at only now and then. */
    private static final int SHARE_THAT_GOES = 16;

    private final Engine engine;
    private final Calls calls;
    private final TimeSource time;
    private final StateLoader loader;
    private final Duration timeToLive;
    private final int maxChannels;
    private final Map<ChannelId, CachedState> states = new ConcurrentHashMap<>();
    private final Map<Source, LongAdder> counts = new EnumMap<>(Source.class);
    private final AtomicBoolean isMakingRoom = new AtomicBoolean();
    private volatile boolean isClosed;

    CachedStates(Engine engine, StateCacheBuilder wanted, LatestValues values, TimeSource time) {
        this.engine = engine;
        this.calls = engine.calls;
        this.time = time;
        this.loader = new StateLoader(engine.calls, time, engine.hub.log, values, wanted);
        this.timeToLive = wanted.timeToLive;
        this.maxChannels = wanted.maxChannels;
        for (Source source : Source.values()) {
            counts.put(source, new LongAdder());
        }
    }

    void start() {
        time.schedule(timeToLive, this::sweep);
    }

    @Override
    public CompletionStage<StateAt<Payload>> latest(ChannelId channel) {
        requireNonNull(channel, "channel");
        if (isClosed || !engine.isOpen()) {
            throw new ClosedException("This cache of states is closed");
        }
        ChannelRules rules = engine.rules(channel);
        if (rules == null || !rules.isRetained()) {
            Refusal reason = rules == null ? Refusal.UNKNOWN_NAMESPACE : Refusal.NOT_AVAILABLE;
            return CompletableFuture.failedFuture(
                    new RefusedException(channel + " has no position to follow from: " + reason.text(), reason));
        }
        return calls.forHost(state(channel).latest());
    }

    private CachedState state(ChannelId channel) {
        CachedState known = states.get(channel);
        if (known != null) {
            return known;
        }
        CachedState fresh = new CachedState(
                channel, loader, time, source -> answered(channel, source), state -> states.remove(channel, state));
        CachedState present = states.putIfAbsent(channel, fresh);
        if (present != null) {
            return present;
        }
        fresh.begin(subscriber -> engine.subscribe(channel, StartAt.live(), subscriber));
        makeRoomBeside(fresh);
        if (isClosed) {
            fresh.end();
        }
        return fresh;
    }

    private void makeRoomBeside(CachedState fresh) {
        if (states.size() > maxChannels && isMakingRoom.compareAndSet(false, true)) {
            try {
                endIdlest(states.size() - maxChannels + maxChannels / SHARE_THAT_GOES, fresh);
            } finally {
                isMakingRoom.set(false);
            }
        }
    }

    private void endIdlest(int count, CachedState fresh) {
        long now = time.nanos();
        states.values().stream()
                .filter(state -> state != fresh)
                .map(state -> new Idle(state, state.idleNanos(now)))
                .sorted(Comparator.comparingLong(Idle::nanos).reversed())
                .limit(count)
                .forEach(idle -> idle.state.end());
    }

    /** For how long nobody has asked for a state; written down, since it must not change while they are compared. */
    private record Idle(CachedState state, long nanos) {}

    @Override
    public Counts counts() {
        return new Counts(count(Source.HIT), count(Source.SHARED), count(Source.LOADED), count(Source.FAILED));
    }

    private long count(Source source) {
        return requireNonNull(counts.get(source)).sum();
    }

    private void answered(ChannelId channel, Source source) {
        requireNonNull(counts.get(source)).increment();
        engine.listener().onStateAsked(channel, source);
    }

    private void sweep() {
        if (isClosed) {
            return;
        }
        long now = time.nanos();
        states.values().stream()
                .filter(state -> state.idleNanos(now) >= timeToLive.toNanos())
                .forEach(CachedState::end);
        time.schedule(timeToLive, this::sweep);
    }

    @Override
    public void close() {
        isClosed = true;
        states.values().forEach(CachedState::end);
        engine.inProcess.forget(this);
    }
}
