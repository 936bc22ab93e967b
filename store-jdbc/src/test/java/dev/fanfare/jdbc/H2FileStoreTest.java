package dev.fanfare.jdbc;

import dev.fanfare.testkit.BusContract;
import dev.fanfare.testkit.ChannelLogContract;
import dev.fanfare.testkit.ControlBusContract;
import dev.fanfare.testkit.LatestValuesContract;
import dev.fanfare.testkit.PresenceStoreContract;
import org.junit.jupiter.api.Nested;

/** The store on H2 in a file keeps the contract of all stores. */
class H2FileStoreTest {

    private static JdbcFixture fixture() {
        return new JdbcFixture(Databases.h2File());
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
            super(Databases.h2File());
        }
    }
}
