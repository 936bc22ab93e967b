package dev.fanfare.testkit;

import dev.fanfare.spi.Store;
import java.time.Duration;

/**
 * Gives the contract suites the store under test, and says how time passes for it. Each test makes its
 * own and closes it.
 *
 * <p>Data may outlive a test: the suites use channel and node names of their own in every test.
 *
 * <p><b>Threading:</b> called by the thread of the test.
 */
public interface StoreFixture extends AutoCloseable {

    /**
     * Returns the store as one node sees it. Every call stands for another node of one cluster: all of
     * them share their data. A store that can be shared may return the same object again.
     */
    Store store();

    /** Lets time pass for the store: moves its clock, or waits. */
    void pass(Duration duration);

    /**
     * Returns what the suites' durations are multiples of; default one second. Choose it well above what a
     * few calls take, or {@link #pass} is not the only thing that makes things expire.
     */
    default Duration unit() {
        return Duration.ofSeconds(1);
    }

    /** Tells whether the bus can watch channels by pattern; default true. If not, it must say so. */
    default boolean hasPatterns() {
        return true;
    }

    /**
     * Makes the bus of every node fail in a way through which announcements may be lost, such as by ending its
     * connection, and lets it recover. It returns without waiting for that.
     *
     * @return whether it did; false, the default, if this bus cannot fail, and the suite then leaves the case out
     */
    default boolean interruptBus() {
        return false;
    }

    /** Gives back what the fixture holds. */
    @Override
    default void close() {}
}
