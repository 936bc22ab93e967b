package dev.fanfare.redis;

import dev.fanfare.spi.Store;
import dev.fanfare.testkit.ControlBusContract;
import dev.fanfare.testkit.StoreFixture;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestInstance;

/** The control bus keeps the contract of all stores; time really passes, as nodes renew themselves by their own. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class RedisControlContract {

    private RedisStore oneNode;
    private RedisStore anotherNode;

    /** Starts what the stores are on, and returns the URI of it. */
    abstract String startServers();

    abstract void stopServers();

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
            try {
                Thread.sleep(duration.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Nested
    class Control extends ControlBusContract {
        Control() {
            super(new Fixture());
        }
    }
}
