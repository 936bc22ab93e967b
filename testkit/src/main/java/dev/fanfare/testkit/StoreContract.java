package dev.fanfare.testkit;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.spi.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/**
 * What the contract suites of a store's parts share. A store subclasses {@link ChannelLogContract}, {@link
 * BusContract}, {@link PresenceStoreContract}, {@link ControlBusContract} and {@link LatestValuesContract}
 * and passes each a {@link StoreFixture}.
 *
 * <p>The name of a case begins with the number of the clause that it shows, in the {@code @implSpec} list of
 * the part's interface.
 *
 * <p><b>Threading:</b> as JUnit says; one instance per test.
 */
public abstract class StoreContract {

    /** How long the suites wait for something that must happen. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private final StoreFixture fixture;
    private final String run = Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36);
    private @Nullable Store store;

    StoreContract(StoreFixture fixture) {
        this.fixture = fixture;
    }

    @AfterEach
    void closeFixture() {
        fixture.close();
    }

    /** Returns the store as the test's first node sees it. */
    Store store() {
        Store opened = store;
        if (opened == null) {
            opened = fixture.store();
            store = opened;
        }
        return opened;
    }

    /** Returns the store as another node sees it. */
    Store otherNode() {
        return fixture.store();
    }

    /** Tells whether the bus can watch channels by pattern. */
    boolean hasPatterns() {
        return fixture.hasPatterns();
    }

    /** Returns that many of the fixture's units. */
    Duration units(long count) {
        return fixture.unit().multipliedBy(count);
    }

    void pass(long units) {
        fixture.pass(units(units));
    }

    /** Lets time pass where the contract itself names seconds. */
    void passSeconds(Duration duration) {
        fixture.pass(duration);
    }

    /** Has the bus fail; a case for which it cannot is left out. */
    void interruptBus() {
        assumeTrue(fixture.interruptBus(), "This bus cannot be made to fail");
    }

    /** Returns a channel that no other test uses. */
    ChannelId channel(String name) {
        return ChannelId.of("contract:" + run + '-' + name);
    }

    /** Returns a name that no other test uses. */
    String unique(String name) {
        return run + '-' + name;
    }

    /** Waits for a stage. */
    @CanIgnoreReturnValue
    static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(PATIENCE.toSeconds(), SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("The store failed: " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw new AssertionError("The store did not answer within " + PATIENCE, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("Interrupted", e);
        }
    }

    /** Runs the task in that many threads that begin together, and waits for all; fails with the first failure. */
    static void together(int threads, NumberedTask task) {
        CyclicBarrier start = new CyclicBarrier(threads);
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        List<Thread> crowd = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int number = i;
            Thread thread = new Thread(() -> attempt(start, task, number, failure), "contract-" + number);
            thread.setDaemon(true);
            crowd.add(thread);
            thread.start();
        }
        try {
            for (Thread thread : crowd) {
                thread.join(3 * PATIENCE.toMillis());
                if (thread.isAlive()) {
                    throw new AssertionError(thread.getName() + " hangs");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("Interrupted", e);
        }
        Throwable first = failure.get();
        if (first != null) {
            throw new AssertionError("One of " + threads + " threads failed: " + first, first);
        }
    }

    private static void attempt(
            CyclicBarrier start, NumberedTask task, int number, AtomicReference<@Nullable Throwable> failure) {
        try {
            meet(start);
            task.run(number);
        } catch (RuntimeException | AssertionError e) {
            failure.compareAndSet(null, e);
        }
    }

    /** Waits until all threads of a crowd have come here. */
    static void meet(CyclicBarrier barrier) {
        try {
            barrier.await(2 * PATIENCE.toSeconds(), SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new AssertionError("Another thread failed or hangs", e);
        }
    }

    /** How often the build asks randomised cases to repeat. */
    static int iterations() {
        return Integer.getInteger("fanfare.stress.iterations", 1);
    }

    /** A task that several threads run. */
    @FunctionalInterface
    interface NumberedTask {
        /** Runs as the thread of that number, from 0. */
        void run(int number);
    }
}
