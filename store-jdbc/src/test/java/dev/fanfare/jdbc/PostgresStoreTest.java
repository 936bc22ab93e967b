package dev.fanfare.jdbc;

import dev.fanfare.testkit.BusContract;
import dev.fanfare.testkit.ChannelLogContract;
import dev.fanfare.testkit.ControlBusContract;
import dev.fanfare.testkit.LatestValuesContract;
import dev.fanfare.testkit.PresenceStoreContract;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Nested;

/** The store on a real PostgreSQL keeps the contract of all stores. */
class PostgresStoreTest {

    private static JdbcFixture fixture() {
        return new JdbcFixture(Databases.postgres()) {
            @Override
            public boolean interruptBus() {
                terminateReadersOfTheBus();
                return true;
            }
        };
    }

    /** Ends the connections on which nodes listen and read what others told. */
    private static void terminateReadersOfTheBus() {
        try (Connection connection = Databases.postgres().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT seq, sender%'");
        } catch (SQLException e) {
            throw new AssertionError("They cannot be ended", e);
        }
    }

    @Nested
    class Log extends ChannelLogContract {
        Log() {
            super(fixture());
        }
    }

    @Nested
    class Bus extends BusContract {
        Bus() {
            super(fixture());
        }
    }

    @Nested
    class Presence extends PresenceStoreContract {
        Presence() {
            super(fixture());
        }
    }

    @Nested
    class Control extends ControlBusContract {
        Control() {
            super(fixture());
        }
    }

    @Nested
    class Latest extends LatestValuesContract {
        Latest() {
            super(fixture());
        }
    }

    @Nested
    class TransactionalPublish extends OutboxCases {
        TransactionalPublish() {
            super(Databases.postgres());
        }
    }
}
