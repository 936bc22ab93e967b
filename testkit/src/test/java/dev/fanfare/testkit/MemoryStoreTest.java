package dev.fanfare.testkit;

import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.Store;
import java.time.Duration;
import org.junit.jupiter.api.Nested;

/** The memory store keeps the contract of all stores. */
class MemoryStoreTest {

    private static final class Fixture implements StoreFixture {
        private final ManualTime time = new ManualTime();
        private final Store store = MemoryStore.create(time);

        @Override
        public Store store() {
            return store;
        }

        @Override
        public void pass(Duration duration) {
            time.advance(duration);
        }
    }

    @Nested
    class Log extends ChannelLogContract {
        Log() {
            super(new Fixture());
        }
    }

    @Nested
    class Bus extends BusContract {
        Bus() {
            super(new Fixture());
        }
    }

    @Nested
    class Presence extends PresenceStoreContract {
        Presence() {
            super(new Fixture());
        }
    }

    @Nested
    class Control extends ControlBusContract {
        Control() {
            super(new Fixture());
        }
    }

    @Nested
    class Latest extends LatestValuesContract {
        Latest() {
            super(new Fixture());
        }
    }
}
