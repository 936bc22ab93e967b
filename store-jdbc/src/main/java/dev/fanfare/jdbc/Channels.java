package dev.fanfare.jdbc;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Durability;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The rows of channels, and in which epoch the channels without a row would begin. */
final class Channels {

    /*
     * A channel that was never written reports its origin's epoch, one of BUCKETS rows, and keeps that epoch when
     * it is written: so reading leaves no trace. While its row lives it names the epoch of the next life too, so that
     * readers and the next writer agree on it. When the row is deleted, the origin takes that epoch over: no
     * channel ever comes back to one that it had. The never-written channels of the same origin then report another
     * epoch than before; their readers hold nothing that could be lost.
     *
     * Lock order: origins by bucket, then channels by name. Who deletes passes over channels that are locked.
     */

    private static final int BUCKETS = 4096;

    private final Database database;

    Channels(Database database) {
        this.database = database;
    }

    static int bucket(ChannelId channel) {
        int hash = channel.value().hashCode();
        return (hash ^ hash >>> 12 ^ hash >>> 24) & (BUCKETS - 1);
    }

    /** Locks the rows of those channels that have one, in the order of their names; the transaction's first statement. */
    Map<String, ChannelRow> lock(Connection connection, Collection<String> names, Durability durability)
            throws SQLException {
        Map<String, ChannelRow> rows = new HashMap<>();
        try (PreparedStatement select = database.prepare(
                connection,
                database.dialect()
                        .lockChannels(
                                ChannelRow.COLUMNS + ", " + database.now(),
                                database.tables(),
                                names.size(),
                                durability))) {
            database.dialect().setIn(select, 1, names);
            try (ResultSet found = select.executeQuery()) {
                while (found.next()) {
                    ChannelRow row = new ChannelRow(found);
                    rows.put(row.name, row);
                }
            }
        }
        return rows;
    }

    /** Makes rows for channels that have none. */
    void create(Map<ChannelId, ChannelRules> missing) {
        SortedMap<Integer, TreeMap<String, ChannelRules>> byBucket = new TreeMap<>();
        missing.forEach((channel, rules) -> byBucket.computeIfAbsent(bucket(channel), bucket -> new TreeMap<>())
                .put(channel.value(), rules));
        database.transactNow("create " + missing.size() + " channels", connection -> {
            TreeMap<String, Birth> births = new TreeMap<>();
            for (Map.Entry<Integer, TreeMap<String, ChannelRules>> bucket : byBucket.entrySet()) {
                String epoch = lockOrigin(connection, bucket.getKey());
                bucket.getValue().forEach((name, rules) -> births.put(name, new Birth(epoch, rules)));
            }
            insert(connection, births);
            return true;
        });
    }

    private void insert(Connection connection, SortedMap<String, Birth> births) throws SQLException {
        try (PreparedStatement insert = database.prepare(
                connection,
                "INSERT INTO " + database.tables().channel() + " (" + ChannelRow.COLUMNS + ") VALUES (?, ?, ?, ?,"
                        + " 0, 0, 0, " + database.now() + ", ?, ?, ?, " + database.now() + " + ?)"
                        + database.dialect().orIgnore())) {
            for (Map.Entry<String, Birth> birth : births.entrySet()) {
                ChannelRules rules = birth.getValue().rules;
                insert.setString(1, birth.getKey());
                insert.setLong(2, Keys.newId());
                insert.setString(3, birth.getValue().epoch);
                insert.setString(4, Keys.newEpoch());
                insert.setInt(5, rules.retainedCount());
                insert.setLong(6, ChannelRow.millis(rules.retainedFor()));
                insert.setLong(7, ChannelRow.millis(rules.headTtl()));
                insert.setLong(8, ChannelRow.millis(rules.retainedFor()));
                database.dialect().insertIgnoring(insert);
            }
        }
    }

    /** Locks an origin and returns its epoch; gives it one if it has none. */
    @CanIgnoreReturnValue
    String lockOrigin(Connection connection, int bucket) throws SQLException {
        String epoch = selectOrigin(connection, bucket);
        if (epoch == null) {
            insertOrigin(connection, bucket);
            epoch = selectOrigin(connection, bucket);
        }
        if (epoch == null) {
            throw new SQLException("The origin " + bucket + " vanished", "40001");
        }
        return epoch;
    }

    private @Nullable String selectOrigin(Connection connection, int bucket) throws SQLException {
        try (PreparedStatement select = database.prepare(
                connection, "SELECT epoch FROM " + database.tables().origin() + " WHERE bucket = ? FOR UPDATE")) {
            select.setInt(1, bucket);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getString(1) : null;
            }
        }
    }

    /** Gives an origin its first epoch, unless it has one. */
    void insertOrigin(Connection connection, int bucket) throws SQLException {
        try (PreparedStatement insert = database.prepare(
                connection,
                "INSERT INTO " + database.tables().origin() + " (bucket, epoch) VALUES (?, ?)"
                        + database.dialect().orIgnore())) {
            insert.setInt(1, bucket);
            insert.setString(2, Keys.newEpoch());
            database.dialect().insertIgnoring(insert);
        }
    }

    /** Remembers a life that is over, so that its rows are deleted. */
    void bury(Connection connection, long life) throws SQLException {
        try (PreparedStatement insert =
                database.prepare(connection, "INSERT INTO " + database.tables().endedLife() + " (life) VALUES (?)")) {
            insert.setLong(1, life);
            insert.executeUpdate();
        }
    }

    private record Birth(String epoch, ChannelRules rules) {}
}
