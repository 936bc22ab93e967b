package dev.fanfare.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/** Tasks of a stripe run one at a time, see what the ones before wrote, and none is forgotten. */
public class StripeLincheckTest {

    static {
        System.setProperty("lincheck.logLevel", "ERROR");
    }

    private final AtomicInteger brought = new AtomicInteger();
    /** Neither thread-safe nor volatile: the stripe's business. */
    private final List<Integer> ran = new ArrayList<>();

    private final Stripe stripe = new Stripe(Runnable::run);

    @Operation
    public void execute(int number) {
        brought.incrementAndGet();
        stripe.execute(() -> ran.add(number));
    }

    @Operation
    public void executeFromWithin(int number) {
        brought.addAndGet(2);
        stripe.execute(() -> {
            int before = ran.size();
            stripe.execute(() -> ran.add(number));
            if (ran.size() != before) {
                throw new AssertionError("a task ran within another");
            }
            ran.add(number);
        });
    }

    @Validate
    public void everyTaskRan() {
        if (ran.size() != brought.get()) {
            throw new AssertionError(brought.get() + " tasks were brought, and " + ran.size() + " ran");
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
                .check(StripeLincheckTest.class);
    }
}
