package dev.fanfare.jdbc;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.FanfareException;
import dev.fanfare.spi.LogLine;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Deletes what nobody can read any more: readers pass over it already. */
final class Trimmer {

    /*
     * Deletes in pages of PAGE rows, each its own transaction, so that no lock is held for long. What is too much by
     * count is deleted when an append says so; what is too old, and channels whose head is over, when the channel's
     * trim_at has come, which round() looks for. Each channel is deleted from by its offsets, oldest first.
     *
     * Threads: thread-safe. What append hands over waits in a map by life, one entry each, and is worked off by
     * whoever runs work(), one at a time per life.
     */

    private static final LogLine FAILED = LogLine.warn(Trimmer.class, "What is over cannot be deleted; trying again");
    private static final int PAGE = 1000;
    private static final int CHANNELS_AT_ONCE = 100;
    private static final long MESSAGE_MILLIS = 60_000;

    private final Database database;
    private final Channels channels;
    private final Map<Long, Long> waiting = new ConcurrentHashMap<>();

    Trimmer(Database database, Channels channels) {
        this.database = database;
        this.channels = channels;
    }

    /** Deletes the publications of a life up to that offset, soon. */
    void trim(Trim trim) {
        long life = trim.life;
        if (waiting.merge(life, trim.upTo, Math::max) == trim.upTo && !database.tryExecute(() -> work(life))) {
            waiting.remove(life); // a later append says so again
        }
    }

    private void work(long life) {
        Long upTo = waiting.remove(life);
        if (upTo != null) {
            guarded("trim", () -> deleteUpTo(life, upTo, Long.MIN_VALUE));
        }
    }

    /** Works off what is due; called every few seconds, by any node. */
    void round() {
        guarded("trim channels", this::trimDue);
        guarded("delete ended lives", this::deleteEndedLives);
        guarded("forget dedup keys", () -> deleteOver(database.tables().dedup()));
        guarded("forget latest values", () -> deleteOver(database.tables().latest()));
        guarded("forget bus messages", this::deleteOldMessages);
    }

    private static void guarded(String what, Runnable task) {
        try {
            task.run();
        } catch (FanfareException failure) {
            FAILED.log("what", what, "failure", failure);
        }
    }

    // ---- channels

    private void trimDue() {
        List<Due> found;
        do {
            found = database.queryNow("find channels to trim", this::findDue);
            found.forEach(this::trim);
        } while (found.size() == CHANNELS_AT_ONCE && !database.isClosed());
    }

    private List<Due> findDue(Connection connection) throws SQLException {
        List<Due> found = new ArrayList<>();
        String now = database.now();
        try (PreparedStatement select = database.prepare(
                        connection,
                        "SELECT name, id, GREATEST(low, top - retained_count), " + now + " - retained_millis,"
                                + " CASE WHEN last_at + head_millis <= " + now + " THEN 1 ELSE 0 END FROM "
                                + database.tables().channel() + " WHERE trim_at <= " + now
                                + " ORDER BY trim_at LIMIT " + CHANNELS_AT_ONCE);
                ResultSet rows = select.executeQuery()) {
            while (rows.next()) {
                found.add(new Due(
                        ChannelId.of(rows.getString(1)),
                        rows.getLong(2),
                        rows.getLong(3),
                        rows.getLong(4),
                        rows.getInt(5) == 1));
            }
        }
        return found;
    }

    private void trim(Due due) {
        if (due.isOver) {
            database.transactNow("delete " + due.channel, connection -> delete(connection, due.channel));
        } else {
            deleteUpTo(due.life, due.upTo, due.expiredAt);
            database.transactNow("schedule " + due.channel, connection -> schedule(connection, due.channel));
        }
    }

    /** Deletes a channel whose head is over. Its origin takes over the epoch that readers were told. */
    private boolean delete(Connection connection, ChannelId channel) throws SQLException {
        int bucket = Channels.bucket(channel);
        channels.lockOrigin(connection, bucket);
        long life;
        String epoch;
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT id, next_epoch FROM " + database.tables().channel()
                        + " WHERE name = ? AND last_at + head_millis" + " <= " + database.now()
                        + " FOR UPDATE SKIP LOCKED")) {
            select.setString(1, channel.value());
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    return false;
                }
                life = row.getLong(1);
                epoch = row.getString(2);
            }
        }
        try (PreparedStatement update = database.prepare(
                connection, "UPDATE " + database.tables().origin() + " SET epoch = ? WHERE bucket = ?")) {
            update.setString(1, epoch);
            update.setInt(2, bucket);
            update.executeUpdate();
        }
        deleteRow(connection, database.tables().channel(), "id", life);
        channels.bury(connection, life);
        return true;
    }

    /** Notes when to look at a channel again: when its oldest publication is too old, or its head is over. */
    private boolean schedule(Connection connection, ChannelId channel) throws SQLException {
        long life;
        long retained;
        long next;
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT id, retained_millis, last_at + head_millis FROM "
                        + database.tables().channel() + " WHERE name = ? FOR UPDATE SKIP LOCKED")) {
            select.setString(1, channel.value());
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    return false;
                }
                life = row.getLong(1);
                retained = row.getLong(2);
                next = row.getLong(3);
            }
        }
        Oldest oldest = oldest(connection, life);
        try (PreparedStatement update = database.prepare(
                connection, "UPDATE " + database.tables().channel() + " SET trim_at = ? WHERE id = ?")) {
            update.setLong(1, oldest == null ? next : Math.min(next, oldest.storedAt + retained));
            update.setLong(2, life);
            update.executeUpdate();
        }
        return true;
    }

    // ---- publications

    private void deleteUpTo(long life, long upTo, long expiredAt) {
        boolean isMore;
        do {
            isMore = database.queryNow(
                    "delete old publications", connection -> deletePage(connection, life, upTo, expiredAt));
        } while (isMore && !database.isClosed());
    }

    private boolean deletePage(Connection connection, long life, long upTo, long expiredAt) throws SQLException {
        Oldest oldest = oldest(connection, life);
        if (oldest == null || (oldest.offset > upTo && oldest.storedAt > expiredAt)) {
            return false;
        }
        try (PreparedStatement delete = database.prepare(
                connection,
                "DELETE FROM " + database.tables().log()
                        + " WHERE life = ? AND off < ? AND (off <= ? OR stored_at <= ?)")) {
            delete.setLong(1, life);
            delete.setLong(2, oldest.offset + PAGE);
            delete.setLong(3, upTo);
            delete.setLong(4, expiredAt);
            return delete.executeUpdate() == PAGE;
        }
    }

    private @Nullable Oldest oldest(Connection connection, long life) throws SQLException {
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT off, stored_at FROM " + database.tables().log() + " WHERE life = ? ORDER BY off LIMIT 1")) {
            select.setLong(1, life);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? new Oldest(row.getLong(1), row.getLong(2)) : null;
            }
        }
    }

    private void deleteEndedLives() {
        List<Long> lives = database.queryNow("find ended lives", connection -> {
            List<Long> found = new ArrayList<>();
            try (PreparedStatement select = database.prepare(
                            connection, "SELECT life FROM " + database.tables().endedLife() + " LIMIT 100");
                    ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    found.add(rows.getLong(1));
                }
            }
            return found;
        });
        for (long life : lives) {
            deleteUpTo(life, Long.MAX_VALUE, Long.MAX_VALUE);
            database.queryNow(
                    "forget a life",
                    connection -> deleteRow(connection, database.tables().endedLife(), "life", life));
        }
    }

    @CanIgnoreReturnValue
    private int deleteRow(Connection connection, String table, String column, long value) throws SQLException {
        try (PreparedStatement delete =
                database.prepare(connection, "DELETE FROM " + table + " WHERE " + column + " = ?")) {
            delete.setLong(1, value);
            return delete.executeUpdate();
        }
    }

    /** Deletes rows whose time is over, a page at a time. */
    private void deleteOver(String table) {
        int deleted;
        do {
            deleted = database.queryNow("delete from " + table, connection -> {
                List<byte[]> ids = new ArrayList<>();
                try (PreparedStatement select = database.prepare(
                                connection,
                                "SELECT id FROM " + table + " WHERE ends_at <= " + database.now()
                                        + " ORDER BY ends_at LIMIT " + PAGE);
                        ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        ids.add(rows.getBytes(1));
                    }
                }
                return ids.isEmpty() ? 0 : deleteOver(connection, table, ids);
            });
        } while (deleted == PAGE && !database.isClosed());
    }

    private int deleteOver(Connection connection, String table, List<byte[]> ids) throws SQLException {
        try (PreparedStatement delete = database.prepare(
                connection,
                "DELETE FROM " + table + " WHERE id IN (" + database.dialect().in(ids.size()) + ") AND ends_at <= "
                        + database.now())) {
            database.dialect().setIn(delete, 1, ids);
            return delete.executeUpdate();
        }
    }

    /** Deletes what every node that lives has read long ago. */
    private void deleteOldMessages() {
        int deleted;
        do {
            deleted = database.queryNow("delete old messages", connection -> {
                String bus = database.tables().bus();
                try (PreparedStatement delete = database.prepare(
                        connection,
                        "DELETE FROM " + bus + " WHERE seq < (SELECT m.first + " + PAGE
                                + " FROM (SELECT min(seq) AS first FROM " + bus + ") m) AND sent_at < "
                                + database.now() + " - " + MESSAGE_MILLIS)) {
                    return delete.executeUpdate();
                }
            });
        } while (deleted == PAGE && !database.isClosed());
    }

    /** What has become too much of a channel's life. */
    record Trim(long life, long upTo) {}

    private record Due(ChannelId channel, long life, long upTo, long expiredAt, boolean isOver) {}

    private record Oldest(long offset, long storedAt) {}
}
