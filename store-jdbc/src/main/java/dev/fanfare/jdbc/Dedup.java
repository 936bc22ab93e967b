package dev.fanfare.jdbc;

import dev.fanfare.Cursor;
import dev.fanfare.spi.ChannelLog.AppendResult;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which dedup keys were used, each for its window. */
final class Dedup {

    private final Database database;

    Dedup(Database database) {
        this.database = database;
    }

    /** Returns what is remembered of those keys, also what is over. */
    Map<ByteBuffer, Entry> find(Connection connection, Collection<byte[]> ids) throws SQLException {
        Map<ByteBuffer, Entry> found = new HashMap<>();
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT id, body, epoch, off, tag, ends_at FROM "
                        + database.tables().dedup() + " WHERE id IN ("
                        + database.dialect().in(ids.size()) + ")")) {
            database.dialect().setIn(select, 1, ids);
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    Entry entry = new Entry(
                            ByteBuffer.wrap(rows.getBytes(1)),
                            rows.getLong(2),
                            rows.getString(3),
                            rows.getLong(4),
                            rows.getLong(5),
                            rows.getLong(6));
                    found.put(entry.id, entry);
                }
            }
        }
        return found;
    }

    /** Forgets those of the keys whose window was over at that time. */
    void forget(Connection connection, Collection<byte[]> ids, long now) throws SQLException {
        try (PreparedStatement delete = database.prepare(
                connection,
                "DELETE FROM " + database.tables().dedup() + " WHERE ends_at <= ? AND id IN ("
                        + database.dialect().in(ids.size()) + ")")) {
            delete.setLong(1, now);
            database.dialect().setIn(delete, 2, ids);
            delete.executeUpdate();
        }
    }

    /** Remembers keys that are not there, as their channels' locks make sure. */
    void insertAll(Connection connection, List<Entry> entries) throws SQLException {
        try (PreparedStatement insert = prepareInsert(connection)) {
            for (Entry entry : entries) {
                entry.writeTo(insert);
                insert.addBatch();
            }
            for (int count : insert.executeBatch()) {
                if (count != 1 && count != Statement.SUCCESS_NO_INFO) {
                    throw new SQLException("A dedup key came in between", "40001");
                }
            }
        }
    }

    /** Remembers a key unless it is there. */
    void insertIgnoring(Connection connection, Entry entry) throws SQLException {
        try (PreparedStatement insert = prepareInsert(connection)) {
            entry.writeTo(insert);
            database.dialect().insertIgnoring(insert);
        }
    }

    private PreparedStatement prepareInsert(Connection connection) throws SQLException {
        return database.prepare(
                connection,
                "INSERT INTO " + database.tables().dedup() + " (id, body, epoch, off, tag, ends_at)"
                        + " VALUES (?, ?, ?, ?, ?, ?)" + database.dialect().orIgnore());
    }

    /**
     * What was appended under a key.
     *
     * @param id the key's short form
     * @param body a digest of the body
     * @param epoch where it was appended, {@code ""} if it was not logged
     * @param offset 0 if it was not logged
     * @param tag its tag
     * @param endsAt when it is forgotten
     */
    record Entry(ByteBuffer id, long body, String epoch, long offset, long tag, long endsAt) {

        @SuppressWarnings("ByteBufferBackingArray") // made by wrap()
        byte[] bytes() {
            return id.array();
        }

        boolean isOver(long now) {
            return endsAt <= now;
        }

        /** Returns the answer to a repeat with that body. */
        AppendResult answerTo(long otherBody) {
            if (body != otherBody) {
                return AppendResult.Conflict.OTHER_BODY;
            }
            return new AppendResult.Repeated(offset == 0 ? null : new Cursor(epoch, offset, tag));
        }

        private void writeTo(PreparedStatement insert) throws SQLException {
            insert.setBytes(1, bytes());
            insert.setLong(2, body);
            insert.setString(3, epoch);
            insert.setLong(4, offset);
            insert.setLong(5, tag);
            insert.setLong(6, endsAt);
        }
    }
}
