package dev.fanfare.redis;

import dev.fanfare.spi.Store;
import dev.fanfare.testkit.BusContract;
import dev.fanfare.testkit.ChannelLogContract;
import dev.fanfare.testkit.ControlBusContract;
import dev.fanfare.testkit.LatestValuesContract;
import dev.fanfare.testkit.PresenceStoreContract;
import dev.fanfare.testkit.StoreFixture;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The Redis store keeps the contract of all stores, on a real server. Time is Redis's own and really passes, in units of
 * a tenth of a second.
 */
class RedisStoreContractTest {

    private static RedisServer server;
    private static RedisStore oneNode;
    private static RedisStore anotherNode;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
        oneNode = RedisStore.of(server.uri());
        anotherNode = RedisStore.of(server.uri());
    }

    @AfterAll
    static void stop() {
        oneNode.close();
        anotherNode.close();
        server.close();
    }

    /** The first to ask is one node, all others are the other one. */
    private static final class Fixture implements StoreFixture {
        private boolean isFirst = true;

        @Override
        public Store store() {
            Store store = isFirst ? oneNode : anotherNode;
            isFirst = false;
            return store;
        }

        @Override
        public void pass(Duration duration) {
            try {
                Thread.sleep(duration.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public Duration unit() {
            return Duration.ofMillis(Integer.getInteger("fanfare.redis.unit", 100));
        }
    }

    @Nested
    @Execution(ExecutionMode.CONCURRENT)
    class Log extends ChannelLogContract {
        Log() {
            super(new Fixture());
        }
    }

    @Nested
    @Execution(ExecutionMode.CONCURRENT)
    class Bus extends BusContract {
        Bus() {
            super(new Fixture());
        }
    }

    @Nested
    @Execution(ExecutionMode.CONCURRENT)
    class Presence extends PresenceStoreContract {
        Presence() {
            super(new Fixture());
        }
    }

    @Nested
    @Execution(ExecutionMode.CONCURRENT)
    class Control extends ControlBusContract {
        Control() {
            super(new Fixture());
        }
    }

    @Nested
    @Execution(ExecutionMode.CONCURRENT)
    class Latest extends LatestValuesContract {
        Latest() {
            super(new Fixture());
        }
    }
}
