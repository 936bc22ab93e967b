package dev.fanfare.jdbc;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Fanfare;
import dev.fanfare.Health;
import dev.fanfare.StateAt;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.LongSupplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Keeps everything in the host's SQL database: PostgreSQL 13, MariaDB 10.6, MySQL 8 or H2 2.2, or newer. All nodes
 * that share the database and the table prefix are one cluster; nothing else needs to be installed.
 *
 * <pre>{@code
 * JdbcStore store = JdbcStore.of(dataSource);
 * store.migrate(); // or run the SQL files of the jar, in dev/fanfare/jdbc/<database>
 * Fanfare fanfare = Fanfare.builder().store(store).namespace("chat", rules -> rules.retain(1000, days)).build();
 * }</pre>
 *
 * <p>A publication is accepted when its transaction is committed. Concurrent publishers of a node share transactions.
 * If the connection breaks while a commit is on its way, nobody knows whether it took place: the stage then fails with a
 * retryable {@link dev.fanfare.StoreException}, and repeating the publish with the same dedup key tells.
 *
 * <p>All times go by the database's clock. On PostgreSQL nodes wake each other with NOTIFY, which needs a
 * DataSource whose connections are sessions (not PgBouncer's transaction pooling); elsewhere they poll, every 50 ms to 1
 * s.
 *
 * <p><b>Bounds:</b> {@link Builder#threads} connections at a time, and one more for the bus. Refused beyond 20,000
 * publications or 64 MiB that wait.
 *
 * <p><b>Lifecycle:</b> threads begin with the first use; {@link #close} ends them, and leaves the DataSource open.
 * Close the Fanfares first.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks, except {@link #migrate} and {@link #close}. Stages complete on
 * store threads.
 */
public final class JdbcStore implements Store, AutoCloseable {

    private static final Duration TIDY = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Database database;
    private final Timer timer = new Timer();
    private final AppendParts parts;
    private final Malformed malformed = new Malformed();
    private final JdbcLog log;
    private final SnapshotReader snapshots;
    private final JdbcBus bus;
    private final JdbcPresence presence;
    private final JdbcControl control;
    private final JdbcLatest latestValues;
    private final Trimmer trimmer;
    private final Probe probe;
    private final AtomicBoolean isProbing = new AtomicBoolean();
    private final AtomicBoolean isTidying = new AtomicBoolean();
    private final AtomicBoolean isBeating = new AtomicBoolean();

    private JdbcStore(Builder builder) {
        this.database = new Database(
                builder.dataSource, builder.tables, builder.threads, builder.statementTimeout, builder.clockShift);
        Channels channels = new Channels(database);
        this.trimmer = new Trimmer(database, channels);
        this.parts = new AppendParts(database, channels, new Dedup(database), trimmer);
        LogReader reader = new LogReader(database, channels, malformed);
        this.log = new JdbcLog(database, new Appender(parts), reader);
        this.snapshots = new SnapshotReader(reader);
        this.bus = new JdbcBus(database, Keys.newId(), timer);
        this.presence = new JdbcPresence(database, malformed);
        this.control = new JdbcControl(database, bus);
        this.latestValues = new JdbcLatest(database, malformed);
        this.probe = new Probe(database);
        timer.every(Probe.PERIOD, () -> inTurn(isProbing, probe::look));
        timer.every(TIDY, () -> inTurn(isTidying, trimmer::round));
        timer.every(JdbcControl.BEAT, () -> inTurn(isBeating, control::beat));
    }

    /** Makes a store with default settings. */
    public static JdbcStore of(DataSource dataSource) {
        return builder(dataSource).build();
    }

    /**
     * Starts building a store.
     *
     * @param dataSource where connections come from; a pool that gives out one more than {@link Builder#threads}
     */
    public static Builder builder(DataSource dataSource) {
        return new Builder(dataSource);
    }

    /**
     * Makes the tables, or brings them to this version. Blocks until that is done; nodes that do it at once wait for
     * each other.
     *
     * @return this store
     * @throws dev.fanfare.StoreException if the database cannot be reached or does not allow it
     */
    @CanIgnoreReturnValue
    public JdbcStore migrate() {
        new Migrations(database).run();
        return this;
    }

    /**
     * Begins to publish what is put into the outbox, by the rules of this Fanfare; do so on every node that puts something
     * there, and on at least one. This is how a Fanfare publishes inside the host's own transactions: {@link
     * Outbox#publishIn}.
     *
     * @param fanfare one whose log is this store's; that is not checked, and one whose log is in another store would never
     *     hear of what is published so
     */
    @CanIgnoreReturnValue
    public Outbox outbox(Fanfare fanfare) {
        return outbox(requireNonNull(fanfare, "fanfare")::rules);
    }

    /**
     * Begins to publish what is put into the outbox, as {@link #outbox(Fanfare)} does, also where there is no Fanfare. It
     * goes into this store's log, and Fanfares whose log that is deliver it.
     *
     * @param rules the rules of each channel, null if it has none: {@code fanfare::rules}; the same on all nodes, because
     *     any of them may be the one that sequences. Called on store threads, and by {@link Outbox#publishIn} on its
     *     caller's, which gets what it throws. While it throws on the former, its partition waits, and is tried again five
     *     times a second
     */
    @CanIgnoreReturnValue
    public Outbox outbox(Function<ChannelId, @Nullable ChannelRules> rules) {
        return outbox(rules, System::nanoTime);
    }

    /** As the other, with a clock of its own; for tests. */
    Outbox outbox(Function<ChannelId, @Nullable ChannelRules> rules, LongSupplier nanos) {
        requireNonNull(rules, "rules");
        return new Outbox(database, new Sequencer(database, bus, parts, rules, nanos), rules);
    }

    /**
     * Reads the host's own state and the position from which to follow the channel, in one database: the position
     * first, then the state.
     *
     * <p>On a connection in auto-commit both are read in one REPEATABLE READ transaction, so of one snapshot: the state
     * holds exactly what was published up to the cursor, and besides what is committed but still in the outbox, which
     * comes again when the channel is followed. On a connection with a transaction that is used, and what its isolation
     * allows may be in the state already too. See {@link StateAt}.
     *
     * <pre>{@code
     * StateAt<List<Order>> at = store.stateAt(connection, channel, c -> orders.open(c, region));
     * }</pre>
     *
     * @param connection to the database that the store is in; used on this thread until this returns, and not closed
     * @throws SQLException what the loader or the database throws; a transaction begun here is then rolled back
     */
    public <T> StateAt<T> stateAt(Connection connection, ChannelId channel, StateLoader<T> loader) throws SQLException {
        database.meet(connection);
        return snapshots.read(connection, requireNonNull(channel, "channel"), requireNonNull(loader, "loader"));
    }

    @Override
    public ChannelLog log() {
        return log;
    }

    @Override
    public Bus bus() {
        return bus;
    }

    @Override
    public PresenceStore presence() {
        return presence;
    }

    @Override
    public ControlBus control() {
        return control;
    }

    @Override
    public LatestValues latestValues() {
        return latestValues;
    }

    /** {@inheritDoc} It looks every 2 seconds, and remembers for 5 that the database refused to write. */
    @Override
    public Health health() {
        return probe.health().and(bus.health());
    }

    /**
     * Returns how often this node found something in the database that cannot be read. A publication then counts as
     * trimmed, with what is before it: who missed it is told so, and goes on behind it. A member is counted but not listed,
     * and its leave is not told. A latest value counts as absent.
     */
    public long malformed() {
        return malformed.count();
    }

    /** Ends what runs, within a few seconds. The DataSource stays open. */
    @Override
    public void close() {
        timer.close();
        bus.close();
        database.close(PATIENCE);
    }

    /** Says that this store's nodes live, now. */
    void beat() {
        control.beat();
    }

    /** Deletes what is over, now. */
    void tidy() {
        trimmer.round();
    }

    /** Runs the task on a store thread unless it is running. */
    private void inTurn(AtomicBoolean isRunning, Runnable task) {
        if (isRunning.compareAndSet(false, true)
                && !database.tryExecute(() -> {
                    try {
                        task.run();
                    } finally {
                        isRunning.set(false);
                    }
                })) {
            isRunning.set(false);
        }
    }

    /**
     * Loads the host's state for {@link JdbcStore#stateAt}. Called on its caller's thread, once; it may block.
     *
     * @param <T> the state
     */
    @FunctionalInterface
    public interface StateLoader<T> {
        /** Loads it on that connection, and leaves the transaction as it is. */
        T load(Connection connection) throws SQLException;
    }

    /**
     * Builds a {@link JdbcStore}. Everything has a default.
     *
     * <p><b>Threading:</b> not thread-safe.
     */
    public static final class Builder {
        private final DataSource dataSource;
        private Tables tables = new Tables(Tables.DEFAULT_PREFIX);
        private int threads = 8;
        private Duration statementTimeout = Duration.ofSeconds(5);
        private LongSupplier clockShift = () -> 0;

        private Builder(DataSource dataSource) {
            this.dataSource = requireNonNull(dataSource, "dataSource");
        }

        /**
         * Sets what the tables' names begin with, so that several clusters can share a database; default {@code
         * fanfare_}.
         */
        @CanIgnoreReturnValue
        public Builder tablePrefix(String prefix) {
            this.tables = new Tables(requireNonNull(prefix, "prefix"));
            return this;
        }

        /** Sets how many statements run at a time, 2 to 200; default 8. One of them may be an append. */
        @CanIgnoreReturnValue
        public Builder threads(int count) {
            if (count < 2 || count > 200) {
                throw new IllegalArgumentException("count must be in [2, 200]: " + count);
            }
            this.threads = count;
            return this;
        }

        /** Sets how long a statement may take, waiting for locks included, 1 to 60 seconds; default 5. */
        @CanIgnoreReturnValue
        public Builder statementTimeout(Duration timeout) {
            if (timeout.toSeconds() < 1 || timeout.toSeconds() > 60) {
                throw new IllegalArgumentException("timeout must be in [1 s, 60 s]: " + timeout);
            }
            this.statementTimeout = timeout;
            return this;
        }

        /** Moves the database's clock; for tests. */
        @CanIgnoreReturnValue
        Builder clockShift(LongSupplier millis) {
            this.clockShift = millis;
            return this;
        }

        /** Builds it. Nothing is asked of the database yet. */
        public JdbcStore build() {
            return new JdbcStore(this);
        }
    }
}
