package dev.fanfare.jdbc;

import dev.fanfare.testkit.BusContract;
import dev.fanfare.testkit.ChannelLogContract;
import dev.fanfare.testkit.ControlBusContract;
import dev.fanfare.testkit.LatestValuesContract;
import dev.fanfare.testkit.PresenceStoreContract;
import javax.sql.DataSource;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The contract of all stores, and what the outbox promises, on one database; one class at a time, as they move clocks. */
@Execution(ExecutionMode.SAME_THREAD)
abstract class StoreCases {

    private final DataSource dataSource;

    StoreCases(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** Has the bus fail, where the database can be made to; else returns false. */
    boolean interruptBus() {
        return false;
    }

    private JdbcFixture fixture() {
        return new JdbcFixture(dataSource) {
            @Override
            public boolean interruptBus() {
                return StoreCases.this.interruptBus();
            }
        };
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
            super(dataSource);
        }
    }

    @Nested
    class DyingSequencers extends SequencerFaultCases {
        DyingSequencers() {
            super(dataSource);
        }
    }

    @Nested
    class StateAndPosition extends SnapshotCases {
        StateAndPosition() {
            super(dataSource);
        }
    }

    @Nested
    class TwoNodes extends ClusterCases {
        TwoNodes() {
            super(dataSource);
        }
    }

    @Nested
    class UnreadableRows extends UnreadableRowCases {
        UnreadableRows() {
            super(dataSource);
        }
    }

    @Nested
    class Conflicts extends ConflictCases {
        Conflicts() {
            super(dataSource);
        }
    }
}
