package dev.fanfare.redis;

import dev.fanfare.spi.Store;
import dev.fanfare.testkit.BusContract;
import dev.fanfare.testkit.ChannelLogContract;
import dev.fanfare.testkit.LatestValuesContract;
import dev.fanfare.testkit.PresenceStoreContract;
import dev.fanfare.testkit.StoreFixture;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestInstance;

/**
 * The Redis store keeps the contract of all stores, on real servers. All that expires does so by the time that the scripts
 * see, which is the servers', shifted here; that Redis itself forgets it some time later is shown elsewhere.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class RedisStoreContract {

    private RedisStore oneNode;
    private RedisStore anotherNode;
    private Duration passed = Duration.ZERO;

    /** Starts what the stores are on, and returns the URI of it. */
    abstract String startServers();

    abstract void stopServers();

    /** Tells whether channels can be watched by pattern. */
    boolean areWatchedByPattern() {
        return true;
    }

    /** Has the bus fail, where that is simple to do; else returns false. */
    boolean interruptBus() {
        return false;
    }

    @BeforeAll
    void start() {
        String uri = startServers();
        oneNode = RedisStore.of(uri);
        anotherNode = RedisStore.of(uri);
    }

    @AfterAll
    void stop() {
        oneNode.close();
        anotherNode.close();
        stopServers();
    }

    private synchronized void passAll(Duration duration) {
        passed = passed.plus(duration);
        oneNode.shiftTime(passed).toCompletableFuture().join();
        anotherNode.shiftTime(passed).toCompletableFuture().join();
    }

    /** The first to ask is one node, all others are the other one. */
    private final class Fixture implements StoreFixture {
        private boolean isFirst = true;

        @Override
        public Store store() {
            Store store = isFirst ? oneNode : anotherNode;
            isFirst = false;
            return store;
        }

        @Override
        public void pass(Duration duration) {
            passAll(duration);
        }

        @Override
        public boolean hasPatterns() {
            return areWatchedByPattern();
        }

        @Override
        public Duration unit() {
            return Duration.ofSeconds(10);
        }

        @Override
        public boolean interruptBus() {
            return RedisStoreContract.this.interruptBus();
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
    class Latest extends LatestValuesContract {
        Latest() {
            super(new Fixture());
        }
    }
}
