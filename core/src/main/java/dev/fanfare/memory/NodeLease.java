package dev.fanfare.memory;

import java.util.concurrent.atomic.AtomicLong;

/**
 * One incarnation of a node: alive until its deadline, which renewing moves. Once anybody has seen it
 * ended it stays so, whatever the node thinks.
 *
 * <p><b>Threading:</b> thread-safe, without a lock. Compared by identity.
 */
final class NodeLease {

    private static final long ENDED = 1;

    /** The deadline in nanoseconds, of which the lowest bit is not time but says that it was seen to end. */
    private final AtomicLong term;

    NodeLease(long deadlineNanos) {
        this.term = new AtomicLong(deadlineNanos & ~ENDED);
    }

    /** Moves the deadline; false if the lease has ended. */
    boolean renew(long now, long deadlineNanos) {
        return !isEnded(term.updateAndGet(term -> isOver(term, now) ? term | ENDED : deadlineNanos & ~ENDED));
    }

    boolean hasEnded(long now) {
        return isOver(term.get(), now) && isEnded(term.updateAndGet(term -> isOver(term, now) ? term | ENDED : term));
    }

    /** Ends it now, if it has not ended. */
    void end(long now) {
        term.updateAndGet(term -> (isOver(term, now) ? term : now) | ENDED);
    }

    /** Returns when it ends or ended. */
    long deadlineNanos() {
        return term.get() & ~ENDED;
    }

    private static boolean isOver(long term, long now) {
        return isEnded(term) || now - (term & ~ENDED) >= 0;
    }

    private static boolean isEnded(long term) {
        return (term & ENDED) != 0;
    }
}
