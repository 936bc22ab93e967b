package dev.fanfare.memory;

import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Visits everything in a collection again and again, a few at a time, on the threads that pass by: a
 * store tidies up without a thread or timer of its own.
 *
 * <p><b>Threading:</b> thread-safe; one thread walks, the others pass. The collection must allow changes
 * while it is iterated.
 */
final class Rounds<T> {

    private static final long PAUSE_NANOS = Duration.ofMillis(1).toNanos();
    private static final int STEPS = 32;

    private final Iterable<T> all;
    private final Consumer<T> visit;
    private final AtomicBoolean walking = new AtomicBoolean();

    /** Owned by whoever set {@code walking}. */
    private @Nullable Iterator<T> place;

    private volatile long lastNanos;

    Rounds(Iterable<T> all, Consumer<T> visit, long now) {
        this.all = all;
        this.visit = visit;
        this.lastNanos = now;
    }

    /** Visits a few, if the last visits are a while ago; under no lock, please. */
    void pass(long now) {
        if (now - lastNanos < PAUSE_NANOS || !walking.compareAndSet(false, true)) {
            return;
        }
        try {
            lastNanos = now;
            walk();
        } finally {
            walking.set(false);
        }
    }

    private void walk() {
        Iterator<T> iterator = place == null ? all.iterator() : place;
        for (int i = 0; i < STEPS && iterator.hasNext(); i++) {
            visit.accept(iterator.next());
        }
        place = iterator.hasNext() ? iterator : null;
    }
}
