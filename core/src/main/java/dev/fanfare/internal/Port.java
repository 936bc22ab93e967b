package dev.fanfare.internal;

import dev.fanfare.ConnectionInfo;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.Outlet;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * One outlet as its subscriptions share it: what was written and not flushed, and who waits for it to
 * become writable.
 *
 * <p><i>Threads.</i> Confined to the outlet's loop.
 *
 * <p><i>Bounds.</i> Each subscription waits in the line at most once.
 */
abstract class Port {

    final LoopQueue queue;
    private boolean isDirty;
    private @Nullable Deque<Reader> waiting;

    Port(LoopQueue queue) {
        this.queue = queue;
    }

    abstract Outlet outlet();

    /** Returns whose port it is; null for an in-process subscription. */
    abstract @Nullable ConnectionInfo owner();

    /** Takes note that a subscription is live. */
    abstract void started(Reader reader, Resume resume);

    /** Takes note that a subscription is over. */
    abstract void removed(Reader reader, UnsubscribeReason reason, boolean wasStarted);

    final void written() {
        if (!isDirty) {
            isDirty = true;
            queue.markDirty(this);
        }
    }

    final void flushWritten() {
        isDirty = false;
        outlet().flush();
    }

    /** Puts a subscription in the line for writability. */
    final void await(Reader reader) {
        if (waiting == null) {
            waiting = new ArrayDeque<>(2);
        }
        waiting.add(reader);
    }

    /** Lets those who wait go on, in turn, while there is room. */
    final void resumeWaiting() {
        Deque<Reader> line = waiting;
        if (line == null) {
            return;
        }
        // The outlet may call back within a write or flush, so the line can change under our feet.
        for (int left = line.size(); left > 0 && outlet().isWritable(); left--) {
            Reader next = line.poll();
            if (next != null) {
                next.resume();
            }
        }
        queue.flushDirty();
        if (line.isEmpty() && line == waiting) {
            waiting = null;
        }
    }
}
