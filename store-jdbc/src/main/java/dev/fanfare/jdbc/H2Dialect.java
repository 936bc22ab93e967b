package dev.fanfare.jdbc;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** H2 2.2 or newer, in memory or in a file. */
final class H2Dialect extends Dialect {

    private static final int DATABASE_IS_READ_ONLY = 90_097;
    private static final int LOCK_TIMEOUT = 50200;
    private static final int CONCURRENT_UPDATE = 90131;
    private static final int STATEMENT_WAS_CANCELED = 57014;
    private static final int DATABASE_IS_CLOSED = 90098;
    private static final int DATABASE_CALLED_AT_SHUTDOWN = 90121;

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
        return failure.getErrorCode() == DATABASE_IS_READ_ONLY ? READ_ONLY : super.writeTrouble(failure);
    }

    @Override
    Failure judge(SQLException failure) {
        return switch (failure.getErrorCode()) {
            case LOCK_TIMEOUT, STATEMENT_WAS_CANCELED -> Failure.NOT_NOW;
            case CONCURRENT_UPDATE -> Failure.CONFLICT;
            case DATABASE_IS_CLOSED, DATABASE_CALLED_AT_SHUTDOWN -> Failure.DISCONNECTED;
            default -> super.judge(failure);
        };
    }
}
