package dev.fanfare.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/** A node's way to the database, until the node dies: at a chosen step of the transactions that sequence the outbox. */
final class DyingDataSource {

    private final DataSource inner;
    private final int step;
    private final boolean isReplyLost;
    private final AtomicInteger steps = new AtomicInteger();
    private volatile boolean isDead;

    /**
     * @param step the step that is its last: a statement of such a transaction, or its commit
     * @param isReplyLost whether the database still does that step
     */
    DyingDataSource(DataSource inner, int step, boolean isReplyLost) {
        this.inner = inner;
        this.step = step;
        this.isReplyLost = isReplyLost;
    }

    boolean isDead() {
        return isDead;
    }

    DataSource dataSource() {
        return (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (proxy, method, arguments) -> {
                    requireAlive();
                    Object result = invoke(inner, method, arguments);
                    return result instanceof Connection connection ? watched(connection) : result;
                });
    }

    private Connection watched(Connection connection) {
        boolean[] isSequencing = {false};
        return (Connection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    String name = method.getName();
                    if (name.equals("close") || name.equals("rollback") || name.equals("isClosed")) {
                        return invoke(connection, method, arguments); // what the database does when a node is gone
                    }
                    requireAlive();
                    boolean isStatement = name.equals("prepareStatement");
                    isSequencing[0] |=
                            isStatement && String.valueOf(arguments[0]).contains("fanfare_partition WHERE");
                    boolean isStep = isSequencing[0] && (isStatement || name.equals("commit"));
                    if (isStep && steps.getAndIncrement() == step) {
                        isDead = true;
                        if (name.equals("commit") && isReplyLost) {
                            invoke(connection, method, arguments);
                        } else {
                            connection.rollback();
                        }
                        throw new SQLException("dead", "08006");
                    }
                    Object result = invoke(connection, method, arguments);
                    isSequencing[0] &= !name.equals("commit");
                    return result;
                });
    }

    private void requireAlive() throws SQLException {
        if (isDead) {
            throw new SQLException("dead", "08001");
        }
    }

    private static Object invoke(Object target, java.lang.reflect.Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
