package dev.fanfare.redis;

import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.Store;
import dev.fanfare.testkit.ControlBusContract;
import dev.fanfare.testkit.StoreFixture;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The control bus keeps the contract of all stores; time really passes, as nodes renew themselves by their own. */
class RedisControlTest extends ControlBusContract {

    private static RedisServer server;
    private static RedisStore oneNode;
    private static RedisStore anotherNode;

    RedisControlTest() {
        super(new Fixture());
    }

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
    }
}
