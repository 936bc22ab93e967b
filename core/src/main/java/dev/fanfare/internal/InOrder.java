package dev.fanfare.internal;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Lets the publishes of one client go in the order in which they came, whichever is allowed first.
 *
 * <p><i>Threads.</i> Confined to the loop of the connection.
 *
 * <p><i>Bounds.</i> None of its own: the transport bounds how many commands of a client are under way.
 */
final class InOrder {

    /** One that waits for its permission, or for those before it. */
    static final class Turn {
        private @Nullable Runnable task;
    }

    private final Deque<Turn> waiting = new ArrayDeque<>(0);

    /** Takes a place in the line. */
    Turn next() {
        Turn turn = new Turn();
        waiting.add(turn);
        return turn;
    }

    /** Says what to do when those before are done. */
    void take(Turn turn, Runnable task) {
        turn.task = task;
        for (Turn head = waiting.peek(); head != null && head.task != null; head = waiting.peek()) {
            waiting.remove();
            head.task.run();
        }
    }
}
