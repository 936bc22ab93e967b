package dev.fanfare.testkit;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * A serial executor that does nothing until a test lets it: an event loop, or a host executor, that the
 * test drives step by step.
 *
 * <p><b>Threading:</b> tasks may be handed in from anywhere; one thread at a time runs them.
 */
public final class ManualLoop implements Executor {

    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private volatile boolean isShutDown;

    /** Makes a loop with nothing to do. */
    public ManualLoop() {}

    @Override
    public void execute(Runnable task) {
        if (isShutDown) {
            throw new RejectedExecutionException("This loop was shut down");
        }
        tasks.add(requireNonNull(task, "task"));
    }

    /** Runs the first waiting task; false if there is none. */
    @CanIgnoreReturnValue
    public boolean runOne() {
        Runnable task = tasks.poll();
        if (task == null) {
            return false;
        }
        task.run();
        return true;
    }

    /** Runs tasks until none waits, and returns how many. */
    @CanIgnoreReturnValue
    public int runAll() {
        int ran = 0;
        while (runOne()) {
            ran++;
        }
        return ran;
    }

    /** Returns how many tasks wait. */
    public int waiting() {
        return tasks.size();
    }

    /** Refuses tasks from now on, as a loop that has ended does; those that wait stay. */
    public void shutDown() {
        isShutDown = true;
    }
}
