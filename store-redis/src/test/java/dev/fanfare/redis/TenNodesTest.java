package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.CHANNEL;
import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static dev.fanfare.redis.TwoNodes.admin;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.Subscriber;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.testkit.HistoryChecker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Ten nodes, one channel, a thousand readers, a hundred publications a second. */
class TenNodesTest {

    private static final int NODES = 10;
    private static final int NODES_WITH_READERS = 8;
    private static final int READERS_OF_EACH = 125;
    private static final int PUBLICATIONS = 100 * Integer.getInteger("fanfare.stress.iterations", 1);
    private static final Duration BETWEEN = Duration.ofMillis(10);

    private final HistoryChecker checker = new HistoryChecker();
    private final List<RedisStore> stores = new ArrayList<>();
    private final List<Fanfare> nodes = new ArrayList<>();
    private final List<Reader> readers = new ArrayList<>();

    @Test
    void everyReaderGetsEverythingInOrderForOneAnnouncementPerNodeWithReaders() {
        checker.payloadsAreUnique();
        try (RedisServer server = RedisServer.start()) {
            try {
                start(server);
                String busChannel = busChannel(server);
                admin(server.uri(), redis -> redis.configResetstat());
                double perSecond = publish();
                await().atMost(PATIENCE)
                        .until(() -> readers.stream().allMatch(reader -> reader.count.get() >= PUBLICATIONS));

                readers.forEach(reader -> reader.client.claimsEverything());
                checker.assertHolds();
                assertThat(readers)
                        .allSatisfy(reader -> assertThat(reader.count).hasValue(PUBLICATIONS));
                admin(server.uri(), redis -> {
                    assertThat(redis.pubsubNumsub(busChannel)).containsEntry(busChannel, (long) NODES_WITH_READERS);
                    long announcements = CommandStats.of(redis).calls("publish");
                    assertThat(announcements).isEqualTo(PUBLICATIONS);
                    System.out.printf(
                            "%d publications at %.1f/s to %d readers: complete; announced %d times, each heard by %d of %d nodes%n",
                            PUBLICATIONS, perSecond, readers.size(), announcements, NODES_WITH_READERS, NODES);
                });
            } finally {
                nodes.forEach(Fanfare::close);
                stores.forEach(RedisStore::close);
            }
        }
    }

    private void start(RedisServer server) {
        for (int i = 0; i < NODES; i++) {
            RedisStore store = RedisStore.builder(server.uri())
                    .probePause(Duration.ofMinutes(1))
                    .build();
            stores.add(store);
            nodes.add(Fanfare.builder()
                    .store(store)
                    .namespace("chat", rules -> rules.retain(20_000, Duration.ofHours(1)))
                    .build());
        }
        for (int i = 0; i < NODES_WITH_READERS * READERS_OF_EACH; i++) {
            Reader reader = new Reader(checker.client("reader " + i, CHANNEL));
            readers.add(reader);
            nodes.get(i % NODES_WITH_READERS)
                    .subscribe(CHANNEL, StartAt.live(), reader)
                    .ready()
                    .toCompletableFuture()
                    .join();
        }
    }

    /** Publishes at a steady pace; returns how many it was a second. */
    private double publish() {
        long begun = System.nanoTime();
        for (int i = 0; i < PUBLICATIONS; i++) {
            Payload data = Payload.of("p" + i);
            PublishResult result = nodes.get(i % NODES)
                    .publish(CHANNEL, data, PublishOptions.none())
                    .toCompletableFuture()
                    .join();
            checker.published(CHANNEL, data, result);
            long due = begun + (i + 1) * BETWEEN.toNanos();
            await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1)).until(() -> System.nanoTime() >= due);
        }
        return PUBLICATIONS / ((System.nanoTime() - begun) / 1e9);
    }

    /** Returns the one pub/sub channel that is about the channel. */
    private static String busChannel(RedisServer server) {
        List<String> found = new ArrayList<>();
        admin(server.uri(), redis -> redis.pubsubChannels("*lobby*").forEach(found::add));
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private static final class Reader implements Subscriber {
        final HistoryChecker.Client client;
        final AtomicInteger count = new AtomicInteger();

        Reader(HistoryChecker.Client client) {
            this.client = client;
        }

        @Override
        public void onReady(Resume resume) {
            client.resumed(resume);
        }

        @Override
        public void onReset(Resume.Reset reset) {
            client.resumed(reset);
        }

        @Override
        public void onPublication(Publication publication) {
            client.received(publication);
            count.incrementAndGet();
        }
    }
}
