package dev.fanfare.jdbc;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;

/** PostgreSQL 13 or newer. */
final class PostgresDialect extends Dialect {

    @Override
    String folder() {
        return "postgresql";
    }

    @Override
    String clock() {
        return "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    }

    @Override
    void lockMigrations(Connection connection, Tables tables) throws SQLException {
        try (PreparedStatement lock = connection.prepareStatement("SELECT pg_advisory_xact_lock(?)")) {
            lock.setLong(1, tables.prefix().hashCode() | 0xFA4FA4EL << 32);
            lock.execute();
        }
    }

    // Never in a transaction that appends: a commit with a NOTIFY in it takes a lock on the whole database.
    @Override
    void beginHint(Connection connection, Tables tables) throws SQLException {
        begin(connection);
        execute(connection, "SET LOCAL synchronous_commit = off; NOTIFY " + tables.wakeUps());
    }

    @Override
    boolean wake(Connection connection, Tables tables) throws SQLException {
        execute(connection, "NOTIFY " + tables.wakeUps());
        return true;
    }

    @Override
    Wakeups listen(Connection connection, Tables tables) throws SQLException {
        return PostgresWakeups.listen(connection, tables.wakeUps());
    }

    @Override
    long advance(Connection connection, Tables tables, String name, int by) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE " + tables.counter() + " SET val = val + ? WHERE name = ? RETURNING val")) {
            update.setInt(1, by);
            update.setString(2, name);
            try (ResultSet row = update.executeQuery()) {
                if (!row.next()) {
                    throw new SQLException("The counter " + name + " is missing; were the tables migrated?");
                }
                return row.getLong(1);
            }
        }
    }

    @Override
    String forShare() {
        return " FOR SHARE";
    }

    // A violated key would abort the transaction.
    @Override
    String orIgnore() {
        return " ON CONFLICT DO NOTHING";
    }

    // One statement, one round trip and one plan, however many rows.
    @Override
    void write(Connection connection, Tables tables, List<LogRow> rows, List<ChannelRow> channels) throws SQLException {
        String channel = tables.channel();
        try (PreparedStatement write = connection.prepareStatement("WITH v AS (SELECT * FROM unnest(?::bigint[],"
                + " ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[],"
                + " ?::bigint[], ?::bigint[], ?::bigint[]) AS v (id, epoch, next_epoch, top, tag, low, last_at,"
                + " retained_count, retained_millis, head_millis, trim_at, former_id)), u AS (UPDATE " + channel
                + " AS c SET id = v.id, epoch = v.epoch, next_epoch = v.next_epoch, top = v.top, tag = v.tag,"
                + " low = v.low, last_at = v.last_at, retained_count = v.retained_count::int,"
                + " retained_millis = v.retained_millis, head_millis = v.head_millis, trim_at = v.trim_at"
                + " FROM v WHERE c.id = v.former_id) INSERT INTO " + tables.log()
                + " (life, off, tag, prev_tag, stored_at, data, extra) SELECT * FROM unnest(?::bigint[], ?::bigint[],"
                + " ?::bigint[], ?::bigint[], ?::bigint[], ?::bytea[], ?::bytea[])")) {
            Object[][] channelColumns = new Object[12][];
            for (int column = 0; column < 12; column++) {
                channelColumns[column] =
                        column == 1 || column == 2 ? new String[channels.size()] : new Long[channels.size()];
            }
            for (int i = 0; i < channels.size(); i++) {
                channels.get(i).writeTo(channelColumns, i);
            }
            for (int column = 0; column < 12; column++) {
                String type = column == 1 || column == 2 ? "text" : "bigint";
                write.setArray(column + 1, array(connection, type, channelColumns[column]));
            }
            setLog(connection, write, 13, rows);
            write.executeUpdate();
        }
    }

    private static void setLog(Connection connection, PreparedStatement write, int first, List<LogRow> rows)
            throws SQLException {
        int count = rows.size();
        Long[][] numbers = new Long[5][count];
        byte[][] data = new byte[count][];
        byte[][] extra = new byte[count][];
        for (int i = 0; i < count; i++) {
            LogRow row = rows.get(i);
            numbers[0][i] = row.life();
            numbers[1][i] = row.offset();
            numbers[2][i] = row.tag();
            numbers[3][i] = row.previousTag();
            numbers[4][i] = row.storedAt();
            data[i] = row.data();
            extra[i] = row.extra();
        }
        for (int i = 0; i < numbers.length; i++) {
            write.setArray(first + i, array(connection, "bigint", numbers[i]));
        }
        write.setArray(first + 5, array(connection, "bytea", data));
        write.setArray(first + 6, array(connection, "bytea", extra));
    }

    private static Array array(Connection connection, String type, Object[] values) throws SQLException {
        return connection.createArrayOf(type, values);
    }

    @Override
    Failure judge(SQLException failure) {
        String state = failure.getSQLState();
        if (state == null) {
            return super.judge(failure);
        }
        return switch (state) {
            // query_canceled, lock_not_available
            case "57014", "55P03" -> Failure.TIMED_OUT;
            // admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections; read_only while failing over
            case "57P01", "57P02", "57P03", "53300", "25006" -> Failure.DISCONNECTED;
            default -> super.judge(failure);
        };
    }
}
