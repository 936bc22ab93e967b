package dev.fanfare.internal;

import dev.fanfare.ClosedException;
import dev.fanfare.FanfareException;
import dev.fanfare.StoreException;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the calls that leave Fanfare: to the store, which must answer in time, and to the host's code,
 * which runs nowhere but on the host executor.
 *
 * <p><i>Threads.</i> Thread-safe. A stage that a store had completed already costs no switch.
 *
 * <p><i>Bounds.</i> Every call has a time-out, and ends with Fanfare at the latest. What the host executor refuses is answered at once: a
 * question with a failure, a completion by a thread kept for those.
 *
 * <p><i>Completions</i> that come in a burst share tasks of the host executor, since handing each over by itself costs more
 * than all else in a publish. None waits behind one that blocks: who takes one while others wait brings the next task first.
 */
final class Calls {

    static final Duration TIME_OUT = Duration.ofSeconds(10);

    private static final int COMPLETIONS_PER_TASK = 64;

    private final Executor host;
    private final Executor overflow;
    private final LongAdder refused = new LongAdder();
    private final Queue<Runnable> completions = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean isTaskComing = new AtomicBoolean();
    private final TimeSource time;
    private final TimeOuts timeOuts;
    /** Those with a time-out of their own. */
    private final Set<CompletableFuture<?>> waiting = ConcurrentHashMap.newKeySet();

    private volatile boolean isClosed;
    private final ThreadLocal<Boolean> isInHostCode = ThreadLocal.withInitial(() -> false);

    Calls(Executor host, Executor overflow, TimeSource time) {
        this.host = host;
        this.overflow = overflow;
        this.time = time;
        this.timeOuts = new TimeOuts(time, TIME_OUT, what -> noAnswer(what, TIME_OUT));
    }

    /** Asks the store; fails with a {@link FanfareException} and nothing else. */
    <T> CompletionStage<T> store(String what, Supplier<CompletionStage<T>> call) {
        return store(what, call, answered -> timeOuts.watch(answered, what));
    }

    /** Asks the store, and waits so long. */
    <T> CompletionStage<T> store(String what, Duration patience, Supplier<CompletionStage<T>> call) {
        return store(what, call, answered -> {
            waitFor(answered);
            TimeSource.Timer timer =
                    time.schedule(patience, () -> answered.completeExceptionally(noAnswer(what, patience)));
            return timer::cancel;
        });
    }

    private <T> CompletionStage<T> store(
            String what, Supplier<CompletionStage<T>> call, Function<CompletableFuture<T>, Runnable> watch) {
        CompletableFuture<T> asked;
        try {
            asked = call.get().toCompletableFuture();
        } catch (RuntimeException | Error failure) {
            return CompletableFuture.failedFuture(asStoreFailure(what, failure));
        }
        if (asked.isDone() && !asked.isCompletedExceptionally()) {
            return asked;
        }
        CompletableFuture<T> answered = new CompletableFuture<>();
        Runnable unwatch = watch.apply(answered);
        asked.whenComplete((value, failure) -> {
            unwatch.run();
            if (failure == null) {
                answered.complete(value);
            } else {
                answered.completeExceptionally(asStoreFailure(what, failure));
            }
        });
        return answered;
    }

    private static StoreException noAnswer(String what, Duration patience) {
        return new StoreException("No answer from the store in " + patience.toSeconds() + " s: " + what, null, true);
    }

    /**
     * Asks the host's code, on the host executor; completes exceptionally if it fails or is late. What is late before it is
     * its turn is not asked.
     */
    <T> CompletionStage<T> host(Supplier<@Nullable CompletionStage<T>> question) {
        CompletableFuture<T> answered = new CompletableFuture<>();
        waitFor(answered);
        TimeSource.Timer timer = time.schedule(
                TIME_OUT,
                () -> answered.completeExceptionally(
                        new IllegalStateException("no answer in " + TIME_OUT.toSeconds() + " s")));
        try {
            inHostCode(() -> ask(question, answered));
        } catch (RejectedExecutionException full) {
            answered.completeExceptionally(full);
        }
        answered.whenComplete((value, failure) -> timer.cancel());
        return answered;
    }

    /** Sees to it that a call ends with {@link #close} at the latest. */
    @SuppressWarnings("CollectionUndefinedEquality") // futures are told apart by identity, as is meant here
    private void waitFor(CompletableFuture<?> answered) {
        waiting.add(answered);
        answered.whenComplete((value, failure) -> waiting.remove(answered));
        if (isClosed) {
            answered.completeExceptionally(closed());
        }
    }

    /** Fails what is still waited for: there will be no time-outs any more. */
    void close() {
        isClosed = true;
        waiting.forEach(answered -> answered.completeExceptionally(closed()));
        timeOuts.close(closed());
        isTaskComing.set(false); // should the host's executor have dropped one
        if (!completions.isEmpty()) {
            bringTask();
        }
    }

    private static ClosedException closed() {
        return new ClosedException("This Fanfare was closed before there was an answer");
    }

    private static <T> void ask(Supplier<@Nullable CompletionStage<T>> question, CompletableFuture<T> answered) {
        if (answered.isDone()) {
            return; // it came too late to its turn, and nobody waits for it any more
        }
        try {
            CompletionStage<T> stage = question.get();
            if (stage == null) {
                answered.completeExceptionally(new IllegalStateException("answered null"));
                return;
            }
            stage.whenComplete((value, failure) -> {
                if (failure != null) {
                    answered.completeExceptionally(unwrap(failure));
                } else if (value == null) {
                    answered.completeExceptionally(new IllegalStateException("answered null"));
                } else {
                    answered.complete(value);
                }
            });
        } catch (RuntimeException | Error failure) {
            answered.completeExceptionally(failure);
        }
    }

    /** Returns a stage for the host: it is complete already, or completes on the host executor. */
    <T> CompletionStage<T> forHost(CompletionStage<T> stage) {
        CompletableFuture<T> future = stage.toCompletableFuture();
        if (future.isDone() && !future.isCompletedExceptionally()) {
            return future.copy();
        }
        CompletableFuture<T> handed = new CompletableFuture<>();
        stage.whenComplete((value, failure) -> complete(() -> {
            if (failure == null) {
                handed.complete(value);
            } else {
                handed.completeExceptionally(unwrap(failure));
            }
        }));
        return handed;
    }

    /** Runs foreign code on the host executor. */
    void inHostCode(Runnable task) {
        hand(() -> run(task));
    }

    private void hand(Runnable task) {
        try {
            host.execute(task);
        } catch (RejectedExecutionException full) {
            refused.increment();
            throw full;
        }
    }

    /** Returns how often the host executor has refused a task. */
    long refusedTasks() {
        return refused.sum();
    }

    /** Runs a completion on the host executor, or if that is full, on a thread kept for those. */
    void complete(Runnable completion) {
        completions.add(completion);
        bringTask();
    }

    private void bringTask() {
        if (isTaskComing.compareAndSet(false, true)) {
            try {
                hand(this::runCompletions);
            } catch (RuntimeException | Error full) {
                bringOverflowTask();
            }
        }
    }

    private void bringOverflowTask() {
        boolean isComing = false;
        try {
            overflow.execute(this::runCompletions);
            isComing = true;
        } finally {
            if (!isComing) {
                isTaskComing.set(false); // for the next one to try
            }
        }
    }

    private void runCompletions() {
        isTaskComing.set(false);
        for (int i = 0; i < COMPLETIONS_PER_TASK; i++) {
            Runnable next = completions.poll();
            if (next == null) {
                return;
            }
            if (!completions.isEmpty()) {
                bringTask(); // this one may block
            }
            runAndBringMore(next);
        }
        if (!completions.isEmpty()) {
            bringTask();
        }
    }

    private void runAndBringMore(Runnable completion) {
        boolean isDone = false;
        try {
            run(completion);
            isDone = true;
        } finally {
            if (!isDone && !completions.isEmpty()) {
                bringTask();
            }
        }
    }

    private void run(Runnable task) {
        boolean before = enterHostCode();
        try {
            task.run();
        } finally {
            leaveHostCode(before);
        }
    }

    /** Marks the calling thread as being inside a callback; returns what {@link #leaveHostCode} needs. */
    boolean enterHostCode() {
        boolean before = isInHostCode.get();
        isInHostCode.set(true);
        return before;
    }

    void leaveHostCode(boolean before) {
        isInHostCode.set(before);
    }

    /** Tells whether the calling thread is inside a callback, where waiting for us could be for ever. */
    boolean isInHostCode() {
        return isInHostCode.get();
    }

    private static FanfareException asStoreFailure(String what, Throwable failure) {
        Throwable cause = unwrap(failure);
        return cause instanceof FanfareException ours
                ? ours
                : new StoreException("The store failed: " + what + ": " + cause.getMessage(), cause, true);
    }

    static Throwable unwrap(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
