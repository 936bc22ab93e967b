package dev.fanfare.memory;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands items to one handler, one at a time and in the order in which they entered, on the threads that
 * bring them; what is too much for one of them, on a worker.
 */
final class Turnstile<T> {

    /*
     * State: a queue, the bytes in it, and whether somebody is handing on.
     *
     * Threads: thread-safe, without a lock. enter() only queues, so it may be called under a lock, which is
     * how a log fixes the order; drain() calls the handler and must not be. Whoever finds it idle drains for
     * all; the others return at once. After BUDGET items the rest goes to the worker, so that no publisher is
     * captured by the others of a hot channel. A drainer that gives up looks again afterwards, so nothing that
     * entered before its enter() returned and was followed by a drain() stays behind. A handler may
     * enter more: the running drain takes it.
     *
     * Ordering: that of the enter() calls.
     *
     * Bounds: MAX_WAITING_BYTES, each item counting its own bytes and ITEM_BYTES; a full turnstile lets
     * nothing in.
     */

    private static final Logger LOG = LoggerFactory.getLogger(Turnstile.class);
    private static final long MAX_WAITING_BYTES = 64 << 20;
    private static final int ITEM_BYTES = 256;
    private static final int BUDGET = 128;

    private final ToIntFunction<T> bytesOf;
    private final Consumer<T> handler;
    private final Executor worker;
    private final Queue<T> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicLong waitingBytes = new AtomicLong();
    private final AtomicBoolean busy = new AtomicBoolean();
    private final AtomicBoolean leftToWorker = new AtomicBoolean();

    Turnstile(ToIntFunction<T> bytesOf, Consumer<T> handler, Executor worker) {
        this.bytesOf = bytesOf;
        this.handler = handler;
        this.worker = worker;
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    boolean isFull() {
        return waitingBytes.get() >= MAX_WAITING_BYTES;
    }

    /** Queues the item, to be handed on by the next {@link #drain}; false if it is full. */
    boolean enter(T item) {
        if (isFull()) {
            return false;
        }
        add(item);
        return true;
    }

    /** Queues the item in any case: whoever brings it has asked {@link #isFull} before. */
    void add(T item) {
        waitingBytes.addAndGet(ITEM_BYTES + bytesOf.applyAsInt(item));
        waiting.add(item);
    }

    /** Hands on what has entered, unless another thread is at it, which then does so. */
    void drain() {
        int left = BUDGET;
        while (left > 0 && !waiting.isEmpty() && busy.compareAndSet(false, true)) {
            try {
                for (T item = waiting.poll(); item != null; item = --left > 0 ? waiting.poll() : null) {
                    waitingBytes.addAndGet(-ITEM_BYTES - bytesOf.applyAsInt(item));
                    hand(item);
                }
            } finally {
                busy.set(false);
            }
        }
        if (left == 0 && !waiting.isEmpty() && leftToWorker.compareAndSet(false, true)) {
            worker.execute(this::drainTheRest);
        }
    }

    private void drainTheRest() {
        leftToWorker.set(false);
        drain();
    }

    private void hand(T item) {
        try {
            handler.accept(item);
        } catch (RuntimeException broken) {
            LOG.error("A watcher of the memory store threw, which it must not; going on with the next", broken);
        }
    }
}
