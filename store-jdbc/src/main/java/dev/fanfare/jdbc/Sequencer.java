package dev.fanfare.jdbc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.FanfareException;
import dev.fanfare.StoreException;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.LogLine;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Moves committed rows of the outbox into the log. */
final class Sequencer {

    /*
     * One sequencer at a time per partition, among all nodes: whoever holds the lock of the partition's row, which ends
     * with its transaction, however that ends. A row leaves the outbox in the transaction that gives it its offset: so it
     * is there once, and a row whose transaction commits late just gets a later offset. At most half of the store's
     * threads drain.
     *
     * Threads: the thread "fanfare-jdbc-outbox" looks which partitions have rows; each is drained on a store thread. The
     * lock guards the wake-up.
     *
     * Looking: every FAST_MILLIS while rows are expected, because this node inserted some or found some a moment
     * ago; otherwise less and less often, down to SLOW_MILLIS, for what dead nodes left behind. A partition that
     * failed rests for a while, and so for a shorter one does a partition that another node is at. While all that have
     * rows do, nobody looks, or every RESTING_MILLIS at least while rows are expected, which may come to others: or a
     * database that takes nothing would be asked without end.
     */

    private static final LogLine UNREADABLE = LogLine.warn(Sequencer.class, "The outbox cannot be read; trying again");
    private static final LogLine WAITS = LogLine.warn(Sequencer.class, "A partition of the outbox waits");
    private static final LogLine ASIDE = LogLine.error(Sequencer.class, "A row of the outbox is set aside");
    private static final LogLine LATE =
            LogLine.warn(Sequencer.class, "Subscribers may hear late of what was published");
    private static final long FAST_MILLIS = 5;
    private static final long RESTING_MILLIS = 50;
    private static final long SLOW_MILLIS = 500;
    static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long ELSEWHERE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long EXPECT_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long PATIENCE_MILLIS = 3000;

    /** After so many batches a partition lets others have the thread. */
    private static final int BATCHES = 16;

    private final Database database;
    private final JdbcBus bus;
    private final AppendParts parts;
    private final Function<ChannelId, @Nullable ChannelRules> rules;
    private final LongSupplier nanos;
    private final AtomicInteger draining = new AtomicInteger();
    private final AtomicBoolean[] isDraining = new AtomicBoolean[Outbox.PARTITIONS];
    private final AtomicLongArray restsUntil = new AtomicLongArray(Outbox.PARTITIONS);
    private final Thread thread = new Thread(this::run, "fanfare-jdbc-outbox");
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition woken = lock.newCondition();

    @GuardedBy("lock")
    private boolean isWoken;

    /** Owned by the thread. */
    private int turn;

    private volatile boolean isClosed;
    private volatile long expectedNanos;

    Sequencer(
            Database database,
            JdbcBus bus,
            AppendParts parts,
            Function<ChannelId, @Nullable ChannelRules> rules,
            LongSupplier nanos) {
        this.database = database;
        this.bus = bus;
        this.parts = parts;
        this.rules = rules;
        this.nanos = nanos;
        this.expectedNanos = nanos.getAsLong() - EXPECT_NANOS;
        for (int i = 0; i < isDraining.length; i++) {
            isDraining[i] = new AtomicBoolean();
            restsUntil.set(i, nanos.getAsLong());
        }
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Learns that this node inserted a row, which may be committed soon. */
    void expect() {
        boolean isIdle = !isExpecting();
        expectedNanos = nanos.getAsLong();
        if (isIdle) {
            wake();
        }
    }

    void wake() {
        lock.lock();
        try {
            isWoken = true;
            woken.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean isExpecting() {
        return nanos.getAsLong() - expectedNanos < EXPECT_NANOS;
    }

    private void run() {
        long wait = FAST_MILLIS;
        while (!isClosed && !database.isClosed()) {
            List<Integer> filled = look();
            boolean isExpecting = isExpecting();
            boolean isQuiet = filled.isEmpty() && !isExpecting;
            wait = isQuiet ? Math.min(wait + wait / 4 + 1, SLOW_MILLIS) : FAST_MILLIS;
            sleep(Math.max(wait, restMillis(filled, isExpecting)));
        }
    }

    /**
     * Returns how long none of these can be drained. The end of a draining under way wakes the thread by itself; rows that
     * are expected in other partitions do not wait for that.
     */
    private long restMillis(List<Integer> filled, boolean isExpecting) {
        long now = nanos.getAsLong();
        long least = filled.isEmpty() ? 0 : isExpecting ? RESTING_MILLIS : SLOW_MILLIS;
        for (int part : filled) {
            long rest = TimeUnit.NANOSECONDS.toMillis(restsUntil.get(part) - now);
            least = isDraining[part].get() && !isExpecting ? least : Math.min(least, rest);
        }
        return least;
    }

    /** Starts draining the partitions that have rows, and returns those. */
    private List<Integer> look() {
        List<Integer> filled;
        try {
            filled = database.queryNow("look into the outbox", this::findFilled);
        } catch (RuntimeException failure) { // of the host's pool, too
            UNREADABLE.log("millis", SLOW_MILLIS, "failure", failure);
            sleep(SLOW_MILLIS);
            return List.of();
        }
        Collections.rotate(filled, turn++);
        int most = Math.max(1, database.threads() / 2);
        for (int part : filled) {
            boolean rests = nanos.getAsLong() - restsUntil.get(part) < 0;
            if (!rests && draining.get() < most && isDraining[part].compareAndSet(false, true)) {
                draining.incrementAndGet();
                if (!database.tryExecute(() -> drain(part))) {
                    drained(part);
                }
            }
        }
        return filled;
    }

    private List<Integer> findFilled(Connection connection) throws SQLException {
        List<Integer> filled = new ArrayList<>();
        Tables tables = database.tables();
        try (PreparedStatement select = database.prepare(
                        connection,
                        "SELECT p.part FROM " + tables.partition() + " p WHERE EXISTS (SELECT 1 FROM " + tables.outbox()
                                + " o WHERE o.part = p.part)");
                ResultSet rows = select.executeQuery()) {
            while (rows.next()) {
                filled.add(rows.getInt(1));
            }
        }
        return filled;
    }

    private void drain(int part) {
        OutboxBatch batch = new OutboxBatch(database, parts, rules, part);
        try {
            int limit = OutboxBatch.MOST;
            for (int i = 0; i < BATCHES && limit > 0 && !isClosed && !database.isClosed(); i++) {
                limit = drain(batch, limit);
            }
            if (batch.isElsewhere()) {
                restsUntil.set(part, nanos.getAsLong() + ELSEWHERE_NANOS);
            }
        } catch (RuntimeException | Error failure) { // of the host's rules, too
            boolean isOurs = failure instanceof FanfareException;
            WAITS.logTrace(isOurs ? null : failure, "partition", part, "failure", failure);
            restsUntil.set(part, nanos.getAsLong() + REST_NANOS);
            // Perhaps it was committed all the same: whoever follows these channels looks.
            batch.channels().forEach(channel -> bus.moved(channel, Cursor.ofUnknownEpoch(0)));
        } finally {
            drained(part);
        }
    }

    private void drained(int part) {
        isDraining[part].set(false);
        draining.decrementAndGet();
        wake();
    }

    /** Moves some rows; returns how many to try next, 0 if there are no more. */
    private int drain(OutboxBatch batch, int limit) {
        OutboxBatch.Moved moved;
        try {
            moved = database.transactNow("sequence the outbox", connection -> batch.move(connection, limit));
        } catch (StoreException failure) {
            if (failure.isRetryable()) {
                throw failure;
            }
            batch.beCareful();
            if (limit > 1) {
                return 1; // one of them is bad; which one shows when each is alone
            }
            database.transactNow("set a bad row aside", connection -> batch.setFirstAside(connection, failure));
            logAsides(batch);
            return 1;
        }
        if (!moved.missing().isEmpty()) {
            parts.channels().create(moved.missing());
            return limit;
        }
        logAsides(batch);
        moved.announcements().forEach(this::announce);
        moved.trims().forEach(parts.trimmer()::trim);
        return moved.count() < limit ? 0 : batch.nextLimit();
    }

    private static void logAsides(OutboxBatch batch) {
        batch.asides()
                .forEach(aside -> ASIDE.log("channel", aside.channel(), "id", aside.id(), "reason", aside.reason()));
    }

    private void announce(Announcement announcement) {
        bus.announce(announcement).whenComplete((done, failure) -> {
            if (failure != null) {
                LATE.log("channel", announcement.channel(), "failure", failure);
            }
        });
    }

    private void sleep(long millis) {
        lock.lock();
        try {
            long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
            while (!isWoken && !isClosed && nanos > 0) {
                nanos = woken.awaitNanos(nanos);
            }
            isWoken = false;
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    void close() {
        isClosed = true;
        wake();
        try {
            thread.join(PATIENCE_MILLIS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
