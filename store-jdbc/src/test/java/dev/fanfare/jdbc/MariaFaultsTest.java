package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.servers.MariaServer;
import dev.fanfare.servers.SqlServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Faults of a real MariaDB. */
class MariaFaultsTest extends FaultCases {

    private static final int NO_SUCH_THREAD = 1094;

    @Override
    SqlServer startServer() {
        Databases.requireMaria();
        // What docs/JDBC.md says to set: otherwise a node that freezes holds its channels, and other nodes may see what
        // a killed server has not yet written.
        return MariaServer.start("--idle-transaction-timeout=3", "--log-bin=binlog", "--sync-binlog=1");
    }

    @Override
    void letIdle(Connection connection) throws SQLException {
        Dialect.execute(connection, "SET SESSION idle_transaction_timeout = 600");
    }

    @Override
    String onlyReading() {
        return "SET SESSION TRANSACTION READ ONLY";
    }

    @Override
    void readOnly(HikariDataSource connections, boolean isReadOnly) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server().url())) {
            Dialect.execute(connection, "SET GLOBAL tx_read_only = " + isReadOnly);
        }
        // Only connections that are made from now on go by it. A pool knows nothing of the one that it is making at
        // this
        // moment, and would keep it for long: so the server ends all that are older.
        try (Connection younger = DriverManager.getConnection(server().url())) {
            await().until(() -> endOlder(younger) == 0);
        }
        connections.getHikariPoolMXBean().softEvictConnections();
    }

    private static int endOlder(Connection connection) throws SQLException {
        List<Long> older = new ArrayList<>();
        try (var select = connection.prepareStatement("SELECT id FROM information_schema.processlist"
                        + " WHERE id < CONNECTION_ID() AND command <> 'Daemon'");
                var rows = select.executeQuery()) {
            while (rows.next()) {
                older.add(rows.getLong(1));
            }
        }
        for (long id : older) {
            try {
                Dialect.execute(connection, "KILL CONNECTION " + id);
            } catch (SQLException failure) {
                assertThat(failure.getErrorCode()).as(failure.toString()).isEqualTo(NO_SUCH_THREAD);
            }
        }
        return older.size();
    }
}
