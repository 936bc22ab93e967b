package dev.fanfare.jdbc;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Durability;
import dev.fanfare.spi.AppendRequest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What differs between databases. Everything else is SQL that all of them run.
 *
 * <p><b>Threading:</b> thread-safe.
 */
abstract class Dialect {

    static final String READ_ONLY = "is read-only";
    static final String NO_ROOM = "has no room left";

    /** What a failure means for the transaction that had it. */
    enum Failure {
        /** It was rolled back because others were in the way; run it again. */
        CONFLICT,
        /** The connection or the database is gone. */
        DISCONNECTED,
        /** It took too long and was given up, or the database has no room or only reads; later it may work. */
        NOT_NOW,
        /** Running it again does not help. */
        PERMANENT
    }

    /** Asks the database what it is. */
    static Dialect of(Connection connection) throws SQLException {
        String product = connection.getMetaData().getDatabaseProductName();
        return switch (product.toLowerCase(Locale.ROOT)) {
            case "postgresql" -> new PostgresDialect();
            case "h2" -> new H2Dialect();
            case "mariadb", "mysql" -> new MariaDialect();
            default ->
                throw new SQLException("Fanfare keeps channels in PostgreSQL, MariaDB, MySQL or H2, not in " + product
                        + "; give JdbcStore.of a DataSource of one of them");
        };
    }

    /** Returns the folder of the migrations. */
    abstract String folder();

    /** Returns an expression for the database's clock, in milliseconds since 1970. */
    abstract String clock();

    /** Begins a transaction in which each statement sees what was committed before it. */
    void begin(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
    }

    /** Tells whether {@link #begin} sees to the isolation, whatever the connection's is. */
    boolean isolatesByItself() {
        return false;
    }

    /** Limits how long a statement may run, waiting for locks included. */
    void limit(PreparedStatement statement, Duration timeout) throws SQLException {
        statement.setQueryTimeout((int) Math.max(1, timeout.toSeconds()));
    }

    /** Tells whether connections go over a network. */
    boolean canLimitSilence() {
        return true;
    }

    /** Keeps other nodes from migrating until {@link #unlockMigrations} or the end of the transaction. */
    void lockMigrations(Connection connection, Tables tables) throws SQLException {}

    void unlockMigrations(Connection connection, Tables tables) throws SQLException {}

    /** Begins a transaction that tells other nodes something: it need not survive a crash. */
    void beginHint(Connection connection, Tables tables) throws SQLException {
        begin(connection);
    }

    /** Begins to listen for the hints of all nodes, if the database can wake us. */
    Wakeups listen(Connection connection, Tables tables) throws SQLException {
        return Wakeups.NONE;
    }

    /** Wakes all that listen. */
    @CanIgnoreReturnValue
    boolean wake(Connection connection, Tables tables) throws SQLException {
        return false;
    }

    /** Adds to a counter, and returns its new value; the counter is locked until the commit. */
    long advance(Connection connection, Tables tables, String name, int by) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE " + tables.counter() + " SET val = val + ? WHERE name = ?")) {
            update.setInt(1, by);
            update.setString(2, name);
            if (update.executeUpdate() == 0) {
                throw new SQLException("The counter " + name + " is missing; were the tables migrated?");
            }
        }
        return counter(connection, tables, name);
    }

    /** Returns a counter's value. */
    long counter(Connection connection, Tables tables, String name) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT val FROM " + tables.counter() + " WHERE name = ?")) {
            select.setString(1, name);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getLong(1) : 0;
            }
        }
    }

    /** Returns one more column, or none, for the first SELECT of a transaction that appends or sequences: it
     * sets how that runs. */
    String settings(Durability durability) {
        return "";
    }

    /** Returns a SELECT of those columns that locks the rows of so many channels, in the order of their names. */
    String lockChannels(String columns, Tables tables, int count, Durability durability) {
        return "SELECT " + columns + settings(durability) + " FROM " + tables.channel() + " WHERE name IN (" + in(count)
                + ") ORDER BY name FOR UPDATE";
    }

    /** Returns what stands in the brackets of IN for so many values. */
    String in(int count) {
        return Marks.of(count);
    }

    /** Fills {@link #in}. */
    void setIn(PreparedStatement statement, int first, Collection<?> values) throws SQLException {
        Marks.setAll(statement, first, values);
    }

    /** Returns what follows a SELECT whose rows shall stay as they are until the commit. */
    String forShare() {
        return " FOR UPDATE";
    }

    /** Returns what follows an INSERT that shall pass over rows whose key is there already. */
    String orIgnore() {
        return "";
    }

    /** Inserts a row unless its key is there already; returns whether it did. */
    @CanIgnoreReturnValue
    boolean insertIgnoring(PreparedStatement insert) throws SQLException {
        try {
            return insert.executeUpdate() == 1;
        } catch (SQLException e) {
            if (isDuplicateKey(e)) {
                return false;
            }
            throw e;
        }
    }

    /** Returns a way to append some requests in one statement; null if there is none. */
    @Nullable
    PostgresAppend quickAppend(Database database, List<AppendRequest> requests) {
        return null;
    }

    /** Writes what one transaction appends: the rows of the log, and what the rows of their channels have become. */
    void write(Connection connection, Tables tables, List<LogRow> rows, List<ChannelRow> channels) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO " + tables.log()
                + " (life, off, tag, prev_tag, stored_at, data, extra)" + " VALUES (?, ?, ?, ?, ?, ?, ?)")) {
            for (LogRow row : rows) {
                insert.setLong(1, row.life());
                insert.setLong(2, row.offset());
                insert.setLong(3, row.tag());
                insert.setLong(4, row.previousTag());
                insert.setLong(5, row.storedAt());
                insert.setBytes(6, row.data());
                insert.setBytes(7, row.extra());
                insert.addBatch();
            }
            insert.executeBatch();
        }
        try (PreparedStatement update = connection.prepareStatement(ChannelRow.update(tables))) {
            for (ChannelRow channel : channels) {
                channel.writeTo(update);
                update.addBatch();
            }
            update.executeBatch();
        }
    }

    /** Deletes rows of a partition, each by its key: looking at others it would wait for hosts that inserted them. */
    void deleteFromOutbox(Connection connection, Tables tables, int part, List<Long> ids) throws SQLException {
        try (PreparedStatement delete =
                connection.prepareStatement("DELETE FROM " + tables.outbox() + " WHERE part = ? AND id = ?")) {
            for (long id : ids) {
                delete.setInt(1, part);
                delete.setLong(2, id);
                delete.addBatch();
            }
            delete.executeBatch();
        }
    }

    boolean isDuplicateKey(SQLException failure) {
        String state = failure.getSQLState();
        return state != null && state.startsWith("23505");
    }

    /** Tells whether a transaction that failed when it was to be committed may be committed all the same. */
    boolean isCommitUnknown(SQLException failure) {
        return judge(failure) != Failure.CONFLICT;
    }

    /** Judges a failure. */
    Failure judge(SQLException failure) {
        if (failure instanceof SQLTransientConnectionException) {
            return Failure.DISCONNECTED; // of a pool that had none in time; its state is that of any failure before
        }
        if (failure instanceof SQLTimeoutException) {
            return Failure.NOT_NOW;
        }
        String state = failure.getSQLState();
        if (state == null) {
            return Failure.PERMANENT;
        }
        if (state.startsWith("40")) {
            return Failure.CONFLICT;
        }
        if (state.startsWith("08")) {
            return Failure.DISCONNECTED;
        }
        if (writeTrouble(failure) != null) {
            return Failure.NOT_NOW;
        }
        return Failure.PERMANENT;
    }

    /** Returns why the database takes nothing now, in a few words; null if it is for another reason. */
    @Nullable
    String writeTrouble(SQLException failure) {
        String state = failure.getSQLState();
        return state == null
                ? null
                : switch (state) {
                    case "25006" -> READ_ONLY;
                    case "53100" -> NO_ROOM;
                    default -> null;
                };
    }

    /** Tells whether the connection that had the failure is of no use any more, and a pool need not notice. */
    boolean isSpent(SQLException failure) {
        return READ_ONLY.equals(writeTrouble(failure));
    }

    /** Ends a connection so that its pool lets go of it. */
    void end(Connection connection) throws SQLException {
        connection.abort(Runnable::run);
    }

    /** Returns how long to wait at least until work is tried again that failed so. */
    int leastPauseMillis(SQLException failure) {
        return 0;
    }

    /** Says what is wrong with the database, in a few words and without addresses. */
    String describe(SQLException failure) {
        String trouble = writeTrouble(failure);
        if (trouble != null) {
            return trouble;
        }
        String state = failure.getSQLState();
        if (Database.isMissingTable(failure)) {
            return "has no tables; JdbcStore.migrate() makes them";
        }
        return judge(failure) == Failure.DISCONNECTED ? "cannot be reached" : "fails with SQLSTATE " + state;
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
