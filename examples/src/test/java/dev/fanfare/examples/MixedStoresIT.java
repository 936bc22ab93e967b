package dev.fanfare.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.StartAt;
import dev.fanfare.jdbc.JdbcStore;
import dev.fanfare.redis.RedisStore;
import dev.fanfare.servers.PostgresServer;
import dev.fanfare.servers.Proxy;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.testkit.HistoryChecker;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** History in a real PostgreSQL, announcements through a real Redis: two nodes, each with stores of its own. */
class MixedStoresIT {

    private static final ChannelId LOBBY = ChannelId.of("chat:lobby");
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    /** One node: its own connection pool, its own connections to Redis. */
    private static final class Node implements AutoCloseable {
        final HikariDataSource pool;
        final JdbcStore jdbc;
        final RedisStore redis;
        final Fanfare fanfare;

        Node(PostgresServer postgres, String redisUri, boolean losesAnnouncements) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(postgres.url());
            config.setMaximumPoolSize(6);
            pool = new HikariDataSource(config);
            jdbc = JdbcStore.of(pool);
            jdbc.migrate();
            redis = RedisStore.builder(redisUri)
                    .probePause(Duration.ofSeconds(1))
                    .build();
            Bus bus = losesAnnouncements ? new Forgetful(redis.bus()) : redis.bus();
            fanfare = Fanfare.builder()
                    .log(jdbc.log())
                    .bus(bus)
                    .presence(redis.presence())
                    .control(redis.control())
                    .latestValues(redis.latestValues())
                    .namespace(
                            "chat",
                            rules -> rules.retain(10_000, Duration.ofDays(30)).presence())
                    .namespace("typing", rules -> rules)
                    .build();
        }

        RecordingSubscriber subscribe(HistoryChecker.Client client) {
            RecordingSubscriber subscriber = new RecordingSubscriber(client);
            fanfare.subscribe(LOBBY, StartAt.live(), subscriber);
            subscriber.awaitReady();
            return subscriber;
        }

        @Override
        public void close() {
            fanfare.close();
            redis.close();
            jdbc.close();
            pool.close();
        }
    }

    /** Announces only every third publication, as a Redis that loses the others. */
    private static final class Forgetful implements Bus {
        private final Bus bus;
        private final AtomicInteger count = new AtomicInteger();

        Forgetful(Bus bus) {
            this.bus = bus;
        }

        @Override
        public CompletionStage<Watch> watch(ChannelId channel, Watcher watcher) {
            return bus.watch(channel, watcher);
        }

        @Override
        public CompletionStage<Void> announce(Announcement announcement) {
            return count.incrementAndGet() % 3 == 0
                    ? bus.announce(announcement)
                    : CompletableFuture.completedFuture(null);
        }
    }

    private static PublishResult publish(Node node, HistoryChecker checker, String text) {
        PublishResult result = node.fanfare
                .publish(LOBBY, Payload.of(text), PublishOptions.dedupKey(text))
                .toCompletableFuture()
                .join();
        checker.published(LOBBY, Payload.of(text), result);
        assertThat(result).isInstanceOf(PublishResult.Stored.class);
        return result;
    }

    @Test
    void announcementsThatRedisLosesAreRepairedFromTheDatabase() {
        HistoryChecker checker = new HistoryChecker();
        try (PostgresServer postgres = PostgresServer.start("-c", "fsync=off");
                RedisServer server = RedisServer.start();
                Node a = new Node(postgres, server.uri(), true);
                Node b = new Node(postgres, server.uri(), false)) {
            RecordingSubscriber onA = a.subscribe(checker.client("a", LOBBY));
            RecordingSubscriber onB = b.subscribe(checker.client("b", LOBBY));
            for (int i = 1; i <= 90; i++) {
                publish(a, checker, "p" + i);
            }
            for (int i = 1; i <= 90; i++) {
                onA.assertNext("p" + i);
                onB.assertNext("p" + i);
            }
            checker.assertHolds();
        }
    }

    @Test
    void whileRedisIsDownPublishingAndReadingGoOn() {
        HistoryChecker checker = new HistoryChecker();
        try (PostgresServer postgres = PostgresServer.start("-c", "fsync=off");
                RedisServer server = RedisServer.start();
                Proxy proxy = new Proxy(server.port());
                Node a = new Node(postgres, proxy.uri(), false);
                Node b = new Node(postgres, server.uri(), false)) {
            RecordingSubscriber onA = a.subscribe(checker.client("a", LOBBY));
            RecordingSubscriber onB = b.subscribe(checker.client("b", LOBBY));
            publish(a, checker, "before");
            onA.assertNext("before");
            onB.assertNext("before");

            proxy.refuse(true);
            proxy.cut();
            publish(a, checker, "from the node that is cut off");
            onA.assertNext("from the node that is cut off");
            proxy.refuse(false);
            // Its own way to Redis was whole all the time: it looks because the other node, once back, tells it to.
            onB.assertNext("from the node that is cut off");
            server.kill();
            await().atMost(PATIENCE).until(() -> !a.fanfare.health().isUp());
            publish(b, checker, "without any Redis");
            onA.assertNext("without any Redis");
            onB.assertNext("without any Redis");
            assertThat(a.fanfare.publish("typing:lobby", "nobody keeps it").toCompletableFuture())
                    .succeedsWithin(PATIENCE)
                    .isInstanceOf(PublishResult.Sent.class);

            server.run();
            await().atMost(PATIENCE)
                    .until(() -> a.fanfare.health().isUp() && b.fanfare.health().isUp());
            publish(a, checker, "after");
            onA.assertNext("after");
            onB.assertNext("after");
            checker.assertHolds();
        }
    }

    @Test
    void aMixtureThatWouldBreakAPromiseIsRefused() {
        try (RedisServer server = RedisServer.start();
                RedisStore redis = RedisStore.of(server.uri())) {
            assertThatThrownBy(() -> Fanfare.builder().bus(redis.bus()).build())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("log and bus");
            assertThatThrownBy(() -> Fanfare.builder()
                            .log(redis.log())
                            .bus(redis.bus())
                            .namespace("chat", rules -> rules.presence())
                            .build())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("presence");
        }
    }
}
