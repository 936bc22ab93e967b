package dev.fanfare.testkit;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.StoreException;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What goes wrong with one kind of call of a {@link FaultyStore}. Shares are between 0 for never and 1 for always;
 * they may be changed while calls are made, and hold for later ones.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class FaultyCalls {

    private final String name;
    private final TimeSource time;
    private final Dice dice;
    private final AtomicLong failed = new AtomicLong();

    private volatile double failing;
    private volatile double losingAnswers;
    private volatile Duration delay = Duration.ZERO;
    private volatile @Nullable Gate gate;
    private volatile @Nullable Gate answerGate;

    FaultyCalls(String name, TimeSource time, Dice dice) {
        this.name = name;
        this.time = time;
        this.dice = dice;
    }

    /** Lets that share of the calls fail with a {@link StoreException}, without doing anything. */
    @CanIgnoreReturnValue
    public FaultyCalls fail(double share) {
        failing = Dice.share(share);
        return this;
    }

    /** Lets that share of the calls fail after they were carried out: nobody can tell. */
    @CanIgnoreReturnValue
    public FaultyCalls loseAnswers(double share) {
        losingAnswers = Dice.share(share);
        return this;
    }

    /** Delays each call by a random time up to that; so they overtake each other. */
    @CanIgnoreReturnValue
    public FaultyCalls delay(Duration atMost) {
        delay = atMost;
        return this;
    }

    /** Holds later calls back, before they are carried out, until the gate is opened. */
    public Gate hold() {
        Gate closed = new Gate();
        gate = closed;
        return closed;
    }

    /** Carries later calls out, but holds their answers back until the gate is opened. */
    public Gate holdAnswers() {
        Gate closed = new Gate();
        answerGate = closed;
        return closed;
    }

    /** Ends all faults; what is held at a gate stays there until that is opened. */
    public void heal() {
        failing = 0;
        losingAnswers = 0;
        delay = Duration.ZERO;
        gate = null;
        answerGate = null;
    }

    /** Returns how many calls failed on purpose. */
    public long failures() {
        return failed.get();
    }

    /** Makes a call with the faults of now. */
    <T> CompletionStage<T> make(Supplier<CompletionStage<T>> call) {
        CompletionStage<Void> start = passed(gate);
        if (!delay.isZero()) {
            start = start.thenCompose(passed -> wait(dice.upTo(delay)));
        }
        if (dice.roll(failing)) {
            return start.thenCompose(passed -> failure("failed on purpose, and did nothing"));
        }
        CompletionStage<T> answer = start.thenCompose(passed -> call.get());
        Gate held = answerGate;
        if (held != null) {
            answer = answer.thenCompose(value -> held.pass().thenApply(passed -> value));
        }
        if (dice.roll(losingAnswers)) {
            return answer.thenCompose(value -> failure("was carried out, and its answer lost on purpose"));
        }
        return answer;
    }

    private static CompletionStage<Void> passed(@Nullable Gate gate) {
        return gate == null ? CompletableFuture.completedFuture(null) : gate.pass();
    }

    private CompletionStage<Void> wait(Duration delay) {
        CompletableFuture<Void> over = new CompletableFuture<>();
        TimeSource.Timer unused = time.schedule(delay, () -> over.complete(null));
        return over;
    }

    private <T> CompletionStage<T> failure(String what) {
        failed.incrementAndGet();
        return CompletableFuture.failedFuture(new StoreException(name + ' ' + what, null, true));
    }
}
