package dev.fanfare.jdbc;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.StoreException;
import dev.fanfare.spi.LogLine;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Writes what this node tells the others into the bus table. */
final class BusWriter {

    /*
     * State: messages that wait, and per channel that has moved its newest head.
     *
     * Threads: thread-safe, without a lock. Whoever finds the writer idle starts it on a store thread. The counter's row
     * lock makes numbers dense and orders them as the commits are, among all nodes: a reader that has seen n never
     * finds anything new below n.
     *
     * Hints are collected: the first goes at once, then one message per HINT_PAUSE tells of all channels that moved
     * meanwhile. They never are part of a transaction that appends. A hint that fails is sent again with the next; a
     * message that fails is reported to its sender.
     *
     * Bounds: MAX_WAITING messages; one hint per channel.
     */

    private static final LogLine NOT_TOLD =
            LogLine.warn(BusWriter.class, "Other nodes could not be told of channels that moved; tried again");
    static final String COUNTER = "bus";
    private static final Duration HINT_PAUSE = Duration.ofMillis(3);
    private static final Duration HINT_RETRY = Duration.ofMillis(500);
    private static final int BATCH = 256;
    private static final int BATCH_BYTES = 1 << 20;
    private static final int MAX_WAITING = 10_000;
    private static final int MAX_HINTS = 1000;

    private final Database database;
    private final long sender;
    private final Timer timer;
    private final Sent sent;

    private final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicBoolean isWriting = new AtomicBoolean();
    private final ConcurrentHashMap<ChannelId, Cursor> hints = new ConcurrentHashMap<>();
    private final AtomicBoolean isHintScheduled = new AtomicBoolean();
    private volatile long lastHintNanos = System.nanoTime() - HINT_PAUSE.toNanos();
    private volatile boolean areHintsDue;

    BusWriter(Database database, long sender, Timer timer, Sent sent) {
        this.database = database;
        this.sender = sender;
        this.timer = timer;
        this.sent = sent;
    }

    /** Writes a message; completes when this node's own watchers have heard it. */
    CompletionStage<Void> send(BusMessage message) {
        if (count.incrementAndGet() > MAX_WAITING) {
            count.decrementAndGet();
            return CompletableFuture.failedStage(
                    new StoreException(MAX_WAITING + " messages wait for the bus already", null, true));
        }
        Waiting next = new Waiting(message, new CompletableFuture<>());
        waiting.add(next);
        startWriting();
        return next.done;
    }

    /** Tells the other nodes that a channel has moved, soon. */
    void hint(ChannelId channel, Cursor head) {
        hints.merge(channel, head, BusWriter::newer);
        scheduleHints(HINT_PAUSE.toNanos() - (System.nanoTime() - lastHintNanos));
    }

    private static Cursor newer(Cursor known, Cursor other) {
        return known.epoch().equals(other.epoch()) && known.isAfter(other) ? known : other;
    }

    private void scheduleHints(long delayNanos) {
        if (isHintScheduled.compareAndSet(false, true)) {
            if (delayNanos <= 0) {
                sendHints();
            } else {
                timer.after(delayNanos, this::sendHints);
            }
        }
    }

    private void sendHints() {
        lastHintNanos = System.nanoTime();
        isHintScheduled.set(false);
        areHintsDue = true;
        startWriting();
    }

    private void startWriting() {
        if ((areHintsDue || !waiting.isEmpty())
                && isWriting.compareAndSet(false, true)
                && !database.tryExecute(this::write)) {
            isWriting.set(false);
            failAll(new StoreException("The store is busy or closed", null, true));
        }
    }

    private void failAll(StoreException failure) {
        for (Waiting next = poll(); next != null; next = poll()) {
            next.done.completeExceptionally(failure);
        }
    }

    private void write() {
        try {
            while (areHintsDue || !waiting.isEmpty()) {
                writeBatch();
            }
        } finally {
            isWriting.set(false);
            startWriting();
        }
    }

    private void writeBatch() {
        List<BusMessage> messages = new ArrayList<>();
        List<Waiting> batch = takeWaiting(messages);
        Map<ChannelId, Cursor> moved = takeHints();
        if (!moved.isEmpty()) {
            messages.add(BusMessage.hints(sender, moved));
        }
        if (messages.isEmpty()) {
            return;
        }
        long last;
        try {
            last = database.hintNow("tell other nodes", connection -> insert(connection, messages));
        } catch (StoreException failure) {
            batch.forEach(next -> next.done.completeExceptionally(failure));
            if (!moved.isEmpty()) {
                NOT_TOLD.log("channels", moved.size(), "failure", failure);
                moved.forEach((channel, head) -> hints.merge(channel, head, BusWriter::newer));
                scheduleHints(HINT_RETRY.toNanos());
            }
            return;
        }
        sent.upTo(last, batch.stream().map(Waiting::done).toList());
    }

    private List<Waiting> takeWaiting(List<BusMessage> messages) {
        List<Waiting> batch = new ArrayList<>();
        int size = 0;
        while (batch.size() < BATCH && size < BATCH_BYTES) {
            Waiting next = poll();
            if (next == null) {
                break;
            }
            batch.add(next);
            messages.add(next.message);
            size += next.message.body().length;
        }
        return batch;
    }

    private @Nullable Waiting poll() {
        Waiting next = waiting.poll();
        if (next != null) {
            count.decrementAndGet();
        }
        return next;
    }

    private Map<ChannelId, Cursor> takeHints() {
        Map<ChannelId, Cursor> taken = new HashMap<>();
        if (areHintsDue) {
            areHintsDue = false;
            for (ChannelId channel : hints.keySet()) {
                Cursor head = hints.remove(channel);
                if (head != null) {
                    taken.put(channel, head);
                }
                if (taken.size() == MAX_HINTS) {
                    areHintsDue = true;
                    break;
                }
            }
        }
        return taken;
    }

    private long insert(Connection connection, List<BusMessage> messages) throws SQLException {
        Tables tables = database.tables();
        long last = database.dialect().advance(connection, tables, COUNTER, messages.size());
        long seq = last - messages.size();
        try (PreparedStatement insert = database.prepare(
                connection,
                "INSERT INTO " + tables.bus() + " (seq, sender, kind, channel, body, sent_at) VALUES (?, ?, ?, ?, ?, "
                        + database.now() + ")")) {
            for (BusMessage message : messages) {
                insert.setLong(1, ++seq);
                insert.setLong(2, message.sender());
                insert.setInt(3, message.kind().number);
                insert.setString(4, message.channel());
                insert.setBytes(5, message.body());
                insert.addBatch();
            }
            insert.executeBatch();
        }
        return last;
    }

    /** Hears what was committed. */
    interface Sent {
        /** The messages up to that number are in the table; completes the stages when they were heard here. */
        void upTo(long seq, List<CompletableFuture<Void>> done);
    }

    private record Waiting(BusMessage message, CompletableFuture<Void> done) {}
}
