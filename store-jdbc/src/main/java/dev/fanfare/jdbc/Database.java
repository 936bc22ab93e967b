package dev.fanfare.jdbc;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ClosedException;
import dev.fanfare.FanfareException;
import dev.fanfare.StoreException;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs work on connections of the host's DataSource, on threads of its own. */
final class Database {

    /*
     * State: the dialect, found with the first connection.
     *
     * Threads: thread-safe, without a lock. Work runs on the pool "fanfare-jdbc-<n>", one connection each, and
     * never on the caller's thread, but for the methods that say Now.
     *
     * Retries: a transaction that the database rolled back because others were in the way, or whose connection
     * broke before its commit was sent, is run again after a pause. If the commit itself was sent and not
     * answered, nobody knows: that surfaces as a retryable StoreException, and whoever gave a dedup key can ask again.
     *
     * Bounds: MAX_WAITING pieces of work wait for a thread; more are refused.
     */

    private static final Logger LOG = LoggerFactory.getLogger(Database.class);
    private static final int MAX_WAITING = 10_000;
    private static final int ATTEMPTS = 4;

    /** How much later than its own time-out a statement's answer may come before the connection is given up. */
    private static final Duration SILENCE = Duration.ofSeconds(3);

    private static final int FIRST_PAUSE_MILLIS = 5;
    private static final int UNKNOWN = -1;
    private static final long REMEMBER_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final List<String> QUOTING = List.of("22", "23"); // classes of SQLSTATEs: of data, of constraints
    private static final String NO_TABLES = "42P01 42S02 42S03 42S04";

    private final DataSource dataSource;
    private final Tables tables;
    private final Duration statementTimeout;
    private final LongSupplier clockShift;
    private final ThreadPoolExecutor executor;
    private volatile @Nullable Dialect dialect;
    private volatile @Nullable WriteTrouble lastWriteTrouble;

    /** What connections of the pool come with; one tells for all, as asking takes a round trip. */
    private volatile int poolIsolation = UNKNOWN;

    Database(DataSource dataSource, Tables tables, int threads, Duration statementTimeout, LongSupplier clockShift) {
        this.dataSource = dataSource;
        this.tables = tables;
        this.statementTimeout = statementTimeout;
        this.clockShift = clockShift;
        AtomicInteger count = new AtomicInteger();
        this.executor = new ThreadPoolExecutor(
                threads, threads, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MAX_WAITING), task -> {
                    Thread thread = new Thread(task, "fanfare-jdbc-" + count.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
    }

    Tables tables() {
        return tables;
    }

    /** Returns the dialect; only inside work, where it is known. */
    Dialect dialect() {
        Dialect known = dialect;
        if (known == null) {
            throw new IllegalStateException("No connection was made yet");
        }
        return known;
    }

    /** Returns an expression for the time by the database's clock. */
    String now() {
        long shift = clockShift.getAsLong();
        return shift == 0 ? dialect().clock() : "(" + dialect().clock() + " + " + shift + ")";
    }

    /** Runs one statement, or several that need not be one step, in auto-commit; again if the connection breaks. */
    <T> CompletionStage<T> query(String what, Work<T> work) {
        return submit(() -> queryNow(what, work));
    }

    /** Runs the work as one transaction. */
    <T> CompletionStage<T> transact(String what, Work<T> work) {
        return submit(() -> transactNow(what, work));
    }

    /**
     * Runs a task on a thread of the pool; the stage fails if the task throws.
     *
     * <p>What is refused fails at once, so a publisher is never blocked.
     */
    private <T> CompletionStage<T> submit(Task<T> task) {
        CompletableFuture<T> done = new CompletableFuture<>();
        try {
            executor.execute(() -> {
                try {
                    done.complete(task.run());
                } catch (RuntimeException | Error failure) {
                    done.completeExceptionally(failure);
                }
            });
        } catch (RejectedExecutionException full) {
            done.completeExceptionally(refusal(full));
        }
        return done;
    }

    private FanfareException refusal(RejectedExecutionException full) {
        return executor.isShutdown()
                ? new ClosedException("This store is closed")
                : new StoreException(MAX_WAITING + " calls wait for the database already", full, true);
    }

    /** Runs a task on a thread of the pool, or tells that there is no room. */
    boolean tryExecute(Runnable task) {
        try {
            executor.execute(task);
            return true;
        } catch (RejectedExecutionException full) {
            return false;
        }
    }

    /** Tells whether work waits for a thread. */
    boolean isCrowded() {
        return !executor.getQueue().isEmpty();
    }

    /** Returns how many pieces of work run at a time. */
    int threads() {
        return executor.getCorePoolSize();
    }

    boolean isClosed() {
        return executor.isShutdown();
    }

    @CanIgnoreReturnValue
    <T> T queryNow(String what, Work<T> work) {
        for (int attempt = 1; ; attempt++) {
            try (Borrowed borrowed = borrow()) {
                return borrowed.run(work);
            } catch (SQLException failure) {
                pauseOrThrow(what, failure, attempt);
            }
        }
    }

    @CanIgnoreReturnValue
    <T> T transactNow(String what, Work<T> work) {
        return transactNow(what, work, false);
    }

    /** Runs work that tells other nodes something, as one transaction that need not survive a crash. */
    <T> T hintNow(String what, Work<T> work) {
        return transactNow(what, work, true);
    }

    private <T> T transactNow(String what, Work<T> work, boolean isHint) {
        for (int attempt = 1; ; attempt++) {
            Attempt<T> run = new Attempt<>(isHint);
            try (Borrowed borrowed = borrow()) {
                return borrowed.run(connection -> run.in(connection, work));
            } catch (SQLException failure) {
                if (run.isCommitted) {
                    LOG.atDebug()
                            .addKeyValue("what", what)
                            .setCause(failure)
                            .log("A connection could not be given back");
                    return run.result();
                }
                if (run.isCommitting && dialect().isCommitUnknown(failure)) {
                    throw unknown(what, failure);
                }
                pauseOrThrow(what, failure, attempt);
            }
        }
    }

    private void pauseOrThrow(String what, SQLException failure, int attempt) {
        Dialect.Failure judged = judge(failure);
        boolean isWorthwhile = judged == Dialect.Failure.CONFLICT || judged == Dialect.Failure.DISCONNECTED;
        if (!isWorthwhile || attempt >= ATTEMPTS || isClosed()) {
            throw asStoreException(what, failure, judged != Dialect.Failure.PERMANENT);
        }
        int pause = Math.max(FIRST_PAUSE_MILLIS << (2 * (attempt - 1)), leastPauseMillis(failure));
        try {
            Thread.sleep(ThreadLocalRandom.current().nextInt(pause, 2 * pause));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw asStoreException(what, failure, true);
        }
    }

    private int leastPauseMillis(SQLException failure) {
        Dialect known = dialect;
        return known == null ? 0 : known.leastPauseMillis(failure);
    }

    private StoreException unknown(String what, SQLException failure) {
        String trouble = notedTrouble(failure);
        return new StoreException(
                "Whether it was committed is unknown" + (trouble == null ? "" : ", as the database " + trouble) + ": "
                        + what + "; repeat it with the same dedup key",
                failure,
                true);
    }

    /** Returns why the database takes nothing, and remembers it; null if that is not what failed. */
    private @Nullable String notedTrouble(SQLException failure) {
        Dialect known = dialect;
        String trouble = known == null ? null : known.writeTrouble(failure);
        if (trouble != null) {
            lastWriteTrouble = new WriteTrouble(trouble, System.nanoTime());
        }
        return trouble;
    }

    private StoreException asStoreException(String what, SQLException failure, boolean isRetryable) {
        String trouble = notedTrouble(failure);
        SQLException cause = withoutValues(failure);
        return new StoreException(
                "The database " + (trouble == null ? "failed" : trouble) + ": " + what + ": " + firstLine(cause)
                        + hint(failure),
                cause,
                isRetryable);
    }

    /** Returns what follows a message whose reader can mend the failure. */
    private static String hint(SQLException failure) {
        return isMissingTable(failure) ? "; are the tables there? JdbcStore.migrate() makes them" : "";
    }

    /** Returns what to tell whoever waits for the bus, where waiting is in vain. */
    StoreException deaf(SQLException failure) {
        return asStoreException("listen to other nodes", failure, judge(failure) != Dialect.Failure.PERMANENT);
    }

    /** Returns what to tell a host whose own transaction failed: only the host can run that again. */
    StoreException refusal(String what, SQLException failure) {
        SQLException cause = withoutValues(failure);
        return new StoreException(
                what + ": " + firstLine(cause) + hint(failure), cause, judge(failure) != Dialect.Failure.PERMANENT);
    }

    private Dialect.Failure judge(SQLException failure) {
        Dialect known = dialect;
        return known == null ? Dialect.Failure.DISCONNECTED : known.judge(failure);
    }

    /**
     * Returns a failure that quotes no payload. PostgreSQL's exception of a batch quotes the statement with its parameters,
     * the one behind it does not; those of data and of constraints quote values, or the row.
     */
    static SQLException withoutValues(SQLException failure) {
        SQLException next = failure instanceof BatchUpdateException ? failure.getNextException() : null;
        SQLException cause = next == null ? failure : next;
        String state = cause.getSQLState();
        if (state == null || QUOTING.stream().noneMatch(state::startsWith)) {
            return cause;
        }
        SQLException plain = new SQLException("A value is refused: " + state, state, cause.getErrorCode());
        plain.setStackTrace(cause.getStackTrace());
        return plain;
    }

    /** What follows the first line of a message may be the statement, or the row. */
    static String firstLine(SQLException failure) {
        return String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
    }

    static boolean isMissingTable(SQLException failure) {
        String state = failure.getSQLState();
        return state != null && NO_TABLES.contains(state);
    }

    /** Returns why the database took nothing a moment ago, or null. */
    @Nullable
    String writeTrouble() {
        WriteTrouble last = lastWriteTrouble;
        return last == null || System.nanoTime() - last.nanos > REMEMBER_NANOS ? null : last.reason;
    }

    /** Says what is wrong with the database, for the operator. */
    String describe(Throwable failure) {
        Dialect known = dialect;
        return failure instanceof SQLException sql && known != null ? known.describe(sql) : "cannot be reached";
    }

    /** Prepares a statement with the time-out that all of them have. */
    PreparedStatement prepare(Connection connection, String sql) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        try {
            dialect().limit(statement, statementTimeout);
            return statement;
        } catch (SQLException failure) {
            statement.close();
            throw failure;
        }
    }

    /** Takes a connection that is in auto-commit; the first one tells what database it is. */
    Borrowed borrow() throws SQLException {
        Connection connection = dataSource.getConnection();
        Borrowed borrowed = new Borrowed(connection);
        try {
            meet(connection);
            borrowed.limitSilence(); // before anything is said to the database
            connection.setAutoCommit(true);
            borrowed.isolate();
            return borrowed;
        } catch (SQLException | RuntimeException failure) {
            borrowed.endIfSpent(failure);
            closeQuietly(connection);
            throw failure;
        }
    }

    /** Finds out what database this is, unless that is known. */
    void meet(Connection connection) throws SQLException {
        if (dialect == null) {
            dialect = Dialect.of(connection);
        }
    }

    /** Returns how long a statement may take, waiting for locks included. */
    Duration statementTimeout() {
        return statementTimeout;
    }

    static void closeQuietly(Connection connection) {
        try {
            connection.close();
        } catch (SQLException failure) {
            LOG.debug("A connection could not be closed", failure);
        }
    }

    /** Lets what runs run for a while, and takes nothing more. */
    void close(Duration patience) {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                executor.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            executor.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    /** A connection of the host's pool. Until it is given back, it fails when the database does not answer for too long. */
    final class Borrowed implements AutoCloseable {
        private final Connection connection;
        private int silenceBefore = UNKNOWN;
        private int isolationBefore = UNKNOWN;

        private Borrowed(Connection connection) {
            this.connection = connection;
        }

        Connection connection() {
            return connection;
        }

        /**
         * Runs the work. A spent connection is ended, such as one that only reads: a pool keeps those to a server that was
         * the primary, and would give them out again long after there is another.
         */
        private <T> T run(Work<T> work) throws SQLException {
            try {
                return work.run(connection);
            } catch (SQLException failure) {
                endIfSpent(failure);
                throw failure;
            }
        }

        /** Ends it if it is of no use to anybody any more. */
        void endIfSpent(Exception failure) {
            Dialect known = dialect;
            if (known != null && failure instanceof SQLException sql && known.isSpent(sql)) {
                try {
                    known.end(connection);
                } catch (SQLException | UnsupportedOperationException cannot) {
                    LOG.debug("A spent connection could not be ended", cannot);
                }
            }
        }

        private void limitSilence() {
            if (dialect().canLimitSilence()) {
                try {
                    int before = connection.getNetworkTimeout();
                    setSilence((int) statementTimeout.plus(SILENCE).toMillis());
                    silenceBefore = before;
                } catch (SQLException | UnsupportedOperationException cannot) {
                    LOG.debug("This driver has no network time-out", cannot);
                }
            }
        }

        /**
         * Sees to it that each statement sees what was committed before it, whatever the pool has set: with an older
         * snapshot every lock that was waited for would be a conflict.
         */
        private void isolate() throws SQLException {
            if (poolIsolation == UNKNOWN) {
                poolIsolation = connection.getTransactionIsolation();
            }
            if (poolIsolation != Connection.TRANSACTION_READ_COMMITTED
                    && !dialect().isolatesByItself()) {
                connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
                isolationBefore = poolIsolation;
            }
        }

        private void setSilence(int millis) throws SQLException {
            connection.setNetworkTimeout(Runnable::run, millis);
        }

        /**
         * Ends the connection, also while another thread waits on it. It is given back all the same, closed: so the pool
         * lets go of it, even if what was done went past the pool.
         */
        void discard() {
            try {
                connection.abort(Runnable::run);
            } catch (SQLException | UnsupportedOperationException cannot) {
                LOG.debug("A connection could not be aborted", cannot);
            }
        }

        private void restore() throws SQLException {
            if (isolationBefore != UNKNOWN) {
                connection.setTransactionIsolation(isolationBefore);
            }
            if (silenceBefore != UNKNOWN) {
                setSilence(silenceBefore);
            }
        }

        @Override
        public void close() throws SQLException {
            try {
                if (!connection.isClosed()) {
                    restore();
                }
            } finally {
                connection.close();
            }
        }
    }

    private record WriteTrouble(String reason, long nanos) {}

    /** Something to do on a connection. */
    @FunctionalInterface
    interface Work<T> {
        @CanIgnoreReturnValue
        T run(Connection connection) throws SQLException;
    }

    @FunctionalInterface
    private interface Task<T> {
        T run();
    }

    /** One attempt at a transaction, and how far it came. Confined to its thread. */
    private final class Attempt<T> {
        private boolean isCommitting;
        private boolean isCommitted;
        private @Nullable T result;
        private final boolean isHint;

        Attempt(boolean isHint) {
            this.isHint = isHint;
        }

        T in(Connection connection, Work<T> work) throws SQLException {
            try {
                if (isHint) {
                    dialect().beginHint(connection, tables);
                } else {
                    dialect().begin(connection);
                }
                result = work.run(connection);
                isCommitting = true;
                connection.commit();
                isCommitted = true;
                connection.setAutoCommit(true);
                return result();
            } catch (SQLException | RuntimeException | Error failure) {
                if (!isCommitted) {
                    rollBackQuietly(connection);
                }
                throw failure;
            }
        }

        @SuppressWarnings("NullAway") // T may itself be nullable
        T result() {
            return result;
        }

        private void rollBackQuietly(Connection connection) {
            try {
                connection.rollback();
                connection.setAutoCommit(true);
            } catch (SQLException alsoBroken) {
                LOG.debug("A transaction could not be rolled back; its connection is gone", alsoBroken);
            }
        }
    }
}
