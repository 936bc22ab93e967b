package dev.fanfare.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** A real PostgreSQL keeps what stores promise. */
class PostgresStoreTest extends StoreCases {

    PostgresStoreTest() {
        super(Databases.postgres());
    }

    /** Ends the connections on which nodes listen and read what others told. */
    @Override
    boolean interruptBus() {
        try (Connection connection = Databases.postgres().getConnection();
                Statement statement = connection.createStatement()) {
            return statement.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT seq, sender%'");
        } catch (SQLException e) {
            throw new AssertionError("They cannot be ended", e);
        }
    }
}
