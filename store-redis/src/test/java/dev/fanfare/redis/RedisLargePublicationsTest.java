package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.CHANNEL;
import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.StartAt;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import io.lettuce.core.RedisClient;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Publications of 60 KiB are announced by reference, and read in pages that stay small. */
class RedisLargePublicationsTest {

    private static final int COUNT = 40;
    private static final String PADDING = "x".repeat(60 * 1024);

    @Test
    void theyAreAnnouncedByReferenceAndArriveInOrder() {
        Queue<Integer> announced = new ConcurrentLinkedQueue<>();
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri());
                RedisClient client = RedisClient.create(server.uri());
                StatefulRedisPubSubConnection<byte[], byte[]> listening =
                        client.connectPubSub(ByteArrayCodec.INSTANCE)) {
            listening.addListener(new RedisPubSubAdapter<>() {
                @Override
                public void message(byte[] name, byte[] bytes) {
                    announced.add(bytes.length);
                }
            });
            listening.sync().subscribe(new Keys("fanfare").bus(CHANNEL).getBytes());

            publishLargeOnes(nodes);

            await().atMost(PATIENCE).until(() -> nodes.onA.count() == COUNT && nodes.onB.count() == COUNT);
            nodes.settle();
            assertThat(nodes.onA.resets).isEmpty();
            await().atMost(PATIENCE).until(() -> announced.size() >= COUNT);
            assertThat(announced).allMatch(length -> length < 1000);
        }
    }

    @Test
    void aPageEndsBeforeItGetsLargeAndNothingIsLeftOut() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            publishLargeOnes(nodes);

            List<Long> read = new ArrayList<>();
            long after = 0;
            for (LogPage page = read(nodes, LogRead.after(CHANNEL, 0, 300));
                    !page.publications().isEmpty();
                    page = read(nodes, LogRead.after(CHANNEL, after, 300))) {
                assertThat(page.publications().stream()
                                .mapToInt(each -> each.data().size())
                                .sum())
                        .isLessThanOrEqualTo(1 << 20);
                page.publications().forEach(each -> read.add(each.offset()));
                after = read.get(read.size() - 1);
            }
            LogPage newest = read(nodes, LogRead.newest(CHANNEL, 300));

            assertThat(read).containsExactlyElementsOf(offsets(1));
            assertThat(newest.publications()).hasSizeBetween(10, COUNT - 1);
            assertThat(newest.publications().get(0).offset()).isEqualTo(COUNT);
        }
    }

    @Test
    void whoComesBackGetsAllThatWasMissed() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            publishLargeOnes(nodes);
            Publication first =
                    read(nodes, LogRead.after(CHANNEL, 0, 1)).publications().get(0);
            Cursor cursor = first.cursor();
            Queue<Long> received = new ConcurrentLinkedQueue<>();

            try (RedisStore store = RedisStore.of(server.uri());
                    Fanfare fresh = TwoNodes.fanfare(store)) {
                fresh.subscribe(CHANNEL, StartAt.after(cursor), publication -> received.add(publication.offset()));
                await().atMost(PATIENCE).until(() -> received.size() == COUNT - 1);
            }

            assertThat(received).containsExactlyElementsOf(offsets(2));
        }
    }

    private static void publishLargeOnes(TwoNodes nodes) {
        for (int i = 1; i <= COUNT; i++) {
            Payload payload = Payload.of(i + PADDING);
            nodes.checker.published(
                    CHANNEL,
                    payload,
                    nodes.a
                            .publish(CHANNEL, payload, PublishOptions.none())
                            .toCompletableFuture()
                            .join());
        }
    }

    private static LogPage read(TwoNodes nodes, LogRead read) {
        return nodes.storeA.log().read(read).toCompletableFuture().join();
    }

    private static List<Long> offsets(int first) {
        return IntStream.rangeClosed(first, COUNT).mapToObj(i -> (long) i).toList();
    }
}
