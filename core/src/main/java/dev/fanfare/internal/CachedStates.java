package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ClosedException;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.StartAt;
import dev.fanfare.StateAt;
import dev.fanfare.StateCache;
import dev.fanfare.Subscriber;
import dev.fanfare.Subscription;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Keeps states by channel. A state is good while the position that it was loaded at is not behind that of the channel's
 * subscription here; so nobody needs to look at the log.
 *
 * <p><i>Threads.</i> Thread-safe, without a lock: who finds no good state and puts a promise in its place is the one who
 * loads, and whoever finds the promise waits for it.
 *
 * <p><i>Bounds.</i> As the builder says; one load per channel at a time, with the time-out of all calls of the host's.
 */
final class CachedStates implements StateCache {

    private final Engine engine;
    private final Calls calls;
    private final TimeSource time;
    private final LatestValues values;
    private final String key;
    private final Function<ChannelId, ? extends CompletionStage<Payload>> loader;
    private final Duration timeToLive;
    private final int maxChannels;
    private final Map<ChannelId, Entry> entries = new ConcurrentHashMap<>();
    private final Map<Source, LongAdder> counts = new EnumMap<>(Source.class);
    private volatile boolean isClosed;

    CachedStates(Engine engine, StateCacheBuilder wanted, LatestValues values, TimeSource time) {
        this.engine = engine;
        this.calls = engine.calls;
        this.time = time;
        this.values = values;
        this.key = wanted.key;
        this.loader = wanted.loader;
        this.timeToLive = wanted.timeToLive;
        this.maxChannels = wanted.maxChannels;
        for (Source source : Source.values()) {
            counts.put(source, new LongAdder());
        }
    }

    void start() {
        time.schedule(timeToLive, this::sweep);
    }

    /** A state, or the promise of one. */
    private static final class Held {
        final CompletableFuture<StateAt<Payload>> answer = new CompletableFuture<>();
        volatile long endNanos;
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
        return calls.forHost(entry(channel).latest());
    }

    private Entry entry(ChannelId channel) {
        Entry known = entries.get(channel);
        if (known != null) {
            return known;
        }
        Entry fresh = new Entry(channel);
        Entry present = entries.putIfAbsent(channel, fresh);
        if (present != null) {
            return present;
        }
        fresh.begin();
        if (entries.size() > maxChannels) {
            entries.values().stream()
                    .filter(entry -> entry != fresh)
                    .min(Comparator.comparingLong(entry -> entry.askedNanos))
                    .ifPresent(Entry::end);
        }
        if (isClosed) {
            fresh.end();
        }
        return fresh;
    }

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
        entries.values().stream()
                .filter(entry -> now - entry.askedNanos >= timeToLive.toNanos())
                .forEach(Entry::end);
        time.schedule(timeToLive, this::sweep);
    }

    @Override
    public void close() {
        isClosed = true;
        entries.values().forEach(Entry::end);
        engine.inProcess.forget(this);
    }

    /** One channel. */
    private final class Entry implements Subscriber {
        private final ChannelId channel;
        private final CompletableFuture<Subscription> live = new CompletableFuture<>();
        private final AtomicReference<@Nullable Held> held = new AtomicReference<>();
        private volatile @Nullable Subscription subscription;
        private volatile long askedNanos = time.nanos();

        Entry(ChannelId channel) {
            this.channel = channel;
        }

        void begin() {
            Subscription begun = engine.subscribe(channel, StartAt.live(), this);
            subscription = begun;
            if (entries.get(channel) != this) {
                begun.close(); // it was ended meanwhile
            }
            begun.ready().whenComplete((resume, failure) -> {
                if (failure == null) {
                    live.complete(begun);
                } else {
                    live.completeExceptionally(failure);
                }
            });
        }

        void end() {
            entries.remove(channel, this);
            Subscription begun = subscription;
            if (begun != null) {
                begun.close();
            }
        }

        @Override
        public void onPublication(Publication publication) {
            // It moved the subscription's position, which is what makes a state stale.
        }

        @Override
        public void onEnded(UnsubscribeReason reason) {
            entries.remove(channel, this);
        }

        CompletionStage<StateAt<Payload>> latest() {
            askedNanos = time.nanos();
            Held fresh = new Held();
            while (true) {
                Held present = held.get();
                if (present != null && isGood(present)) {
                    answered(channel, Source.HIT);
                    return present.answer;
                }
                if (held.compareAndSet(present, fresh)) {
                    live.whenComplete((begun, failure) -> {
                        if (failure == null) {
                            load(fresh, begun.cursor());
                        } else {
                            fail(fresh, failure);
                        }
                    });
                    return fresh.answer;
                }
            }
        }

        private boolean isGood(Held present) {
            if (!present.answer.isDone()) {
                return true;
            }
            Subscription begun = subscription;
            return !present.answer.isCompletedExceptionally()
                    && begun != null
                    && covers(present.answer.join().cursor(), begun.cursor())
                    && present.endNanos - time.nanos() > 0;
        }

        private void load(Held fresh, Cursor from) {
            shared(from).whenComplete((found, failure) -> {
                if (found != null) {
                    Duration age = Duration.ofMillis(time.millis() - found.timeMillis());
                    succeed(fresh, new StateAt<>(found.cursor(), found.data()), Source.SHARED, age);
                    return;
                }
                calls.host(() -> loader.apply(channel)).whenComplete((state, failed) -> {
                    if (failed == null) {
                        succeed(fresh, new StateAt<>(from, state), Source.LOADED, Duration.ZERO);
                        share(from, state);
                    } else {
                        fail(fresh, failed);
                    }
                });
            });
        }

        private void succeed(Held fresh, StateAt<Payload> state, Source source, Duration age) {
            Duration left = age.isNegative() ? timeToLive : timeToLive.minus(age);
            fresh.endNanos = time.nanos() + left.toNanos();
            answered(channel, source);
            fresh.answer.complete(state);
        }

        private void fail(Held fresh, Throwable failure) {
            answered(channel, Source.FAILED);
            fresh.answer.completeExceptionally(Calls.unwrap(failure));
        }

        /** Looks for what another node loaded at this position or later. */
        private CompletionStage<@Nullable Publication> shared(Cursor from) {
            return calls.<@Nullable Publication>store("state of " + channel, () -> values.get(channel, key))
                    .thenApply(found -> found != null && covers(found.cursor(), from) ? found : null);
        }

        /** Lets other nodes have it; a channel that was never written has no position that orders states. */
        private void share(Cursor at, Payload state) {
            if (at.offset() > 0) {
                Publication value = Publication.builder(state)
                        .position(at.epoch(), at.offset(), at.tag(), Cursor.NO_TAG)
                        .timeMillis(time.millis())
                        .build();
                calls.store("state of " + channel, () -> values.put(channel, key, value, timeToLive))
                        .whenComplete((kept, failure) -> {
                            if (failure != null) {
                                engine.hub.log.sharingFailed(channel, failure);
                            }
                        });
            }
        }

        private static boolean covers(Cursor state, Cursor position) {
            return state.epoch().equals(position.epoch())
                    && (state.offset() > position.offset()
                            || (state.offset() == position.offset() && state.tag() == position.tag()));
        }
    }
}
