package dev.fanfare.internal;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs tasks one at a time, in order, on the host executor: the event loop of in-process subscribers.
 *
 * <p><i>Threads.</i> Thread-safe; never runs a task on the calling thread.
 *
 * <p><i>Bounds.</i> Only a {@link LoopQueue}, which is bounded, and subscriptions being opened or closed
 * put tasks here.
 */
final class SerialLoop implements Executor {

    private final Calls calls;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicInteger pending = new AtomicInteger();

    SerialLoop(Calls calls) {
        this.calls = calls;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
        if (pending.getAndIncrement() == 0) {
            calls.complete(this::drain);
        }
    }

    private void drain() {
        int waiting = pending.get();
        for (int i = 0; i < waiting; i++) {
            tasks.poll().run();
        }
        if (pending.addAndGet(-waiting) > 0) {
            calls.complete(this::drain);
        }
    }
}
