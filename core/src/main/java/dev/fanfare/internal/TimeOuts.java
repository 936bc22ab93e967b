package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Ends calls that nobody answers. Those made within a moment share one timer, since setting and cancelling one for each is a
 * good part of the cost of a publish; so a call waits for its patience, or up to {@value #SHARED_MILLIS} ms less.
 *
 * <p><i>Threads.</i> Thread-safe.
 */
final class TimeOuts {

    private static final long SHARED_MILLIS = 100;
    private static final long SHARED_NANOS = SHARED_MILLIS * 1_000_000;

    private final TimeSource time;
    private final Duration patience;
    private final Function<String, Throwable> failure;
    private final Set<Round> rounds = ConcurrentHashMap.newKeySet();
    private final AtomicReference<Round> newest;
    private volatile @Nullable Throwable closed;

    /** The calls of a moment. */
    private static final class Round {
        final long begun;
        final Set<Call> open = ConcurrentHashMap.newKeySet();
        volatile boolean isOver;

        Round(long begun) {
            this.begun = begun;
        }
    }

    private static final class Call {
        final CompletableFuture<?> answer;
        final String what;

        Call(CompletableFuture<?> answer, String what) {
            this.answer = answer;
            this.what = what;
        }
    }

    /**
     * Makes one.
     *
     * @param failure makes of what a call wanted what it fails with
     */
    TimeOuts(TimeSource time, Duration patience, Function<String, Throwable> failure) {
        this.time = time;
        this.patience = patience;
        this.failure = failure;
        this.newest = new AtomicReference<>(new Round(time.nanos() - SHARED_NANOS));
    }

    /** Watches a call until the task that is returned has run. */
    Runnable watch(CompletableFuture<?> answer, String what) {
        Round round = current();
        Call call = new Call(answer, what);
        round.open.add(call);
        if (round.isOver || closed != null) {
            end(round);
        }
        return () -> round.open.remove(call);
    }

    private Round current() {
        long now = time.nanos();
        Round round = requireNonNull(newest.get());
        return now - round.begun < SHARED_NANOS ? round : next(now);
    }

    private Round next(long now) {
        Round fresh = new Round(now);
        Round before = requireNonNull(newest.get());
        if (now - before.begun < SHARED_NANOS || !newest.compareAndSet(before, fresh)) {
            return requireNonNull(newest.get()); // another thread was faster
        }
        rounds.add(fresh);
        TimeSource.Timer unused = time.schedule(patience, () -> end(fresh));
        return fresh;
    }

    private void end(Round round) {
        round.isOver = true;
        rounds.remove(round);
        Throwable end = closed;
        round.open.forEach(call -> {
            round.open.remove(call);
            call.answer.completeExceptionally(end == null ? failure.apply(call.what) : end);
        });
    }

    /** Ends all calls with that, those that are made from now on too. */
    void close(Throwable end) {
        closed = end;
        rounds.forEach(this::end);
    }
}
