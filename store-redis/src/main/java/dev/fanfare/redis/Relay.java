package dev.fanfare.redis;

import dev.fanfare.spi.LogLine;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/** Takes messages off the event loop that reads them, and hands them to their lines. */
final class Relay {

    /*
     * State: a few workers, each with a queue; a line belongs to the worker that the hash of its name says.
     *
     * Threads: thread-safe. The event loop never waits: what finds its queue full is dropped. Lines are called by
     * their worker only.
     *
     * Ordering: per line, that of the calls of message(). An interruption may overtake messages.
     *
     * Bounds: MAX_WAITING messages and MAX_WAITING_BYTES per worker. A message beyond that is counted, and its line
     * is told that it was interrupted as soon as the worker gets to it, that is, after at most one batch. A line
     * waits at most once for an interruption.
     */

    private static final LogLine THREW =
            LogLine.error(Relay.class, "A watcher of the Redis store threw, which it must not; going on with the next");
    private static final int MAX_WAITING = 16 * 1024;
    private static final long MAX_WAITING_BYTES = 32 << 20;
    private static final int BATCH = 128;

    private final Worker[] workers;
    private final Counters counters;

    Relay(int count, Counters counters) {
        this.counters = counters;
        this.workers = new Worker[count];
        for (int i = 0; i < count; i++) {
            workers[i] = new Worker();
            Thread thread = new Thread(workers[i], "fanfare-redis-bus-" + (i + 1));
            thread.setDaemon(true);
            workers[i].thread = thread;
            thread.start();
        }
    }

    void message(Line line, byte[] bytes) {
        message(line, line.name, bytes);
    }

    /** Hands on a message of that pub/sub channel. */
    void message(Line line, String from, byte[] bytes) {
        if (!worker(line).offer(new Message(line, from, bytes))) {
            counters.overflows.increment();
            interrupt(line);
        }
    }

    void interrupt(Line line) {
        if (line.interruptionsDue.getAndIncrement() == 0) {
            counters.interruptions.increment();
            worker(line).interrupt(line);
        }
    }

    private Worker worker(Line line) {
        int hash = line.name.hashCode();
        return workers[Math.floorMod(hash ^ hash >>> 16, workers.length)];
    }

    void close() {
        for (Worker worker : workers) {
            worker.close();
        }
    }

    private static final class Message {
        final Line line;
        final String from;
        final byte[] bytes;

        Message(Line line, String from, byte[] bytes) {
            this.line = line;
            this.from = from;
            this.bytes = bytes;
        }
    }

    /** A message that only wakes the worker. */
    private static final Message NUDGE = new Message(
            new Line(PubSub.PLAIN, "") {
                @Override
                void message(byte[] bytes) {}

                @Override
                void interrupted() {}
            },
            "",
            new byte[0]);

    private static final class Worker implements Runnable {
        private final BlockingQueue<Message> waiting = new ArrayBlockingQueue<>(MAX_WAITING);
        private final AtomicLong waitingBytes = new AtomicLong();
        private final Queue<Line> interrupted = new ConcurrentLinkedQueue<>();
        private volatile boolean isClosed;
        Thread thread = Thread.currentThread();

        boolean offer(Message message) {
            if (waitingBytes.get() >= MAX_WAITING_BYTES || !waiting.offer(message)) {
                return false;
            }
            waitingBytes.addAndGet(message.bytes.length);
            return true;
        }

        void interrupt(Line line) {
            interrupted.add(line);
            // If the queue is full the worker is awake anyway.
            boolean nudged = waiting.offer(NUDGE);
            assert nudged || !waiting.isEmpty() || !interrupted.isEmpty();
        }

        void close() {
            isClosed = true;
            thread.interrupt();
        }

        @Override
        public void run() {
            List<Message> batch = new ArrayList<>(BATCH);
            while (!isClosed) {
                try {
                    batch.add(waiting.take());
                } catch (InterruptedException closing) {
                    continue;
                }
                waiting.drainTo(batch, BATCH - 1);
                for (Message message : batch) {
                    waitingBytes.addAndGet(-message.bytes.length);
                    hand(message);
                }
                batch.clear();
                for (Line line = interrupted.poll(); line != null; line = interrupted.poll()) {
                    int due = line.interruptionsDue.get();
                    tell(line);
                    if (line.interruptionsDue.addAndGet(-due) != 0) {
                        interrupted.add(line);
                    }
                }
            }
        }

        private static void hand(Message message) {
            try {
                message.line.message(message.from, message.bytes);
            } catch (RuntimeException broken) {
                THREW.logTrace(broken);
            }
        }

        private static void tell(Line line) {
            try {
                line.interrupted();
            } catch (RuntimeException broken) {
                THREW.logTrace(broken);
            }
        }
    }
}
