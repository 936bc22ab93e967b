package dev.fanfare.jdbc;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.StateAt;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.sql.Connection;
import java.sql.SQLException;

/** Reads the host's state and a channel's position on the host's connection, the position first. */
final class SnapshotReader {

    private final LogReader reader;

    SnapshotReader(LogReader reader) {
        this.reader = reader;
    }

    <T> StateAt<T> read(Connection connection, ChannelId channel, JdbcStore.StateLoader<T> loader) throws SQLException {
        if (!connection.getAutoCommit()) {
            return new StateAt<>(head(connection, channel), loader.load(connection));
        }
        head(connection, channel); // the first read of a channel may have to write, which others must see
        int isolation = connection.getTransactionIsolation();
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        try {
            connection.setAutoCommit(false);
            StateAt<T> state = new StateAt<>(head(connection, channel), loader.load(connection));
            connection.commit();
            return state;
        } catch (SQLException | RuntimeException failure) {
            connection.rollback();
            throw failure;
        } finally {
            connection.setAutoCommit(true);
            connection.setTransactionIsolation(isolation);
        }
    }

    @CanIgnoreReturnValue
    private Cursor head(Connection connection, ChannelId channel) throws SQLException {
        return reader.read(connection, LogRead.head(channel)).head();
    }
}
