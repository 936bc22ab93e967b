package dev.fanfare.jdbc;

import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** H2 2.2 or newer, in memory or in a file. */
final class H2Dialect extends Dialect {

    /*
     * A write that fails, such as one to a full disk, closes the database under all connections. It is opened again by the
     * next new connection. But those there are do not know that they are spent: H2 calls them valid until they are
     * closed, so a pool would keep them for good. They are closed here, underneath the pool. Hikari looks whether a
     * connection is closed once that lay idle for half a second; REOPENING_MILLIS is longer.
     */

    private static final int DATABASE_IS_READ_ONLY = 90_097;
    private static final int LOCK_TIMEOUT = 50200;
    private static final int CONCURRENT_UPDATE = 90131;
    private static final int STATEMENT_WAS_CANCELED = 57014;
    private static final int DATABASE_IS_CLOSED = 90098;
    private static final int DATABASE_CALLED_AT_SHUTDOWN = 90121;
    private static final int CONNECTION_IS_CLOSED = 90007;
    private static final int REOPENING_MILLIS = 600;
    private static final int MAX_CAUSES = 10;
    private static final List<String> FULL_DISK =
            List.of("No space left", "not enough space", "Disk quota exceeded", "File too large");

    @Override
    String folder() {
        return "h2";
    }

    @Override
    String clock() {
        return "CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000 AS BIGINT)";
    }

    // Every call would be a command of its own; H2's own lock time-out is two seconds.
    @Override
    void limit(PreparedStatement statement, Duration timeout) {}

    @Override
    boolean canLimitSilence() {
        return false;
    }

    @Override
    @Nullable
    String writeTrouble(SQLException failure) {
        if (failure.getErrorCode() == DATABASE_IS_READ_ONLY) {
            return READ_ONLY;
        }
        return isOfAFullDisk(failure) ? NO_ROOM : super.writeTrouble(failure);
    }

    /** H2 has no code of its own for that; the words are those of the operating system. */
    private static boolean isOfAFullDisk(Throwable failure) {
        int depth = 0;
        for (Throwable cause = failure; cause != null && depth < MAX_CAUSES; cause = cause.getCause()) {
            String message = String.valueOf(cause.getMessage());
            if (cause instanceof IOException && FULL_DISK.stream().anyMatch(message::contains)) {
                return true;
            }
            depth++;
        }
        return false;
    }

    @Override
    String describe(SQLException failure) {
        return isClosed(failure) && !isOfAFullDisk(failure)
                ? "is closed, as H2 is after a failed write, until it can be opened again"
                : super.describe(failure);
    }

    @Override
    boolean isSpent(SQLException failure) {
        return isClosed(failure);
    }

    private static boolean isClosed(SQLException failure) {
        return switch (failure.getErrorCode()) {
            case DATABASE_IS_CLOSED, DATABASE_CALLED_AT_SHUTDOWN, CONNECTION_IS_CLOSED -> true;
            default -> false;
        };
    }

    // H2 ignores abort().
    @Override
    void end(Connection connection) throws SQLException {
        connection.unwrap(Connection.class).close();
    }

    @Override
    int leastPauseMillis(SQLException failure) {
        return isClosed(failure) ? REOPENING_MILLIS : 0;
    }

    @Override
    Failure judge(SQLException failure) {
        return switch (failure.getErrorCode()) {
            case LOCK_TIMEOUT, STATEMENT_WAS_CANCELED -> Failure.NOT_NOW;
            case CONCURRENT_UPDATE -> Failure.CONFLICT;
            case DATABASE_IS_CLOSED, DATABASE_CALLED_AT_SHUTDOWN, CONNECTION_IS_CLOSED -> Failure.DISCONNECTED;
            default -> super.judge(failure);
        };
    }
}
