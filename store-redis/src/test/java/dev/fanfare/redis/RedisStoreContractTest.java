package dev.fanfare.redis;

import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.Store;
import dev.fanfare.testkit.BusContract;
import dev.fanfare.testkit.ChannelLogContract;
import dev.fanfare.testkit.LatestValuesContract;
import dev.fanfare.testkit.PresenceStoreContract;
import dev.fanfare.testkit.StoreFixture;
import io.lettuce.core.KillArgs;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/**
 * The Redis store keeps the contract of all stores, on a real server. All that expires does so by the time that the
 * scripts see, which is the server's, shifted here; that Redis itself forgets it some time later is shown elsewhere.
 */
class RedisStoreContractTest {

    private static RedisServer server;
    private static RedisStore oneNode;
    private static RedisStore anotherNode;
    private static Duration passed = Duration.ZERO;

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

    private static synchronized void pass(Duration duration) {
        passed = passed.plus(duration);
        oneNode.shiftTime(passed).toCompletableFuture().join();
        anotherNode.shiftTime(passed).toCompletableFuture().join();
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
            RedisStoreContractTest.pass(duration);
        }

        @Override
        public Duration unit() {
            return Duration.ofSeconds(10);
        }

        @Override
        public boolean interruptBus() {
            TwoNodes.admin(server.uri(), redis -> redis.clientKill(KillArgs.Builder.typePubsub()));
            return true;
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
