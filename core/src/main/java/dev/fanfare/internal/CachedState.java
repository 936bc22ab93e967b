package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.StateAt;
import dev.fanfare.StateCache.Source;
import dev.fanfare.Subscriber;
import dev.fanfare.Subscription;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.TimeSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The state of one channel, which is good while the channel's subscription has not moved past it, and for its time to live.
 *
 * <p><i>State.</i> A subscription that is beginning, live or over, and the newest promise of a state.
 *
 * <p><i>Threads.</i> Thread-safe, without a lock: who finds no good state and puts a promise in its place is the one who
 * loads, and whoever finds the promise waits for it.
 *
 * <p><i>Bounds.</i> One load at a time.
 */
final class CachedState implements Subscriber {

    private final ChannelId channel;
    private final StateLoader loader;
    private final TimeSource time;
    private final Consumer<Source> answered;
    private final Consumer<CachedState> ended;
    private final CompletableFuture<Subscription> live = new CompletableFuture<>();
    private final AtomicReference<@Nullable Promise> newest = new AtomicReference<>();
    private volatile @Nullable Subscription subscription;
    private volatile boolean isEnded;
    private volatile long askedAt;

    private static final class Promise {
        final CompletableFuture<StateAt<Payload>> state = new CompletableFuture<>();
        volatile long goodUntil;
    }

    /**
     * Makes one.
     *
     * @param answered hears of each answer where it came from
     * @param ended hears that this is of no use any more; maybe more than once
     */
    CachedState(
            ChannelId channel,
            StateLoader loader,
            TimeSource time,
            Consumer<Source> answered,
            Consumer<CachedState> ended) {
        this.channel = channel;
        this.loader = loader;
        this.time = time;
        this.answered = answered;
        this.ended = ended;
        this.askedAt = time.nanos();
    }

    /** Returns for how long nobody has asked, in nanoseconds. */
    long idleNanos(long now) {
        return now - askedAt;
    }

    // ---- the subscription

    /** Begins; whoever waits already hears of a failure. */
    void begin(Function<Subscriber, Subscription> subscribe) {
        Subscription begun;
        try {
            begun = subscribe.apply(this);
        } catch (RuntimeException | Error failure) {
            ended.accept(this);
            live.completeExceptionally(failure);
            return;
        }
        subscription = begun;
        if (isEnded) {
            begun.close();
        }
        begun.ready().whenComplete((resume, failure) -> {
            if (failure == null) {
                live.complete(begun);
            } else {
                live.completeExceptionally(failure);
            }
        });
    }

    /** Ends; who waits still gets what is being loaded. */
    void end() {
        isEnded = true;
        ended.accept(this);
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
        ended.accept(this);
    }

    // ---- the state

    /** Returns the state, which is loaded if there is no good one. */
    CompletionStage<StateAt<Payload>> latest() {
        askedAt = time.nanos();
        Promise fresh = new Promise();
        while (true) {
            Promise present = newest.get();
            if (present != null && isGood(present)) {
                answered.accept(Source.HIT);
                return present.state;
            }
            if (newest.compareAndSet(present, fresh)) {
                live.thenCompose(begun -> loader.load(channel, begun.cursor()))
                        .whenComplete((loaded, failure) -> settle(fresh, loaded, failure));
                return fresh.state;
            }
        }
    }

    private boolean isGood(Promise present) {
        if (!present.state.isDone()) {
            return true;
        }
        Subscription begun = subscription;
        return !present.state.isCompletedExceptionally()
                && begun != null
                && StateLoader.covers(present.state.join().cursor(), begun.cursor())
                && present.goodUntil - time.nanos() > 0;
    }

    private void settle(Promise promise, StateLoader.@Nullable Loaded loaded, @Nullable Throwable failure) {
        if (loaded == null) {
            answered.accept(Source.FAILED);
            promise.state.completeExceptionally(Calls.unwrap(requireNonNull(failure)));
        } else {
            promise.goodUntil = time.nanos() + loaded.timeLeft().toNanos();
            answered.accept(loaded.source());
            promise.state.complete(loaded.state());
        }
    }
}
