package dev.fanfare.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What somebody would write who needs nothing but this: one connection, batches of known size, the same columns of the log;
 * a counter row per channel, known by its number, gives dense offsets and the tag of the predecessor. It finds no names,
 * knows no epochs, rules or dedup keys, and waits for nobody.
 */
final class HandWritten implements AutoCloseable {

    private static final byte[] DATA = new byte[200];

    private final Connection connection;
    private final int channels;
    private int next;

    HandWritten(Connection connection, int channels) throws SQLException {
        this.connection = connection;
        this.channels = channels;
        Dialect.execute(connection, "DROP TABLE IF EXISTS hand_channel, hand_log");
        Dialect.execute(
                connection,
                "CREATE TABLE hand_channel (id bigint PRIMARY KEY, top bigint NOT NULL, tag bigint NOT NULL,"
                        + " prev_tag bigint NOT NULL) WITH (fillfactor = 50)");
        Dialect.execute(
                connection,
                "CREATE TABLE hand_log (life bigint, off bigint, tag bigint NOT NULL, prev_tag bigint NOT NULL,"
                        + " stored_at bigint NOT NULL, data bytea NOT NULL, extra bytea, PRIMARY KEY (life, off))");
        Dialect.execute(
                connection,
                "INSERT INTO hand_channel SELECT n, 0, 0, 0 FROM generate_series(0, " + (channels - 1) + ") n");
        connection.setAutoCommit(false);
    }

    /** Appends rows to some channels per commit, each, as fast as it goes; returns rows per second. */
    double perSecond(int touched, int each, Duration length) throws SQLException {
        long begin = System.nanoTime();
        long rows = 0;
        while (System.nanoTime() - begin < length.toNanos()) {
            append(next, touched, each);
            connection.commit();
            next = next + 2 * touched > channels ? 0 : next + touched;
            rows += (long) touched * each;
        }
        return rows / ((System.nanoTime() - begin) / 1e9);
    }

    private void append(int first, int touched, int each) throws SQLException {
        int count = touched * each;
        Long[] tags = new Long[count];
        for (int i = 0; i < count; i++) {
            tags[i] = ThreadLocalRandom.current().nextLong();
        }
        Long[] ids = new Long[touched];
        Long[] lastTags = new Long[touched];
        for (int i = 0; i < touched; i++) {
            ids[i] = (long) first + i;
            lastTags[i] = tags[(i + 1) * each - 1];
        }
        long[] tops = new long[touched];
        long[] previousTags = new long[touched];
        try (PreparedStatement update = connection.prepareStatement("UPDATE hand_channel c SET top = c.top + ?,"
                + " prev_tag = c.tag, tag = v.tag FROM unnest(?::bigint[], ?::bigint[]) AS v (id, tag)"
                + " WHERE c.id = ANY(?) AND c.id = v.id RETURNING c.id, c.top, c.prev_tag")) {
            update.setInt(1, each);
            update.setArray(2, connection.createArrayOf("bigint", ids));
            update.setArray(3, connection.createArrayOf("bigint", lastTags));
            update.setArray(4, connection.createArrayOf("bigint", ids));
            try (ResultSet rows = update.executeQuery()) {
                while (rows.next()) {
                    int channel = (int) (rows.getLong(1) - first);
                    tops[channel] = rows.getLong(2);
                    previousTags[channel] = rows.getLong(3);
                }
            }
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO hand_log SELECT * FROM"
                + " unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bytea[])")) {
            Long[][] columns = new Long[5][count];
            byte[][] data = new byte[count][];
            for (int i = 0; i < count; i++) {
                int channel = i / each;
                columns[0][i] = ids[channel];
                columns[1][i] = tops[channel] - each + 1 + i % each;
                columns[2][i] = tags[i];
                columns[3][i] = i % each == 0 ? (Long) previousTags[channel] : tags[i - 1];
                columns[4][i] = System.currentTimeMillis();
                data[i] = DATA;
            }
            for (int i = 0; i < 5; i++) {
                insert.setArray(i + 1, connection.createArrayOf("bigint", columns[i]));
            }
            insert.setArray(6, connection.createArrayOf("bytea", data));
            insert.executeUpdate();
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
