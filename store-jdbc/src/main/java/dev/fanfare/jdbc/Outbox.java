package dev.fanfare.jdbc;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.StoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Publishes inside the host's own transactions: the publication appears if and only if the transaction commits, and then
 * once.
 *
 * <pre>{@code
 * Outbox outbox = store.outbox(fanfare);
 * try (Connection connection = dataSource.getConnection()) {
 *     connection.setAutoCommit(false);
 *     orders.insert(connection, order);
 *     outbox.publishIn(connection, "orders:" + order.region(), order.json());
 *     connection.commit();
 * }
 * outbox.committed(); // optional: looks at once
 * }</pre>
 *
 * <p>The transaction only inserts a row: it waits for nobody, and nobody for it. After its commit a sequencer, on
 * whatever node, moves the row into the log in a transaction of its own, which gives the offset.
 *
 * <p><b>Ordering:</b> what is published in a transaction that began after another's commit comes after that one's. Of
 * transactions that overlap, the one that called {@link #publishIn} first comes first; so call it late, when the locks
 * that order your data are held.
 *
 * <p><b>Refusals:</b> what can never be appended (unknown namespace, too large, a dedup key used with another
 * body) ends in the table {@code outbox_dead}, with the reason, and does not hold up the rest.
 *
 * <p><b>Lifecycle:</b> sequences until {@link #close}, or until the store is closed.
 *
 * <p><b>Threading:</b> thread-safe, but a connection belongs to its user. Only {@link #publishIn} blocks, for one insert.
 */
public final class Outbox implements AutoCloseable {

    static final int PARTITIONS = 16;

    private final Database database;
    private final Sequencer sequencer;

    Outbox(Database database, Sequencer sequencer) {
        this.database = database;
        this.sequencer = sequencer;
        sequencer.start();
    }

    /**
     * Adds a publication to the connection's transaction. The connection goes to the database that the store is in; it
     * may come from any pool, and may have a savepoint.
     *
     * @throws IllegalStateException if the connection is read-only
     * @throws StoreException if the row cannot be inserted; on PostgreSQL the transaction is then lost. It is retryable
     *     if others were in the way of the transaction, or its connection broke: roll back, and do all of it again
     */
    public void publishIn(Connection connection, ChannelId channel, Payload data, PublishOptions options) {
        requireNonNull(channel, "channel");
        requireNonNull(data, "data");
        requireNonNull(options, "options");
        try {
            database.meet(connection);
            if (connection.isReadOnly()) {
                throw new IllegalStateException("Cannot publish to " + channel + " in a read-only transaction");
            }
            insert(connection, channel, data, options);
        } catch (SQLException failure) {
            throw database.refusal("Cannot publish to " + channel + " in this transaction", failure);
        }
        sequencer.expect();
    }

    /**
     * Adds a text, usually JSON, to the connection's transaction, as {@link #publishIn(Connection, ChannelId, Payload,
     * PublishOptions)} does.
     *
     * @throws IllegalArgumentException if the channel's name is not valid
     */
    public void publishIn(Connection connection, String channel, String data) {
        publishIn(connection, ChannelId.of(channel), Payload.of(data), PublishOptions.none());
    }

    private void insert(Connection connection, ChannelId channel, Payload data, PublishOptions options)
            throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO " + database.tables().outbox()
                        + " (part, channel, tag, dedup_key, data, extra) VALUES (?, ?, ?, ?, ?, ?)")) {
            insert.setInt(1, Channels.bucket(channel) % PARTITIONS);
            insert.setString(2, channel.value());
            insert.setLong(3, Keys.newId());
            insert.setString(4, options.dedupKey());
            insert.setBytes(5, data.unsafeBytes());
            insert.setBytes(6, Wire.extra(options, null));
            insert.executeUpdate();
        }
    }

    /** Looks for committed rows now, instead of within some milliseconds; call it after a commit. */
    public void committed() {
        sequencer.wake();
    }

    /** Counts the rows that were refused for good. Blocks for one query. */
    public long dead() {
        return database.queryNow("count dead rows", connection -> {
            try (PreparedStatement select = database.prepare(
                            connection,
                            "SELECT count(*) FROM " + database.tables().outboxDead());
                    ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        });
    }

    /** Stops sequencing on this node; other nodes go on. */
    @Override
    public void close() {
        sequencer.close();
    }
}
