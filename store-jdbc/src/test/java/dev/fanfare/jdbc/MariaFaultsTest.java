package dev.fanfare.jdbc;

import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.servers.MariaServer;
import dev.fanfare.servers.SqlServer;
import java.sql.Connection;
import java.sql.SQLException;

/** Faults of a real MariaDB. */
class MariaFaultsTest extends FaultCases {

    @Override
    SqlServer startServer() {
        Databases.requireMaria();
        // What docs/JDBC.md says to set: otherwise a node that freezes holds its channels.
        return MariaServer.start("--idle-transaction-timeout=3");
    }

    @Override
    void readOnly(HikariDataSource connections, boolean isReadOnly) throws SQLException {
        try (Connection connection = connections.getConnection()) {
            Dialect.execute(connection, "SET GLOBAL tx_read_only = " + isReadOnly);
        }
        // Only connections that are made from now on go by it.
        connections.getHikariPoolMXBean().softEvictConnections();
        await().until(() -> {
            try (Connection connection = connections.getConnection();
                    var select = connection.prepareStatement("SELECT @@tx_read_only");
                    var row = select.executeQuery()) {
                return row.next() && row.getBoolean(1) == isReadOnly;
            }
        });
    }
}
