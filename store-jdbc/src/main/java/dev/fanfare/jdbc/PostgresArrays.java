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
 *
 * @param <T> the rows
 */
final class PostgresArrays<T> {

    private final PreparedStatement statement;
    private final List<T> rows;
    private int index;

    /**
     * @param first the number of the first parameter
     */
    PostgresArrays(PreparedStatement statement, int first, List<T> rows) {
        this.statement = statement;
        this.rows = rows;
        this.index = first;
    }

    /** Returns the number of the next parameter. */
    int next() {
        return index;
    }

    @CanIgnoreReturnValue
    PostgresArrays<T> longs(ToLongFunction<T> column) throws SQLException {
        Long[] values = new Long[rows.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = column.applyAsLong(rows.get(i));
        }
        return set("bigint", values);
    }

    @CanIgnoreReturnValue
    PostgresArrays<T> texts(Function<T, String> column) throws SQLException {
        return set("text", rows.stream().map(column).toArray(String[]::new));
    }

    /** Fills a column; if there is nothing in it, with no array at all, which unnests as nulls beside others. */
    @CanIgnoreReturnValue
    PostgresArrays<T> bytes(Function<T, byte @Nullable []> column) throws SQLException {
        byte[][] values = new byte[rows.size()][];
        for (int i = 0; i < values.length; i++) {
            values[i] = column.apply(rows.get(i));
        }
        if (Arrays.stream(values).allMatch(Objects::isNull)) {
            statement.setNull(index++, Types.ARRAY, "_bytea"); // with its type, or the statement is parsed anew
            return this;
        }
        return set("bytea", values);
    }

    private PostgresArrays<T> set(String type, Object[] values) throws SQLException {
        statement.setArray(index++, statement.getConnection().createArrayOf(type, values));
        return this;
    }
}
