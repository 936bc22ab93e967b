package dev.fanfare.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/**
 * Commits in two phases whatever writes into the log, on PostgreSQL, which refuses to prepare a transaction with a NOTIFY
 * in it, wherever that comes from.
 */
final class TwoPhaseDataSource {

    /** Why transactions could not be prepared. */
    final Queue<SQLException> refusals = new ConcurrentLinkedQueue<>();

    private final AtomicInteger appends = new AtomicInteger();
    private final AtomicInteger sequenced = new AtomicInteger();
    private final DataSource inner;

    TwoPhaseDataSource(DataSource inner) {
        this.inner = inner;
    }

    DataSource dataSource() {
        return (DataSource)
                Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {DataSource.class}, this::lend);
    }

    /** Returns how many transactions wrote into the log. */
    int appends() {
        return appends.get();
    }

    /** Returns how many of those took from the outbox. */
    int sequenced() {
        return sequenced.get();
    }

    private Object lend(Object proxy, Method method, Object[] arguments) throws SQLException {
        if (!method.getName().equals("getConnection")) {
            throw new UnsupportedOperationException(method.toString());
        }
        Connection connection = inner.getConnection();
        return Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (lent, called, given) -> {
                    if (called.getName().equals("commit") && writes(connection, "fanfare_log")) {
                        commitInTwoPhases(connection);
                        return null;
                    }
                    try {
                        return called.invoke(connection, given);
                    } catch (InvocationTargetException failure) {
                        throw failure.getCause();
                    }
                });
    }

    private void commitInTwoPhases(Connection connection) throws SQLException {
        String name = "append-" + appends.incrementAndGet();
        if (writes(connection, "fanfare_outbox")) {
            sequenced.incrementAndGet();
        }
        try {
            Dialect.execute(connection, "PREPARE TRANSACTION '" + name + "'");
        } catch (SQLException refusal) {
            refusals.add(refusal);
            throw refusal;
        }
        connection.setAutoCommit(true); // or the driver would begin another transaction
        Dialect.execute(connection, "COMMIT PREPARED '" + name + "'");
    }

    private static boolean writes(Connection connection, String table) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT 1 FROM pg_locks"
                + " WHERE pid = pg_backend_pid() AND relation = ?::regclass AND mode = 'RowExclusiveLock'")) {
            select.setString(1, table);
            try (ResultSet row = select.executeQuery()) {
                return row.next();
            }
        }
    }
}
