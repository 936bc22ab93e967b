package dev.fanfare.spring;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.jdbc.Outbox;
import dev.fanfare.spi.LogLine;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Publishes in the surrounding Spring transaction: the publication appears if and only if that commits.
 *
 * <pre>{@code
 * @Bean
 * TransactionalPublisher publisher(JdbcStore store, Fanfare fanfare, DataSource dataSource) {
 *     return TransactionalPublisher.of(store.outbox(fanfare::rules), dataSource);
 * }
 *
 * @Transactional
 * void ship(Order order) {
 *     orders.update(order.shipped());
 *     publisher.publish(ChannelId.of("orders:" + order.region()), order.json(), PublishOptions.none());
 * }
 * }</pre>
 *
 * <p>What is published waits in memory, and is inserted into the outbox just before the commit, on the transaction's own
 * connection: by then the transaction holds its locks, so publications of transactions that wait for each other have
 * the order of those transactions. An exception there rolls the transaction back. What was published within a nested
 * transaction that is rolled back to its savepoint goes with it; {@code REQUIRES_NEW} is a transaction of its own.
 * Savepoints set on the bare {@link Connection} are not seen.
 *
 * <p>JPA providers write their changes during the commit, which is after that; {@link #beforeInsert} makes them write
 * (and lock) before: {@code publisher.beforeInsert(entityManager::flush)}.
 *
 * <p>Without a transaction each publication is a short one of its own, and durable when {@link #publish} returns.
 *
 * <p><b>Bounds:</b> {@value #MOST} publications per transaction.
 *
 * <p><b>Threading:</b> thread-safe; a transaction belongs to its thread, as always with Spring. {@link #publish} does not
 * block within a transaction.
 */
public final class TransactionalPublisher {

    /** How many publications one transaction may have. */
    public static final int MOST = 10_000;

    private static final LogLine NOT_GIVEN_BACK =
            LogLine.warn(TransactionalPublisher.class, "A connection could not be given back after a publish");

    private final Outbox outbox;
    private final DataSource dataSource;
    private final Runnable beforeInsert;

    private TransactionalPublisher(Outbox outbox, DataSource dataSource, Runnable beforeInsert) {
        this.outbox = requireNonNull(outbox, "outbox");
        this.dataSource = requireNonNull(dataSource, "dataSource");
        this.beforeInsert = requireNonNull(beforeInsert, "beforeInsert");
    }

    /**
     * Makes a publisher.
     *
     * @param outbox of the store that is in the same database
     * @param dataSource that the transaction manager manages
     */
    public static TransactionalPublisher of(Outbox outbox, DataSource dataSource) {
        return new TransactionalPublisher(outbox, dataSource, () -> {});
    }

    /** Returns a publisher that runs something on the transaction's thread before it inserts, such as a flush of JPA. */
    public TransactionalPublisher beforeInsert(Runnable task) {
        return new TransactionalPublisher(outbox, dataSource, task);
    }

    /**
     * Publishes when the surrounding transaction commits, or now if there is none.
     *
     * @throws IllegalStateException if the transaction is read-only, is not one of this DataSource, or publishes too
     *     much
     * @throws dev.fanfare.RefusedException if there is no transaction, and the rules do not take it; in a transaction its
     *     commit throws that, and everything is rolled back
     * @throws dev.fanfare.StoreException if there is no transaction, and the row cannot be inserted
     */
    public void publish(ChannelId channel, Payload data, PublishOptions options) {
        Pending pending = new Pending(
                requireNonNull(channel, "channel"), requireNonNull(data, "data"), requireNonNull(options, "options"));
        if (!TransactionSynchronizationManager.isActualTransactionActive()) {
            publishNow(pending);
        } else if (TransactionSynchronizationManager.isCurrentTransactionReadOnly()) {
            throw new IllegalStateException("Cannot publish to " + channel
                    + " in a read-only transaction; drop readOnly = true, or publish after it");
        } else if (!TransactionSynchronizationManager.isSynchronizationActive()) {
            throw new IllegalStateException("Cannot publish to " + channel
                    + " in a transaction without synchronization; its manager must not use SYNCHRONIZATION_NEVER");
        } else {
            buffer().add(pending);
        }
    }

    private void publishNow(Pending pending) {
        try {
            Connection connection = dataSource.getConnection();
            try {
                commit(pending, connection);
            } finally {
                quietly(connection::close);
            }
        } catch (SQLException failure) {
            throw new dev.fanfare.StoreException("Cannot publish to " + pending.channel(), failure, true);
        }
        outbox.committed();
    }

    private void commit(Pending pending, Connection connection) throws SQLException {
        boolean before = connection.getAutoCommit();
        connection.setAutoCommit(false);
        try {
            pending.insertInto(outbox, connection);
            connection.commit();
        } catch (SQLException | RuntimeException failure) {
            rollBack(connection, before, failure);
            throw failure;
        }
        quietly(() -> connection.setAutoCommit(before));
    }

    /** Gives auto-commit back only after the rollback: on a connection that was not rolled back it would commit. */
    private static void rollBack(Connection connection, boolean autoCommit, Exception failure) {
        try {
            connection.rollback();
            connection.setAutoCommit(autoCommit);
        } catch (SQLException | RuntimeException second) {
            failure.addSuppressed(second);
        }
    }

    /** What became of the publication is certain by now, and stays so if the connection is not. */
    private static void quietly(Step step) {
        try {
            step.run();
        } catch (SQLException | RuntimeException failure) {
            NOT_GIVEN_BACK.logTrace(failure);
        }
    }

    private interface Step {
        void run() throws SQLException;
    }

    private PublishBuffer buffer() {
        PublishBuffer known = (PublishBuffer) TransactionSynchronizationManager.getResource(this);
        if (known != null) {
            return known;
        }
        PublishBuffer fresh = new PublishBuffer(this);
        TransactionSynchronizationManager.bindResource(this, fresh);
        TransactionSynchronizationManager.registerSynchronization(fresh);
        return fresh;
    }

    /** Inserts into the transaction. */
    void insert(List<Pending> all) {
        beforeInsert.run();
        if (TransactionSynchronizationManager.getResource(dataSource) instanceof ConnectionHolder holder
                && holder.hasTimeout()) {
            holder.getTimeToLiveInMillis(); // throws if there is none left
        }
        Connection connection = DataSourceUtils.getConnection(dataSource);
        try {
            if (connection.getAutoCommit()) {
                throw new IllegalStateException("The transaction is not one of this DataSource, so nothing can be"
                        + " published in it; give TransactionalPublisher the one that its transaction manager has");
            }
            for (Pending pending : all) {
                pending.insertInto(outbox, connection);
            }
        } catch (SQLException failure) {
            throw new dev.fanfare.StoreException("Cannot publish in this transaction", failure, true);
        } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
        }
    }

    void committed() {
        outbox.committed();
    }
}
