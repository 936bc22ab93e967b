package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.CHANNEL;
import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Fanfare;
import dev.fanfare.StartAt;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import dev.fanfare.testkit.HistoryChecker;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The log lives elsewhere, as in a database; Redis only announces. */
class RedisBusOnlyTest {

    /** The log of one store with the bus of another. */
    private record Mixed(Store durable, Store quick) implements Store {
        @Override
        public ChannelLog log() {
            return durable.log();
        }

        @Override
        public Bus bus() {
            return quick.bus();
        }

        @Override
        public PresenceStore presence() {
            return durable.presence();
        }

        @Override
        public ControlBus control() {
            return durable.control();
        }

        @Override
        public LatestValues latestValues() {
            return durable.latestValues();
        }
    }

    private static Fanfare fanfare(Store store) {
        return Fanfare.builder()
                .store(store)
                .namespace("chat", rules -> rules.retain(1_000, Duration.ofHours(1)))
                .build();
    }

    private static void publish(Fanfare fanfare, String text) {
        assertThat(fanfare.publish("chat:lobby", text)
                        .toCompletableFuture()
                        .join()
                        .isAccepted())
                .isTrue();
    }

    @Test
    void subscribersAreServedFromTheLogWhileRedisIsAway() {
        MemoryStore durable = MemoryStore.create();
        HistoryChecker checker = new HistoryChecker();
        RecordingSubscriber early = new RecordingSubscriber(checker.client("early", CHANNEL));
        RecordingSubscriber late = new RecordingSubscriber(checker.client("late", CHANNEL));
        try (RedisServer server = RedisServer.start();
                RedisStore busA = RedisStore.of(server.uri());
                RedisStore busB = RedisStore.of(server.uri());
                Fanfare a = fanfare(new Mixed(durable, busA));
                Fanfare b = fanfare(new Mixed(durable, busB))) {
            b.subscribe(CHANNEL, StartAt.live(), early);
            early.awaitReady();
            publish(a, "one");
            early.assertNext("one");

            server.kill();
            await().atMost(PATIENCE).until(() -> !busB.state().hasBus());
            publish(a, "two");
            early.assertNext("two");
            a.subscribe(CHANNEL, StartAt.live(), late);
            late.awaitReady();
            publish(b, "three");
            early.assertNext("three");
            late.assertNext("three");

            server.run();
            await().atMost(PATIENCE)
                    .until(() -> busA.state().isGood() && busB.state().isGood());
            publish(a, "four");
            early.assertNext("four");
            late.assertNext("four");
            checker.assertHolds();
        }
    }
}
