package dev.fanfare.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.sql.DataSource;

/**
 * A pool that gives out again, as it is, whatever is given back to it and is not closed. It tells what was prepared on its
 * connections.
 */
final class CarelessPool implements AutoCloseable {

    final Queue<Connection> idle = new ConcurrentLinkedQueue<>();
    /** What was prepared, in order. */
    final Queue<String> statements = new ConcurrentLinkedQueue<>();

    private final String url;

    CarelessPool(String url) {
        this.url = url;
    }

    DataSource dataSource() {
        return (DataSource)
                Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {DataSource.class}, this::lend);
    }

    /** Returns the network time-out that its connections have, in milliseconds. */
    int silence() throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            return connection.getNetworkTimeout();
        }
    }

    private Object lend(Object proxy, Method method, Object[] arguments) throws SQLException {
        if (!method.getName().equals("getConnection")) {
            throw new UnsupportedOperationException(method.toString());
        }
        Connection known = idle.poll();
        Connection connection = known == null ? DriverManager.getConnection(url) : known;
        return Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (lent, called, given) -> {
                    if (called.getName().equals("close")) {
                        if (!connection.isClosed()) {
                            idle.add(connection);
                        }
                        return null;
                    }
                    if (called.getName().equals("prepareStatement")) {
                        statements.add((String) given[0]);
                    }
                    try {
                        return called.invoke(connection, given);
                    } catch (InvocationTargetException failure) {
                        throw failure.getCause();
                    }
                });
    }

    @Override
    public void close() throws SQLException {
        for (Connection connection = idle.poll(); connection != null; connection = idle.poll()) {
            connection.close();
        }
    }
}
