package dev.fanfare.jdbc;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Fills the parameters of a statement, one after the other, with columns of rows.
 *
 * <p><b>Threading:</b> not thread-safe.
 */
final class PostgresArrays {

    private final PreparedStatement statement;
    private int index;

    /**
     * @param first the number of the first parameter
     */
    PostgresArrays(PreparedStatement statement, int first) {
        this.statement = statement;
        this.index = first;
    }

    /** Returns the number of the next parameter. */
    int next() {
        return index;
    }

    @CanIgnoreReturnValue
    <T> PostgresArrays longs(List<T> rows, ToLongFunction<T> column) throws SQLException {
        Long[] values = new Long[rows.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = column.applyAsLong(rows.get(i));
        }
        return set("bigint", values);
    }

    @CanIgnoreReturnValue
    <T> PostgresArrays texts(List<T> rows, Function<T, String> column) throws SQLException {
        String[] values = new String[rows.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = column.apply(rows.get(i));
        }
        return set("text", values);
    }

    /** Fills a column; no array at all, which unnests as nulls beside others, if there is nothing in it. */
    @CanIgnoreReturnValue
    <T> PostgresArrays bytes(List<T> rows, Function<T, byte @Nullable []> column) throws SQLException {
        byte[][] values = new byte[rows.size()][];
        for (int i = 0; i < values.length; i++) {
            values[i] = column.apply(rows.get(i));
        }
        if (Arrays.stream(values).noneMatch(Objects::nonNull)) {
            statement.setNull(index++, Types.ARRAY, "_bytea"); // with its type, or the statement is parsed anew
            return this;
        }
        return set("bytea", values);
    }

    private PostgresArrays set(String type, Object[] values) throws SQLException {
        statement.setArray(index++, statement.getConnection().createArrayOf(type, values));
        return this;
    }
}
