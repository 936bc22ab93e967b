package dev.fanfare.jdbc;

import dev.fanfare.spi.LogLine;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * LISTEN, on the connection of a node's reader.
 *
 * <p>JDBC has no word for notifications. The driver's own method is called by reflection, so that the library
 * neither needs the driver to compile nor brings it along.
 */
final class PostgresWakeups implements Wakeups {

    private static final LogLine HIDDEN = LogLine.warn(
            PostgresWakeups.class, "No LISTEN through this DataSource, so other nodes' news are polled for");
    private static final String DRIVER_TYPE = "org.postgresql.PGConnection";

    private final Connection connection;
    private final Object driver;
    private final Method taken;
    private final Method awaited;

    private PostgresWakeups(Connection connection, Object driver, Class<?> type) throws NoSuchMethodException {
        this.connection = connection;
        this.driver = driver;
        this.taken = type.getMethod("getNotifications");
        this.awaited = type.getMethod("getNotifications", int.class);
    }

    /** Begins to listen; {@link Wakeups#NONE} if the pool does not let us through to the driver. */
    static Wakeups listen(Connection connection, String name) throws SQLException {
        PostgresWakeups wakeups;
        try {
            Class<?> type = Class.forName(DRIVER_TYPE, false, loader(connection));
            wakeups = new PostgresWakeups(connection, connection.unwrap(type), type);
        } catch (SQLException | ReflectiveOperationException hidden) {
            HIDDEN.log("failure", hidden);
            return NONE;
        }
        Dialect.execute(connection, "LISTEN " + name);
        return wakeups;
    }

    /** Returns where the driver was loaded, which may not be where this library was. */
    private static ClassLoader loader(Connection connection) throws SQLException {
        Object inner = connection.isWrapperFor(Connection.class) ? connection.unwrap(Connection.class) : connection;
        ClassLoader loader = inner.getClass().getClassLoader();
        return loader == null ? ClassLoader.getSystemClassLoader() : loader;
    }

    @Override
    public void await(int millis) throws SQLException {
        try {
            // Those that came during the last query are in the driver already; it would wait for one more.
            Object[] earlier = (Object[]) taken.invoke(driver);
            if (earlier == null || earlier.length == 0) {
                awaited.invoke(driver, millis);
            }
        } catch (InvocationTargetException failure) {
            if (failure.getCause() instanceof SQLException cause) {
                throw cause;
            }
            throw new SQLException("The driver failed to listen", failure.getCause());
        } catch (IllegalAccessException hidden) {
            throw new SQLException("The driver hides its notifications", hidden);
        }
    }

    @Override
    public void end() throws SQLException {
        Dialect.execute(connection, "UNLISTEN *");
    }
}
