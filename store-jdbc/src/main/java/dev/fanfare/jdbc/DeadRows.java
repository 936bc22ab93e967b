package dev.fanfare.jdbc;

import dev.fanfare.ChannelId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;

/** What the outbox set aside. Thread-safe; other nodes may do the same at once. */
final class DeadRows {

    private static final int PAGE = 200;

    private final Database database;

    DeadRows(Database database) {
        this.database = database;
    }

    /** Puts all that is there now back into the outbox, behind what waits there; returns how many that were. */
    int retry() {
        long last = database.queryNow("look for dead rows", this::last);
        int all = 0;
        int some;
        do { // those that die again get higher numbers
            some = database.transactNow("retry dead rows", connection -> retrySome(connection, last));
            all += some;
        } while (some == PAGE);
        return all;
    }

    private long last(Connection connection) throws SQLException {
        try (PreparedStatement select = database.prepare(
                        connection,
                        "SELECT coalesce(max(id), 0) FROM " + database.tables().outboxDead());
                ResultSet row = select.executeQuery()) {
            row.next();
            return row.getLong(1);
        }
    }

    private int retrySome(Connection connection, long last) throws SQLException {
        Map<Long, String> channels = lock(connection, last);
        Tables tables = database.tables();
        try (PreparedStatement insert = database.prepare(
                        connection,
                        "INSERT INTO " + tables.outbox() + " (part, channel, tag, dedup_key, data, extra)"
                                + " SELECT ?, channel, ?, dedup_key, data, extra FROM " + tables.outboxDead()
                                + " WHERE id = ?");
                PreparedStatement delete =
                        database.prepare(connection, "DELETE FROM " + tables.outboxDead() + " WHERE id = ?")) {
            for (Map.Entry<Long, String> row : channels.entrySet()) {
                insert.setInt(1, part(row.getValue()));
                insert.setLong(2, Keys.newId());
                insert.setLong(3, row.getKey());
                insert.executeUpdate();
                delete.setLong(1, row.getKey());
                delete.executeUpdate();
            }
        }
        return channels.size();
    }

    private Map<Long, String> lock(Connection connection, long last) throws SQLException {
        Map<Long, String> channels = new TreeMap<>();
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT id, channel FROM " + database.tables().outboxDead() + " WHERE id <= ? ORDER BY id LIMIT " + PAGE
                        + " FOR UPDATE")) {
            select.setLong(1, last);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    channels.put(row.getLong(1), row.getString(2));
                }
            }
        }
        return channels;
    }

    private static int part(String channel) {
        try {
            return Outbox.partition(ChannelId.of(channel));
        } catch (IllegalArgumentException impossible) {
            return 0; // where it is set aside again
        }
    }
}
