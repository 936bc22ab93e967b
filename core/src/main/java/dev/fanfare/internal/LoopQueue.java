package dev.fanfare.internal;

import dev.fanfare.spi.LogLine;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries what topics have for the subscribers of one event loop, and wakes that loop once however
 * much there is.
 *
 * <p><i>State.</i> A queue of signals; on the loop's side, the ports written to in this turn.
 *
 * <p><i>Threads.</i> {@link #offer} and {@link #add} from anywhere; the rest is confined to the loop.
 *
 * <p><i>Ordering.</i> First in, first out, so what one topic sends stays in order. Each port is flushed
 * once at the end of a turn; one that is full before, as soon as it is. The last signal of a turn may send what it
 * writes as it goes, see {@link #flushIfLast}.
 *
 * <p><i>Bounds.</i> {@link #offer} refuses above {@link #CAPACITY} waiting signals or {@link
 * #CAPACITY_BYTES} of payloads; the caller then
 * treats all its subscribers on this loop as lagging ones. {@link #add} is for the few signals that must
 * arrive; their number is bounded by that of subscriptions.
 */
final class LoopQueue implements Runnable {

    static final int CAPACITY = 16 * 1024;
    static final long CAPACITY_BYTES = 32L * 1024 * 1024;
    private static final int BUDGET = 1024;
    /** After so many writes a turn ends, so that the loop reads its sockets now and then. */
    private static final int WRITES = 16 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(LoopQueue.class);
    private static final LogLine BUG =
            LogLine.error(LoopQueue.class, "A signal to an event loop failed; this is a bug in Fanfare");

    final Executor loop;
    /** How many ports go through it; the hub's. */
    int users;

    private final Queue<Runnable> signals = new ConcurrentLinkedQueue<>();
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicLong pendingBytes = new AtomicLong();
    private final List<Port> dirty = new ArrayList<>();
    /** For the lanes of this loop. */
    final Serving serving = new Serving(this);

    private int batch;
    private int writes;

    LoopQueue(Executor loop) {
        this.loop = loop;
    }

    /** Adds a signal that holds so many bytes until {@link #release}, unless the loop is too far behind. */
    boolean offer(Runnable signal, int bytes) {
        if (pending.get() >= CAPACITY || pendingBytes.get() >= CAPACITY_BYTES) {
            return false;
        }
        pendingBytes.addAndGet(bytes);
        add(signal);
        return true;
    }

    /** Takes note that a signal's bytes are no longer held. */
    void release(int bytes) {
        pendingBytes.addAndGet(-bytes);
    }

    /** Returns how many signals wait. */
    int waiting() {
        return pending.get();
    }

    /** Returns how many bytes of payloads wait. */
    long waitingBytes() {
        return pendingBytes.get();
    }

    void add(Runnable signal) {
        signals.add(signal);
        if (pending.getAndIncrement() == 0) {
            wake();
        }
    }

    /** Runs a turn; only the loop calls it. */
    @Override
    public void run() {
        int ran = 0;
        int waiting = pending.get();
        writes = 0;
        while (waiting > 0 && hasTime(ran)) {
            batch = 0;
            while (batch < waiting && hasTime(ran + batch)) {
                run(signals.poll());
                batch++;
            }
            ran += batch;
            waiting = pending.addAndGet(-batch);
        }
        flushDirty();
        if (waiting > 0) {
            wake();
        }
    }

    private boolean hasTime(int ran) {
        return ran < BUDGET && writes < WRITES;
    }

    /** Takes note of a write to a port. */
    void wrote() {
        writes++;
    }

    /** Remembers to flush the port at the end of the turn. */
    void markDirty(Port port) {
        dirty.add(port);
    }

    /** Sends on what was written so far, if nothing else is to be written in this turn. */
    void flushIfLast() {
        if (pending.get() == batch + 1) {
            flushDirty();
        }
    }

    private void flushDirty() {
        for (int i = 0; i < dirty.size(); i++) {
            flush(dirty.get(i));
        }
        dirty.clear();
    }

    private void wake() {
        try {
            loop.execute(this);
        } catch (RejectedExecutionException loopIsGone) {
            LOG.debug("An event loop has ended; what its connections had coming goes with it");
        }
    }

    private static void flush(Port port) {
        try {
            port.flushWritten();
        } catch (RuntimeException | Error broken) {
            port.failed(broken);
        }
    }

    private static void run(Runnable signal) {
        try {
            signal.run();
        } catch (RuntimeException | Error broken) {
            BUG.logTrace(broken);
        }
    }
}
