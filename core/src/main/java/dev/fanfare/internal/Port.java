package dev.fanfare.internal;

import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.Outlet;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * One outlet as its subscriptions share it: what was written and not flushed, and who waits for it to
 * become writable.
 *
 * <p><i>Threads.</i> Confined to the outlet's loop. Who waits goes on in a turn of its own and never within
 * a write or flush, from where the outlet may tell that there is room again.
 *
 * <p><i>Bounds.</i> Each subscription waits in the line at most once.
 */
abstract class Port {

    private static final LogLine BROKEN =
            LogLine.error(Port.class, "An outlet failed, which it must not; its connection is closed");
    private static final LogLine STILL_BROKEN =
            LogLine.error(Port.class, "An outlet failed to close its connection, which it must not");

    final LoopQueue queue;
    private boolean isDirty;
    private boolean isUnflushed;
    private boolean isResuming;
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
        isUnflushed = true;
        queue.wrote();
        if (!isDirty) {
            isDirty = true;
            queue.markDirty(this);
        }
    }

    /** Ends the turn for this port. */
    final void flushWritten() {
        isDirty = false;
        if (isUnflushed) {
            isUnflushed = false;
            outlet().flush();
        }
    }

    /** Does something that may write, and closes the connection if its outlet throws. */
    final void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error broken) {
            failed(broken);
        }
    }

    /** The outlet threw, which it must not: nobody knows what has left, so the client is to come back and say. */
    final void failed(Throwable broken) {
        BROKEN.logTrace(broken);
        isUnflushed = false;
        try {
            outlet().disconnect(DisconnectReason.WRITE_ERROR);
        } catch (RuntimeException | Error again) {
            STILL_BROKEN.logTrace(again);
        }
    }

    /** Tells whether there is room to write, if need be after what this turn has written was sent. */
    final boolean hasRoom() {
        if (isUnflushed && !outlet().isWritable()) {
            isUnflushed = false;
            outlet().flush();
        }
        return outlet().isWritable();
    }

    /** Puts a subscription in the line for writability. */
    final void await(Reader reader) {
        if (waiting == null) {
            waiting = new ArrayDeque<>(2);
        }
        waiting.add(reader);
    }

    /** Lets those who wait go on soon, in turn, while there is room. */
    final void resumeWaiting() {
        if (waiting != null && !isResuming) {
            isResuming = true;
            queue.add(this::resumeNow);
        }
    }

    private void resumeNow() {
        isResuming = false;
        Deque<Reader> line = waiting;
        if (line == null) {
            return;
        }
        for (int left = line.size(); left > 0 && hasRoom(); left--) {
            Reader next = line.poll();
            if (next != null) {
                guarded(next::resume);
            }
        }
        if (line.isEmpty() && line == waiting) {
            waiting = null;
        }
    }
}
