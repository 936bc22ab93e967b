package dev.fanfare.spring;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/** Gives out connections that are cut at one call, such as {@code close} or {@code setAutoCommit[true]}. */
final class CutDataSource extends DelegatingDataSource {

    private final String moment;

    CutDataSource(DataSource inner, String moment) {
        super(inner);
        this.moment = moment;
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection connection = super.getConnection();
        return (Connection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    String call = method.getName() + (arguments == null ? "" : Arrays.toString(arguments));
                    if (call.equals(moment)) {
                        connection.close(); // the pool takes it back as it is
                        throw new SQLException("cut at " + call, "08006");
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
