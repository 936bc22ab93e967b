package dev.fanfare.jdbc;

import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads pages: origin, head and publications with one statement, so that all are of one instant. */
final class LogReader {

    /*
     * A row that cannot be read counts as trimmed, and so does what stands before it: who has all up to there continues
     * behind it, who has not is told TRIMMED. Nobody is led over the hole.
     *
     * Bounds: a read that finds nothing but such rows goes on, for a few pages; then it finds nothing.
     *
     * Threads: thread-safe.
     */

    private static final int PUBLICATION = 1;
    private static final int HEAD = 2;
    private static final int ORIGIN = 3;

    private static final int PAGES = 4;

    /** After a page without one readable row it pays to look at so many at once. */
    private static final int LARGER_PAGE = 100;

    private final Database database;
    private final Channels channels;
    private final Malformed malformed;

    LogReader(Database database, Channels channels, Malformed malformed) {
        this.database = database;
        this.channels = channels;
        this.malformed = malformed;
    }

    LogPage read(Connection connection, LogRead read) throws SQLException {
        LogRead next = read;
        for (int page = 1; ; page++) {
            Found found = findOrBegin(connection, next);
            List<Publication> publications = publications(next, found);
            boolean hasMore = next.limit() > 0 && found.rows.size() == next.limit();
            boolean mayGoOn = hasMore && publications.isEmpty() && !next.isReverse();
            if (!mayGoOn || page == PAGES) {
                int count = Math.min(publications.size(), read.limit());
                return new LogPage(found.head, Collections.unmodifiableList(publications.subList(0, count)));
            }
            next = LogRead.after(
                    read.channel(),
                    found.rows.get(found.rows.size() - 1).offset(),
                    Math.max(read.limit(), LARGER_PAGE));
        }
    }

    private Found findOrBegin(Connection connection, LogRead read) throws SQLException {
        Found found = find(connection, read);
        if (found == null) {
            channels.insertOrigin(connection, Channels.bucket(read.channel()));
            found = find(connection, read);
        }
        if (found == null) {
            throw new SQLException("The origin of " + read.channel() + " vanished", "40001");
        }
        return found;
    }

    private @Nullable Found find(Connection connection, LogRead read) throws SQLException {
        String name = read.channel().value();
        try (PreparedStatement select = database.prepare(connection, sql(read))) {
            int index = 1;
            if (read.limit() > 0) {
                select.setString(index++, name);
                select.setLong(index++, read.afterOffset());
                select.setString(index++, name);
                select.setString(index++, name);
                select.setInt(index++, read.limit());
            }
            select.setString(index++, name);
            select.setInt(index, Channels.bucket(read.channel()));
            try (ResultSet rows = select.executeQuery()) {
                return found(rows);
            }
        }
    }

    /** Each part finds its limits by itself, so that the database walks the log by its key. */
    private String sql(LogRead read) {
        String channel = database.tables().channel();
        String now = database.now();
        String heads = "SELECT " + HEAD + ", top, tag, 0, last_at,"
                + " CASE WHEN last_at + head_millis > " + now + " THEN epoch ELSE next_epoch END,"
                + " NULL, NULL, CASE WHEN last_at + head_millis > " + now + " THEN 1 ELSE 0 END"
                + " FROM " + channel + " WHERE name = ? UNION ALL SELECT " + ORIGIN
                + ", 0, 0, 0, 0, epoch, NULL, NULL, 0 FROM " + database.tables().origin() + " WHERE bucket = ?";
        if (read.limit() == 0) {
            return heads;
        }
        String range = read.isReverse()
                ? "off < ? AND off > (SELECT GREATEST(low, top - retained_count) FROM " + channel + " WHERE name = ?)"
                : "off > ? AND off > (SELECT GREATEST(low, top - retained_count) FROM " + channel + " WHERE name = ?)";
        return "(SELECT " + PUBLICATION
                + " AS kind, off, tag, prev_tag, stored_at, '' AS epoch, data, extra, 0 AS lives"
                + " FROM " + database.tables().log() + " WHERE life = (SELECT id FROM " + channel
                + " WHERE name = ? AND last_at + head_millis > " + now + ") AND " + range
                + " AND stored_at > (SELECT " + now + " - retained_millis FROM " + channel + " WHERE name = ?)"
                + " ORDER BY off " + (read.isReverse() ? "DESC" : "ASC") + " LIMIT ?) UNION ALL " + heads;
    }

    private static @Nullable Found found(ResultSet rows) throws SQLException {
        Cursor head = null;
        String origin = null;
        List<LogRow> found = new ArrayList<>();
        while (rows.next()) {
            switch (rows.getInt(1)) {
                case PUBLICATION -> found.add(row(rows));
                case HEAD ->
                    head = rows.getInt(9) == 1
                            ? new Cursor(rows.getString(6), rows.getLong(2), rows.getLong(3))
                            : new Cursor(rows.getString(6), 0, Cursor.NO_TAG);
                default -> origin = rows.getString(6);
            }
        }
        if (head == null && origin != null) {
            head = new Cursor(origin, 0, Cursor.NO_TAG);
        }
        return head == null ? null : new Found(head, found);
    }

    private List<Publication> publications(LogRead read, Found found) {
        List<Publication> publications = new ArrayList<>(found.rows.size());
        for (LogRow row : found.rows) {
            try {
                publications.add(publication(found.head.epoch(), row));
            } catch (RuntimeException unreadable) {
                malformed.publication(read.channel(), row.offset(), unreadable);
                if (read.isReverse()) {
                    break;
                }
                publications.clear();
            }
        }
        return publications;
    }

    private static LogRow row(ResultSet row) throws SQLException {
        return new LogRow(
                0, row.getLong(2), row.getLong(3), row.getLong(4), row.getLong(5), row.getBytes(7), row.getBytes(8));
    }

    private static Publication publication(String epoch, LogRow row) {
        Publication.Builder builder = Publication.builder(Payload.wrap(row.data()))
                .position(epoch, row.offset(), row.tag(), row.previousTag())
                .timeMillis(row.storedAt());
        Wire.readExtra(row.extra(), builder);
        return builder.build();
    }

    /** Head and rows of one instant. */
    private record Found(Cursor head, List<LogRow> rows) {}
}
