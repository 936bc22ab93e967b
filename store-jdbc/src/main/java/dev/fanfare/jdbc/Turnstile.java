package dev.fanfare.jdbc;

import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus.Watcher;
import dev.fanfare.spi.LogLine;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Tells the watchers of one channel on this node, one announcement at a time. */
final class Turnstile {

    /*
     * Threads: thread-safe, without a lock. Announcements enter from the bus reader and from this node's publishers;
     * whoever finds it idle tells the watchers, the others return at once. Who gives up looks again
     * afterwards, so nothing stays behind.
     *
     * Bounds: MAX_WAITING announcements; one that finds it full is dropped, and the watchers hear interrupted().
     */

    private static final LogLine THREW =
            LogLine.error(Turnstile.class, "A watcher threw, which it must not; going on with the next");
    private static final int MAX_WAITING = 10_000;

    private final List<Seat> seats = new CopyOnWriteArrayList<>();
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicBoolean isBusy = new AtomicBoolean();
    private final AtomicBoolean hasDropped = new AtomicBoolean();

    boolean isEmpty() {
        return seats.isEmpty();
    }

    void add(Seat seat) {
        seats.add(seat);
    }

    void remove(Seat seat) {
        seats.remove(seat);
    }

    void announce(Announcement announcement) {
        enter(() -> tell(announcement));
    }

    void interrupt() {
        enter(() -> seats.forEach(Seat::interrupted));
    }

    private void enter(Runnable call) {
        if (count.incrementAndGet() > MAX_WAITING) {
            count.decrementAndGet();
            hasDropped.set(true);
        } else {
            waiting.add(call);
        }
        drain();
    }

    private void drain() {
        while (!waiting.isEmpty() && isBusy.compareAndSet(false, true)) {
            try {
                for (Runnable next = waiting.poll(); next != null; next = waiting.poll()) {
                    count.decrementAndGet();
                    next.run();
                }
            } finally {
                isBusy.set(false);
            }
        }
    }

    private void tell(Announcement announcement) {
        boolean interrupted = hasDropped.compareAndSet(true, false);
        for (Seat seat : seats) {
            seat.announced(announcement);
            if (interrupted) {
                seat.interrupted();
            }
        }
    }

    /** One watcher, until its watch is closed. */
    static final class Seat {
        private final Watcher watcher;
        private volatile boolean isClosed;

        Seat(Watcher watcher) {
            this.watcher = watcher;
        }

        /** Returns whether it was open. */
        boolean close() {
            boolean wasOpen = !isClosed;
            isClosed = true;
            return wasOpen;
        }

        private void announced(Announcement announcement) {
            if (!isClosed) {
                try {
                    watcher.announced(announcement);
                } catch (RuntimeException broken) {
                    THREW.logTrace(broken);
                }
            }
        }

        private void interrupted() {
            if (!isClosed) {
                try {
                    watcher.interrupted();
                } catch (RuntimeException broken) {
                    THREW.logTrace(broken);
                }
            }
        }
    }
}
