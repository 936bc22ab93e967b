package dev.fanfare.examples.nodes;

import static dev.fanfare.examples.nodes.Cluster.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.servers.RedisServer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A node that cannot reach Redis, while its clients can reach it. */
@Timeout(180)
class PartitionIT {

    private static final ChannelId CHANNEL = ChannelId.of("feed:news");

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
                        namespace.address())) {
            for (int i = 0; i < 10; i++) {
                cluster.read("", CHANNEL, i % 2 == 0 ? apart : whole);
            }
            cluster.awaitReaders();
            try (Cluster.Traffic traffic = cluster.traffic(CHANNEL, 100)) {
                traffic.more(50);
                namespace.cut();
                await().atMost(PATIENCE).until(apart::isRed);
                traffic.more(100);
                assertThat(whole.isReady()).isTrue();
                namespace.heal();
                await().atMost(PATIENCE).until(apart::isReady);
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
