package dev.fanfare.testkit;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Hands items on one at a time, in the order in which they were added, on the threads that bring them.
 *
 * <p><b>Threading:</b> thread-safe, without a lock. Not bounded: it is for tests.
 */
final class SerialQueue<T> {

    private final Consumer<T> handler;
    private final Queue<T> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean busy = new AtomicBoolean();

    SerialQueue(Consumer<T> handler) {
        this.handler = handler;
    }

    void add(T item) {
        waiting.add(item);
    }

    /** Hands on what was added, unless another thread is at it, which then does so. */
    void drain() {
        while (!waiting.isEmpty() && busy.compareAndSet(false, true)) {
            try {
                for (T item = waiting.poll(); item != null; item = waiting.poll()) {
                    handler.accept(item);
                }
            } finally {
                busy.set(false);
            }
        }
    }
}
