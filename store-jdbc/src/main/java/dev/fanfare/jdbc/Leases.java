package dev.fanfare.jdbc;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** The leases of nodes. Each belongs to one incarnation; one that is over never comes back. Thread-safe. */
final class Leases {

    private final Database database;

    Leases(Database database) {
        this.database = database;
    }

    private String table() {
        return database.tables().lease();
    }

    /** Moves the end of a node's lease; false if it had none, and begins a new one. */
    boolean renew(Connection connection, String node, long millis) throws SQLException {
        String now = database.now();
        try (PreparedStatement update = database.prepare(
                connection,
                "UPDATE " + table() + " SET ends_at = " + now + " + ? WHERE node = ? AND is_over = FALSE AND ends_at > "
                        + now)) {
            update.setLong(1, millis);
            update.setString(2, node);
            if (update.executeUpdate() > 0) {
                return true;
            }
        }
        markEnded(connection);
        begin(connection, node, millis, false);
        return false;
    }

    @CanIgnoreReturnValue
    private long begin(Connection connection, String node, long millis, boolean isOver) throws SQLException {
        long incarnation = Keys.newId();
        try (PreparedStatement insert = database.prepare(
                connection,
                "INSERT INTO " + table() + " (incarnation, node, ends_at, is_over) VALUES (?, ?, " + database.now()
                        + " + ?, ?)")) {
            insert.setLong(1, incarnation);
            insert.setString(2, node);
            insert.setLong(3, millis);
            insert.setBoolean(4, isOver);
            insert.executeUpdate();
        }
        return incarnation;
    }

    /** Ends a node's lease now. */
    int retire(Connection connection, String node) throws SQLException {
        try (PreparedStatement update = database.prepare(
                connection,
                "UPDATE " + table() + " SET is_over = TRUE, ends_at = LEAST(ends_at, " + database.now()
                        + ") WHERE node = ? AND is_over = FALSE")) {
            update.setString(1, node);
            return update.executeUpdate();
        }
    }

    /** Keeps a node's lease from ending until the commit. A node without one gets one that is over already. */
    long ofNode(Connection connection, String node) throws SQLException {
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT incarnation FROM " + table() + " WHERE node = ? AND is_over = FALSE AND ends_at > "
                        + database.now() + database.dialect().forShare())) {
            select.setString(1, node);
            try (ResultSet row = select.executeQuery()) {
                if (row.next()) {
                    return row.getLong(1);
                }
            }
        }
        // The connection counts as gone at once, and leaves after its grace: a node that is late with its
        // renewal enters its members again in time, and no watcher notices.
        return begin(connection, node, 0, true);
    }

    /** Marks the leases whose end has come. */
    @CanIgnoreReturnValue
    int markEnded(Connection connection) throws SQLException {
        try (PreparedStatement update = database.prepare(
                connection,
                "UPDATE " + table() + " SET is_over = TRUE WHERE is_over = FALSE AND ends_at <= " + database.now())) {
            return update.executeUpdate();
        }
    }

    int countEnded(Connection connection) throws SQLException {
        try (PreparedStatement select =
                        database.prepare(connection, "SELECT count(*) FROM " + table() + " WHERE is_over = TRUE");
                ResultSet row = select.executeQuery()) {
            row.next();
            return row.getInt(1);
        }
    }

    /** Deletes the leases that are over and have no connections under them any more. */
    int deleteEmpty(Connection connection) throws SQLException {
        String seat = database.tables().seat();
        try (PreparedStatement delete = database.prepare(
                connection,
                "DELETE FROM " + table() + " WHERE is_over = TRUE AND NOT EXISTS (SELECT 1 FROM " + seat + " WHERE "
                        + seat + ".incarnation = " + table() + ".incarnation)")) {
            return delete.executeUpdate();
        }
    }
}
