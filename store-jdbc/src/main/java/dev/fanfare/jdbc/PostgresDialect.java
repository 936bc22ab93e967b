package dev.fanfare.jdbc;

import dev.fanfare.Durability;
import dev.fanfare.spi.AppendRequest;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** PostgreSQL 13 or newer. */
final class PostgresDialect extends Dialect {

    private static final int FROZEN_MILLIS = 5_000;

    private final Map<PostgresAppend.Form, String> appends = new ConcurrentHashMap<>();

    @Override
    String folder() {
        return "postgresql";
    }

    @Override
    String clock() {
        // A query of its own is run once, and not once per row.
        return "(SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint)";
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
        execute(
                connection,
                "SET LOCAL synchronous_commit = off; SET LOCAL idle_in_transaction_session_timeout = " + FROZEN_MILLIS
                        + "; NOTIFY " + tables.wakeUps());
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

    // A node that freezes while it holds the locks of channels would stop those channels on all nodes: the database
    // ends
    // such a transaction. And while there are few channels the planner would rather scan their table. No statement of
    // its own: that would cost a round trip.
    @Override
    String settings(Durability durability) {
        return ", (SELECT set_config('idle_in_transaction_session_timeout', '" + FROZEN_MILLIS
                + "', true) || set_config('enable_seqscan', 'off', true)"
                + (durability == Durability.ASYNC ? " || set_config('synchronous_commit', 'off', true)" : "") + ")";
    }

    // One walk through the index per name, in the order of the names, even if the planner believes that there are few
    // rows; it may have made its plan when there were.
    @Override
    String lockChannels(String columns, Tables tables, int count, Durability durability) {
        return "SELECT " + columns + settings(durability)
                + " FROM (SELECT n FROM unnest(?) AS n ORDER BY n COLLATE \"C\") AS names CROSS JOIN LATERAL (SELECT * FROM "
                + tables.channel()
                + " WHERE name = n LIMIT 1 FOR UPDATE) AS channels";
    }

    // A join, whatever the number: a list of parameters is compared with row after row when the planner chooses to
    // scan.
    @Override
    String in(int count) {
        return "SELECT unnest(?)";
    }

    @Override
    void setIn(PreparedStatement statement, int first, Collection<?> values) throws SQLException {
        Object some = values.iterator().next();
        String type = some instanceof String ? "text" : some instanceof Long ? "bigint" : "bytea";
        Object[] array = type.equals("bytea") ? values.toArray(byte[][]::new) : values.toArray();
        statement.setArray(first, array(statement.getConnection(), type, array));
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

    @Override
    PostgresAppend quickAppend(Database database, List<AppendRequest> requests) {
        return new PostgresAppend(database, appends, requests);
    }

    // One statement, one round trip and one plan, however many rows. Most channels have only moved: then that is all it
    // says.
    @Override
    void write(Connection connection, Tables tables, List<LogRow> rows, List<ChannelRow> channels) throws SQLException {
        boolean haveOnlyMoved = channels.stream().allMatch(ChannelRow::hasOnlyMoved);
        String update = haveOnlyMoved ? moveChannels(tables) : updateChannels(tables);
        try (PreparedStatement write = connection.prepareStatement(update + " INSERT INTO " + tables.log()
                + " (life, off, tag, prev_tag, stored_at, data, extra) SELECT * FROM unnest(?::bigint[], ?::bigint[],"
                + " ?::bigint[], ?::bigint[], ?::bigint[], ?::bytea[], ?::bytea[])")) {
            int next = haveOnlyMoved ? setMoves(write, channels) : setUpdates(write, channels);
            new PostgresArrays<>(write, next, rows)
                    .longs(LogRow::life)
                    .longs(LogRow::offset)
                    .longs(LogRow::tag)
                    .longs(LogRow::previousTag)
                    .longs(LogRow::storedAt)
                    .bytes(LogRow::data)
                    .bytes(LogRow::extra);
            write.executeUpdate();
        }
    }

    private static String moveChannels(Tables tables) {
        return "WITH u AS (UPDATE " + tables.channel()
                + " AS c SET top = v.top, tag = v.tag, last_at = v.last_at FROM unnest(?::bigint[], ?::bigint[],"
                + " ?::bigint[], ?::bigint[]) AS v (id, top, tag, last_at) WHERE c.id = v.id)";
    }

    private static int setMoves(PreparedStatement write, List<ChannelRow> channels) throws SQLException {
        return new PostgresArrays<>(write, 1, channels)
                .longs(row -> row.id)
                .longs(row -> row.top)
                .longs(row -> row.tag)
                .longs(ChannelRow::lastAt)
                .next();
    }

    private static String updateChannels(Tables tables) {
        return "WITH u AS (UPDATE " + tables.channel()
                + " AS c SET id = v.id, epoch = v.epoch, next_epoch = v.next_epoch, top = v.top, tag = v.tag,"
                + " low = v.low, last_at = v.last_at, retained_count = v.retained_count::int,"
                + " retained_millis = v.retained_millis, head_millis = v.head_millis, trim_at = v.trim_at"
                + " FROM unnest(?::bigint[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[],"
                + " ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) AS v (id, epoch,"
                + " next_epoch, top, tag, low, last_at, retained_count, retained_millis, head_millis, trim_at,"
                + " former_id) WHERE c.id = v.former_id)";
    }

    private static int setUpdates(PreparedStatement write, List<ChannelRow> channels) throws SQLException {
        Object[][] columns = new Object[12][];
        for (int column = 0; column < columns.length; column++) {
            columns[column] = isText(column) ? new String[channels.size()] : new Long[channels.size()];
        }
        for (int i = 0; i < channels.size(); i++) {
            channels.get(i).writeTo(columns, i);
        }
        for (int column = 0; column < columns.length; column++) {
            write.setArray(
                    column + 1, array(write.getConnection(), isText(column) ? "text" : "bigint", columns[column]));
        }
        return columns.length + 1;
    }

    private static boolean isText(int column) {
        return column == 1 || column == 2;
    }

    private static Array array(Connection connection, String type, Object[] values) throws SQLException {
        return connection.createArrayOf(type, values);
    }

    // Only rows that are visible are waited for.
    @Override
    void deleteFromOutbox(Connection connection, Tables tables, int part, List<Long> ids) throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement(
                "DELETE FROM " + tables.outbox() + " WHERE part = ? AND id IN (" + in(ids.size()) + ")")) {
            delete.setInt(1, part);
            setIn(delete, 2, ids);
            delete.executeUpdate();
        }
    }

    // What the server answers with an error is rolled back.
    @Override
    boolean isCommitUnknown(SQLException failure) {
        return failure.getSQLState() == null || judge(failure) == Failure.DISCONNECTED;
    }

    // A full disk has a state of its own; a quota, or a limit of a file's length, is reported as an internal error.
    @Override
    @Nullable
    String writeTrouble(SQLException failure) {
        boolean isQuota = "XX000".equals(failure.getSQLState())
                && String.valueOf(failure.getMessage()).contains("could not extend file");
        return isQuota ? NO_ROOM : super.writeTrouble(failure);
    }

    @Override
    Failure judge(SQLException failure) {
        String state = failure.getSQLState();
        if (state == null) {
            return super.judge(failure);
        }
        return switch (state) {
            // query_canceled, lock_not_available
            case "57014", "55P03" -> Failure.NOT_NOW;
            // admin_shutdown, crash_shutdown, cannot_connect_now, idle_in_transaction_session_timeout,
            // too_many_connections
            case "57P01", "57P02", "57P03", "25P03", "53300" -> Failure.DISCONNECTED;
            default -> super.judge(failure);
        };
    }
}
