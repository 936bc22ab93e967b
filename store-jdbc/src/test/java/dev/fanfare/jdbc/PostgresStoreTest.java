package dev.fanfare.jdbc;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** A real PostgreSQL keeps what stores promise. */
class PostgresStoreTest extends StoreCases {

    PostgresStoreTest() {
        super(Databases.postgres());
    }

    @Override
    boolean interruptBus() {
        return endListeners();
    }

    /** Ends the connections on which nodes listen and read what others told; returns whether there are any. */
    static boolean endListeners() {
        try (Connection connection = Databases.postgres().getConnection();
                Statement statement = connection.createStatement();
                ResultSet ended = statement.executeQuery(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT seq, sender%'")) {
            return ended.next();
        } catch (SQLException e) {
            throw new AssertionError("They cannot be ended", e);
        }
    }
}
