package dev.fanfare.jdbc;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Collection;

/** Lists of parameters. Their sizes are powers of two, so that a driver sees few different statements. */
final class Marks {

    private Marks() {}

    private static int size(int count) {
        return count <= 1 ? 1 : Integer.highestOneBit(count - 1) << 1;
    }

    /** Returns as many question marks as {@link #setAll} fills for that many values. */
    static String of(int count) {
        int size = size(count);
        return "?" + ", ?".repeat(size - 1);
    }

    /** Fills the marks; the last value stands for those that are too many. */
    static void setAll(PreparedStatement statement, int first, Collection<?> values) throws SQLException {
        int index = first;
        Object last = null;
        for (Object value : values) {
            statement.setObject(index++, value);
            last = value;
        }
        int end = first + size(values.size());
        while (index < end) {
            statement.setObject(index++, last);
        }
    }
}
