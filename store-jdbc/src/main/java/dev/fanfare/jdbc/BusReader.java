package dev.fanfare.jdbc;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.fanfare.StoreException;
import dev.fanfare.spi.LogLine;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the bus table, in its order, on a thread and a connection of its own. */
final class BusReader implements BusWriter.Sent {

    /*
     * State: the number of the last message that was handed on, and those who wait for theirs to be.
     *
     * Threads: the thread "fanfare-jdbc-bus" begins with the first that wants to hear anything, reads, and calls the
     * listener. The lock guards the waiting list and the wake-up, and is held for a few instructions.
     *
     * Waking: on PostgreSQL the connection listens, and every transaction with messages notifies; elsewhere the reader
     * polls, every MIN_POLL while there is news and less often, down to MAX_POLL, while there is none. This node's own
     * messages wake it at once. A connection that is silent for as long as a statement may take
     * is asked something, which is a poll.
     *
     * Failure: while the connection is gone, it is made anew with growing pauses. What was told meanwhile is still in the
     * table, but hints may not have been written: so all watchers are told to look at their logs. The same
     * happens if messages were deleted before they were read. Who waits for the beginning is told at once if there are no
     * tables, since those do not come by themselves. A connection that failed is ended before it is given
     * back: it still listens, and a pool need not notice that it is dead, since the waiting goes past the pool.
     */

    private static final Logger LOG = LoggerFactory.getLogger(BusReader.class);
    private static final LogLine UNREADABLE = LogLine.warn(BusReader.class, "The bus cannot be read; trying again");
    private static final LogLine MALFORMED =
            LogLine.warn(BusReader.class, "A message of the bus cannot be read; looking at the logs instead");
    private static final int PAGE = 500;
    private static final long MIN_POLL_MILLIS = 50;
    private static final long MAX_POLL_MILLIS = 1000;
    private static final long MIN_PAUSE_MILLIS = 50;
    private static final long MAX_PAUSE_MILLIS = 2000;
    private static final Duration PATIENCE = Duration.ofSeconds(3);

    private final Database database;
    private final Listener listener;
    private final CompletableFuture<Void> started = new CompletableFuture<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition woken = lock.newCondition();

    @GuardedBy("lock")
    private final Queue<Pending> pending = new ArrayDeque<>();

    @GuardedBy("lock")
    private boolean isNews;

    @GuardedBy("lock")
    private @Nullable Thread thread;

    @GuardedBy("lock")
    private boolean isClosed;

    /** Written by the thread. */
    private volatile long position = -1;

    private volatile @Nullable String trouble;

    /** Fails when there are no tables, and is then replaced. */
    private volatile CompletableFuture<Void> beginning = new CompletableFuture<>();

    /** Owned by the thread. */
    private long pauseMillis = MIN_PAUSE_MILLIS;

    /** Where the thread may be waiting in the driver, which only the end of the connection interrupts. */
    private volatile Database.@Nullable Borrowed listening;

    BusReader(Database database, Listener listener) {
        this.database = database;
        this.listener = listener;
    }

    /** Begins to read, unless it has; completes when everything written later will be heard. */
    CompletionStage<Void> start() {
        lock.lock();
        try {
            if (thread == null && !isClosed) {
                Thread fresh = new Thread(this::run, "fanfare-jdbc-bus");
                fresh.setDaemon(true);
                thread = fresh;
                fresh.start();
            }
        } finally {
            lock.unlock();
        }
        return started.copy();
    }

    /** As {@link #start}, but fails if there are no tables, rather than wait until somebody makes them. */
    CompletionStage<Void> startOrFail() {
        CompletionStage<Void> start = start();
        return started.isDone()
                ? start
                : CompletableFuture.anyOf(started, beginning).thenAccept(any -> {});
    }

    /** Returns why nothing can be heard now, as a sentence about the database, or null. */
    @Nullable
    String trouble() {
        return trouble;
    }

    @Override
    public void upTo(long seq, List<CompletableFuture<Void>> done) {
        boolean isHeard;
        lock.lock();
        try {
            isHeard = thread == null || isClosed || position >= seq;
            if (!isHeard) {
                pending.add(new Pending(seq, done));
            }
            isNews = true;
            woken.signalAll();
        } finally {
            lock.unlock();
        }
        if (isHeard) {
            done.forEach(each -> each.complete(null));
        }
    }

    private void run() {
        while (!isClosed()) {
            try (Database.Borrowed borrowed = database.borrow()) {
                listenOn(borrowed);
            } catch (SQLException | RuntimeException failure) {
                if (!isClosed()) {
                    trouble = database.describe(failure);
                    UNREADABLE.log("millis", pauseMillis, "failure", told(failure));
                    sleep(pauseMillis);
                    pauseMillis = Math.min(2 * pauseMillis, MAX_PAUSE_MILLIS);
                }
            }
        }
    }

    /** Returns the failure with what the reader can do about it, and tells those who wait for what does not come. */
    private Exception told(Exception failure) {
        if (!(failure instanceof SQLException sql) || !Database.isMissingTable(sql)) {
            return failure;
        }
        StoreException deaf = database.deaf(sql);
        CompletableFuture<Void> waiting = beginning;
        beginning = new CompletableFuture<>();
        waiting.completeExceptionally(deaf);
        return deaf;
    }

    private void listenOn(Database.Borrowed borrowed) throws SQLException {
        Connection connection = borrowed.connection();
        try {
            Wakeups wakeups = database.dialect().listen(connection, database.tables());
            begin(connection);
            trouble = null;
            pauseMillis = MIN_PAUSE_MILLIS;
            listening = wakeups.areReal() ? borrowed : null;
            readOn(connection, wakeups);
            wakeups.end();
        } catch (SQLException | RuntimeException failure) {
            borrowed.discard();
            borrowed.endIfSpent(failure);
            throw failure;
        } finally {
            listening = null;
        }
    }

    private void begin(Connection connection) throws SQLException {
        long top = database.dialect().counter(connection, database.tables(), BusWriter.COUNTER);
        if (!started.isDone()) {
            position = top;
            started.complete(null);
            return;
        }
        position = Math.min(position, top); // less, if the database was restored to an earlier state
        readAll(connection);
        listener.interrupted();
    }

    private void readOn(Connection connection, Wakeups wakeups) throws SQLException {
        long wait = MIN_POLL_MILLIS;
        while (!isClosed()) {
            wait = readAll(connection) ? MIN_POLL_MILLIS : Math.min(wait + wait / 16 + 1, MAX_POLL_MILLIS);
            if (wakeups.areReal()) {
                wakeups.await((int) database.statementTimeout().toMillis());
            } else {
                awaitNews(wait);
            }
        }
    }

    /** Hands on all that is new; returns whether there was anything. */
    @CanIgnoreReturnValue
    private boolean readAll(Connection connection) throws SQLException {
        boolean any = false;
        int found;
        do {
            found = readPage(connection);
            any |= found > 0;
        } while (found == PAGE);
        return any;
    }

    private int readPage(Connection connection) throws SQLException {
        List<BusMessage> page = new ArrayList<>();
        long last = position;
        boolean isGap = false;
        int found = 0;
        try (PreparedStatement select = connection.prepareStatement("SELECT seq, sender, kind, channel, body FROM "
                + database.tables().bus() + " WHERE seq > ? ORDER BY seq LIMIT " + PAGE)) {
            select.setLong(1, last);
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    long seq = rows.getLong(1);
                    isGap |= seq != last + 1;
                    last = seq;
                    found++;
                    BusMessage.Kind kind = BusMessage.Kind.of(rows.getInt(3));
                    if (kind != null) {
                        page.add(new BusMessage(rows.getLong(2), kind, rows.getString(4), rows.getBytes(5)));
                    }
                }
            }
        }
        for (BusMessage message : page) {
            isGap |= !hand(message);
        }
        if (isGap) {
            listener.interrupted();
        }
        if (last > position) {
            position = last;
            completeUpTo(last);
        }
        return found;
    }

    /** Passes over what cannot be read, or the bus would end there; whoever follows a channel looks at the log instead. */
    private boolean hand(BusMessage message) {
        try {
            listener.heard(message);
            return true;
        } catch (RuntimeException malformed) {
            MALFORMED.log("kind", message.kind(), "sender", message.sender(), "failure", malformed);
            return false;
        }
    }

    private void completeUpTo(long seq) {
        List<Pending> heard = new ArrayList<>();
        lock.lock();
        try {
            pending.removeIf(each -> each.seq <= seq && heard.add(each));
        } finally {
            lock.unlock();
        }
        heard.forEach(each -> each.done.forEach(done -> done.complete(null)));
    }

    private void awaitNews(long millis) {
        lock.lock();
        try {
            long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
            while (!isNews && !isClosed && nanos > 0) {
                nanos = woken.awaitNanos(nanos);
            }
            isNews = false;
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    private void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isClosed() {
        lock.lock();
        try {
            return isClosed;
        } finally {
            lock.unlock();
        }
    }

    void close() {
        Thread running;
        lock.lock();
        try {
            isClosed = true;
            running = thread;
            woken.signalAll();
        } finally {
            lock.unlock();
        }
        completeUpTo(Long.MAX_VALUE);
        if (running != null) {
            end(running);
        }
    }

    private void end(Thread running) {
        Database.Borrowed waiting = listening;
        try {
            if (waiting == null) {
                running.interrupt();
            } else {
                database.queryNow(
                        "wake the bus reader", connection -> database.dialect().wake(connection, database.tables()));
            }
            running.join(PATIENCE.toMillis());
        } catch (StoreException unreachable) {
            LOG.debug("The bus reader is ended by force", unreachable);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        if (waiting != null && running.isAlive()) {
            waiting.discard();
        }
    }

    /** Takes what was read. Called on the reader's thread; does not block or throw. */
    interface Listener {
        void heard(BusMessage message);

        /** Learns that something may have been missed. */
        void interrupted();
    }

    private record Pending(long seq, List<CompletableFuture<Void>> done) {}
}
