package dev.fanfare.jdbc;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Logger;
import javax.sql.DataSource;

/** Gives out connections that break at chosen moments. */
final class FlakyDataSource implements DataSource {

    private enum Fault {
        NONE,
        BEFORE_COMMIT,
        AFTER_COMMIT
    }

    private final DataSource inner;
    private final AtomicReference<Fault> next = new AtomicReference<>(Fault.NONE);

    FlakyDataSource(DataSource inner) {
        this.inner = inner;
    }

    /** The server commits, but its reply does not arrive. */
    void loseReplyToNextCommit() {
        next.set(Fault.AFTER_COMMIT);
    }

    /** The connection breaks with the last statement before the commit. */
    void breakBeforeNextCommit() {
        next.set(Fault.BEFORE_COMMIT);
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection connection = inner.getConnection();
        return (Connection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    String name = method.getName();
                    boolean isUpdate = name.equals("prepareStatement")
                            && String.valueOf(arguments[0]).contains("INSERT INTO fanfare_log");
                    if (isUpdate && next.compareAndSet(Fault.BEFORE_COMMIT, Fault.NONE)) {
                        connection.rollback();
                        throw new SQLException("cut", "08006");
                    }
                    try {
                        Object result = method.invoke(connection, arguments);
                        if (name.equals("commit") && next.compareAndSet(Fault.AFTER_COMMIT, Fault.NONE)) {
                            throw new SQLException("cut", "08006");
                        }
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return getConnection();
    }

    @Override
    public PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) {}

    @Override
    public void setLoginTimeout(int seconds) {}

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() {
        return Logger.getGlobal();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLException("Not a wrapper");
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }
}
