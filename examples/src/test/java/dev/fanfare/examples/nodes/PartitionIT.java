package dev.fanfare.examples.nodes;

import static dev.fanfare.examples.nodes.Cluster.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.StartAt;
import dev.fanfare.redis.RedisStore;
import dev.fanfare.servers.RedisServer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A node that cannot reach Redis, while its clients can reach it. */
@Timeout(180)
class PartitionIT {

    private static final int READERS = 10;
    private static final ChannelId CHANNEL = ChannelId.of("chat:news");

    @Test
    void aNodeCutOffFromRedisSaysSoAndCatchesUpByItselfWhenItIsBack() {
        try (Namespace namespace = Namespace.open();
                RedisServer redis = RedisServer.start(
                        "--save", "", "--bind", "127.0.0.1", namespace.cuttableAddress(), "--protected-mode", "no");
                NodeProcess whole = NodeProcess.start(redis.uri());
                Cluster cluster = new Cluster(List.of(whole));
                NodeProcess apart = NodeProcess.start(
                        namespace.command(),
                        "redis://" + namespace.cuttableAddress() + ":" + redis.port(),
                        namespace.address());
                RedisStore store = RedisStore.of(redis.uri());
                Fanfare observer = ClusterNode.fanfare(store)) {
            Observed observed = new Observed();
            observer.subscribe(CHANNEL, StartAt.live(), observed)
                    .ready()
                    .toCompletableFuture()
                    .join();
            for (int i = 0; i < READERS; i++) {
                cluster.read("user" + i, CHANNEL, i % 2 == 0 ? apart : whole);
            }
            cluster.awaitReaders();
            await().atMost(PATIENCE).until(() -> observed.present().size() == READERS);
            try (Cluster.Traffic traffic = cluster.traffic(CHANNEL, 100)) {
                traffic.more(50);
                namespace.cut();
                await().atMost(PATIENCE).until(apart::isRed);
                traffic.more(100);
                assertThat(whole.isReady()).isTrue();
                await().atMost(PATIENCE).until(() -> observed.present().size() == READERS / 2);
                assertThat(observed.present())
                        .as("those elsewhere")
                        .contains("user1")
                        .doesNotContain("user0");
                namespace.heal();
                await().atMost(PATIENCE).until(apart::isReady);
                await().atMost(PATIENCE).until(() -> observed.present().size() == READERS);
                traffic.more(50);
            }
            cluster.settle(CHANNEL);

            assertThat(cluster.readers).allSatisfy(reader -> {
                assertThat(reader.resets()).isZero();
                assertThat(reader.subscribed()).as("nobody had to come back").isEqualTo(1);
            });
        }
    }
}
