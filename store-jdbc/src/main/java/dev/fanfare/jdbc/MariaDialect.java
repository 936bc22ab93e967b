package dev.fanfare.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** MariaDB 10.6 or newer, MySQL 8 or newer. */
final class MariaDialect extends Dialect {

    private static final String CLOSED_STATEMENT = "No operations allowed after statement closed";
    private static final int DUPLICATE_KEY = 1062;
    private static final int LOCK_WAIT_TIMEOUT = 1205;
    private static final int READ_ONLY_OPTION = 1290;
    private static final int READ_ONLY_TRANSACTION = 1792;
    private static final int DISK_FULL = 1021;
    private static final int TABLE_FULL = 1114;
    private static final int DEADLOCK = 1213;
    private static final int RECORD_CHANGED = 1020;
    private static final int STATEMENT_TIMEOUT = 1969;
    private static final int QUERY_TIMEOUT = 3024;
    private static final int QUERY_INTERRUPTED = 1317;
    private static final int SHUTDOWN_IN_PROGRESS = 1053;
    private static final int CONNECTION_KILLED = 1927;

    @Override
    String folder() {
        return "mariadb";
    }

    @Override
    String clock() {
        return "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";
    }

    // The default, REPEATABLE READ, locks gaps between channels.
    @Override
    void begin(Connection connection) throws SQLException {
        execute(connection, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
        connection.setAutoCommit(false);
    }

    @Override
    boolean isolatesByItself() {
        return true;
    }

    @Override
    void lockMigrations(Connection connection, Tables tables) throws SQLException {
        try (PreparedStatement lock = connection.prepareStatement("SELECT GET_LOCK(?, 60)")) {
            lock.setString(1, tables.prefix() + "migrations");
            lock.execute();
        }
    }

    @Override
    void unlockMigrations(Connection connection, Tables tables) throws SQLException {
        try (PreparedStatement lock = connection.prepareStatement("SELECT RELEASE_LOCK(?)")) {
            lock.setString(1, tables.prefix() + "migrations");
            lock.execute();
        }
    }

    @Override
    String forShare() {
        return " LOCK IN SHARE MODE";
    }

    @Override
    boolean isDuplicateKey(SQLException failure) {
        return failure.getErrorCode() == DUPLICATE_KEY;
    }

    @Override
    @Nullable
    String writeTrouble(SQLException failure) {
        return switch (failure.getErrorCode()) {
            case READ_ONLY_OPTION, READ_ONLY_TRANSACTION -> READ_ONLY;
            case DISK_FULL, TABLE_FULL -> NO_ROOM;
            default -> super.writeTrouble(failure);
        };
    }

    @Override
    Failure judge(SQLException failure) {
        return switch (failure.getErrorCode()) {
            case DEADLOCK, RECORD_CHANGED -> Failure.CONFLICT;
            case LOCK_WAIT_TIMEOUT, STATEMENT_TIMEOUT, QUERY_TIMEOUT, QUERY_INTERRUPTED -> Failure.NOT_NOW;
            case SHUTDOWN_IN_PROGRESS, CONNECTION_KILLED -> Failure.DISCONNECTED;
            default -> isOfAClosedStatement(failure) ? Failure.DISCONNECTED : super.judge(failure);
        };
    }

    /** MySQL's driver closes the statements of a connection that breaks under it, and may say that instead. */
    private static boolean isOfAClosedStatement(SQLException failure) {
        return String.valueOf(failure.getMessage()).startsWith(CLOSED_STATEMENT);
    }
}
