package dev.fanfare.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/** A loop is woken for whatever is added, once at a time, and finds it in order. */
public class LoopQueueLincheckTest {

    static {
        System.setProperty("lincheck.logLevel", "ERROR");
    }

    /** The event loop: turns that wait to be run. */
    private final ConcurrentLinkedQueue<Runnable> turns = new ConcurrentLinkedQueue<>();

    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicInteger mostWaiting = new AtomicInteger();
    private final AtomicInteger added = new AtomicInteger();
    private final List<Integer> ran = new ArrayList<>();
    private final LoopQueue queue = new LoopQueue(turn -> {
        mostWaiting.accumulateAndGet(waiting.incrementAndGet(), Math::max);
        turns.add(turn);
    });

    @Operation
    public void add(int number) {
        added.incrementAndGet();
        queue.add(() -> ran.add(number));
    }

    @Operation
    public void offer(int number) {
        if (queue.offer(() -> ran.add(number), 1)) {
            added.incrementAndGet();
        }
    }

    @Operation(nonParallelGroup = "loop")
    public void turn() {
        Runnable turn = turns.poll();
        if (turn != null) {
            waiting.decrementAndGet();
            turn.run();
        }
    }

    @Validate
    public void nothingIsLeftBehind() {
        for (Runnable turn = turns.poll(); turn != null; turn = turns.poll()) {
            turn.run();
        }
        if (ran.size() != added.get()) {
            throw new AssertionError(added.get() + " signals were added, and " + ran.size() + " ran");
        }
        if (mostWaiting.get() > 1) {
            throw new AssertionError("The loop was woken " + mostWaiting.get() + " times at once");
        }
    }

    @Test
    void holdsInEveryScheduleOfAFewThreads() {
        new ModelCheckingOptions()
                .iterations(10)
                .invocationsPerIteration(200)
                .threads(3)
                .actorsPerThread(2)
                .actorsBefore(0)
                .actorsAfter(0)
                .check(LoopQueueLincheckTest.class);
    }
}
