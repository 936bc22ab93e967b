package dev.fanfare.jdbc;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.StoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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
 * <p><b>Refusals:</b> what the rules do not take (unknown namespace, too large) is refused by {@link #publishIn}, while the
 * transaction can still be given up. What shows only afterwards (a dedup key used with another body, rules that
 * became stricter or differ between nodes) ends in the table {@code outbox_dead}, with the reason, and does not hold up the
 * rest: have somebody look when {@link #dead} is not 0.
 *
 * <p><b>Lifecycle:</b> sequences until {@link #close}, or until the store is closed.
 *
 * <p><b>Threading:</b> thread-safe, but a connection belongs to its user. Only {@link #publishIn} blocks, for one insert.
 */
public final class Outbox implements AutoCloseable {

    static final int PARTITIONS = 16;
    private static final int MOST_COUNTED = 10_001;

    private final Database database;
    private final Sequencer sequencer;
    private final Function<ChannelId, @Nullable ChannelRules> rules;

    Outbox(Database database, Sequencer sequencer, Function<ChannelId, @Nullable ChannelRules> rules) {
        this.database = database;
        this.sequencer = sequencer;
        this.rules = rules;
        sequencer.start();
    }

    /**
     * Adds a publication to the connection's transaction. The connection goes to the database that the store is in; it
     * may come from any pool, and may have a savepoint. In a JTA (XA) transaction it must not be in auto-commit either:
     * pools that enlist connections turn that off, the bare drivers of MySQL and MariaDB do not.
     *
     * @throws RefusedException if the rules do not take it: the namespace is unknown, or the payload is too large; nothing was
     *     asked of the connection then
     * @throws IllegalStateException if the connection is read-only, or in auto-commit, where there is no transaction to be
     *     part of
     * @throws StoreException if the row cannot be inserted; on PostgreSQL the transaction is then lost. It is retryable
     *     if others were in the way of the transaction, or its connection broke: roll back, and do all of it again
     */
    public void publishIn(Connection connection, ChannelId channel, Payload data, PublishOptions options) {
        requireNonNull(channel, "channel");
        requireNonNull(data, "data");
        requireNonNull(options, "options");
        requireTaken(channel, data);
        try {
            database.meet(connection);
            requireTransaction(connection, channel);
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
     * @throws RefusedException as that one does; so with the other exceptions
     */
    public void publishIn(Connection connection, String channel, String data) {
        publishIn(connection, ChannelId.of(channel), Payload.of(data), PublishOptions.none());
    }

    /** Refuses what the sequencer would set aside, as nobody looks there in time. */
    private void requireTaken(ChannelId channel, Payload data) {
        ChannelRules known = rules.apply(channel);
        if (known == null) {
            throw new RefusedException(
                    "Cannot publish to " + channel + ": its namespace has no rules", Refusal.UNKNOWN_NAMESPACE);
        }
        if (data.size() > known.maxMessageBytes()) {
            throw new RefusedException(
                    "Cannot publish to " + channel + ": " + data.size() + " bytes are too many, of "
                            + known.maxMessageBytes(),
                    Refusal.TOO_LARGE);
        }
    }

    private static void requireTransaction(Connection connection, ChannelId channel) throws SQLException {
        if (connection.getAutoCommit()) {
            throw new IllegalStateException("Cannot publish to " + channel
                    + " in auto-commit: no rollback would take it back; call setAutoCommit(false) and commit()");
        }
        if (connection.isReadOnly()) {
            throw new IllegalStateException("Cannot publish to " + channel + " in a read-only transaction");
        }
    }

    private void insert(Connection connection, ChannelId channel, Payload data, PublishOptions options)
            throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO " + database.tables().outbox()
                        + " (part, channel, tag, dedup_key, data, extra) VALUES (?, ?, ?, ?, ?, ?)")) {
            insert.setInt(1, partition(channel));
            insert.setString(2, channel.value());
            insert.setLong(3, Keys.newId());
            insert.setString(4, options.dedupKey());
            insert.setBytes(5, data.unsafeBytes());
            insert.setBytes(6, Wire.extra(options, null));
            insert.executeUpdate();
        }
    }

    static int partition(ChannelId channel) {
        return Channels.bucket(channel) % PARTITIONS;
    }

    /** Looks for committed rows now, instead of within some milliseconds; call it after a commit. */
    public void committed() {
        sequencer.wake();
    }

    /** Counts the rows that were refused for good, by whatever node. Blocks for one query. */
    public long dead() {
        return count("count dead rows", database.tables().outboxDead());
    }

    /**
     * Lets the sequencers try again what was refused for good, for when the reason is gone: the rules are there now, or
     * are wider. It comes after what was published meanwhile, and may be refused again. Blocks until it is in the outbox.
     *
     * @return how many rows that were
     */
    @CanIgnoreReturnValue
    public int retryDead() {
        int rows = new DeadRows(database).retry();
        sequencer.expect();
        return rows;
    }

    /**
     * Counts the rows that are committed and wait for a sequencer, of whatever node; beyond 10,000 it answers 10,001, so that
     * counting costs little when nobody sequences. Blocks for one query.
     */
    public long waiting() {
        String some = "(SELECT part FROM " + database.tables().outbox() + " LIMIT " + MOST_COUNTED + ") AS counted";
        return count("count waiting rows", some);
    }

    private long count(String what, String table) {
        return database.queryNow(what, connection -> {
            try (PreparedStatement select = database.prepare(connection, "SELECT count(*) FROM " + table);
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
