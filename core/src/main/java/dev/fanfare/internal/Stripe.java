package dev.fanfare.internal;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks one at a time, in order, on whichever thread brought the first of them.
 *
 * <p><i>Threads.</i> There is no thread of its own: the thread that finds the stripe idle runs its own
 * task and those that arrive meanwhile, so a publish in an idle process costs no thread switch. After
 * {@link #BUDGET} tasks it hands the rest to the worker, so that nobody is captured for long.
 *
 * <p><i>Ordering.</i> First in, first out. A task that executes another on the same stripe only queues
 * it. What one task wrote the next one sees: both pass through {@link #pending}.
 *
 * <p><i>Bounds.</i> The stripe itself has none; those who feed it from outside do ({@link Intake} counts
 * what waits).
 */
final class Stripe implements Executor {

    private static final int BUDGET = 128;
    private static final Logger LOG = LoggerFactory.getLogger(Stripe.class);

    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicInteger pending = new AtomicInteger();
    private final Executor worker;

    Stripe(Executor worker) {
        this.worker = worker;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
        if (pending.getAndIncrement() == 0) {
            drain();
        }
    }

    private void drain() {
        int ran = 0;
        do {
            if (ran == BUDGET) {
                worker.execute(this::drain);
                return;
            }
            Runnable task = tasks.poll();
            run(task);
            ran++;
        } while (pending.decrementAndGet() != 0);
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error broken) {
            LOG.error("A task of a topic failed; this is a bug in Fanfare", broken);
        }
    }
}
