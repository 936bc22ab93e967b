package dev.fanfare.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.servers.MysqlServer;
import dev.fanfare.servers.SqlServer;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.condition.EnabledIf;

/** Faults of a real MySQL; with the profile "mysql". */
@EnabledIf("dev.fanfare.servers.MysqlServer#isThere")
class MysqlFaultsTest extends FaultCases {

    @Override
    SqlServer startServer() {
        // What docs/JDBC.md says to set: otherwise a node that freezes holds its channels, and other nodes may see what
        // a killed server has not yet written.
        return MysqlServer.start("--wait-timeout=4", "--log-bin=binlog", "--sync-binlog=1");
    }

    @Override
    void letIdle(Connection connection) throws SQLException {
        Dialect.execute(connection, "SET SESSION wait_timeout = 600");
    }

    @Override
    String onlyReading() {
        return "SET SESSION TRANSACTION READ ONLY";
    }

    @Override
    void readOnly(HikariDataSource connections, boolean isReadOnly) throws SQLException {
        try (Connection connection = connections.getConnection()) {
            // As a server that has become a replica. The second ends both.
            Dialect.execute(connection, "SET GLOBAL " + (isReadOnly ? "super_read_only = ON" : "read_only = OFF"));
        }
    }
}
