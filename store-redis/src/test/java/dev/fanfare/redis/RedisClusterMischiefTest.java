package dev.fanfare.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.servers.MischiefProxy;
import dev.fanfare.servers.RedisCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What clients see of a Redis Cluster to all of whose servers the way loses, repeats, delays and reorders announcements. */
class RedisClusterMischiefTest {

    private static final int SERVERS = 3;
    private static final long SEED = Long.getLong("fanfare.seed", System.nanoTime());

    private static final List<MischiefProxy> ways = new ArrayList<>();
    private static RedisCluster cluster;

    @BeforeAll
    static void start() {
        cluster = RedisCluster.start();
        for (int i = 0; i < SERVERS; i++) {
            MischiefProxy way = new MischiefProxy(cluster.server(i).port(), "fanfare:1:b:", SEED + i);
            ways.add(way);
            cluster.announce(i, way.port());
        }
    }

    @AfterAll
    static void stop() {
        ways.forEach(MischiefProxy::close);
        cluster.close();
    }

    @Test
    void announcementsMayBeLostRepeatedDelayedAndOutOfOrder() {
        String uri = ways.stream()
                .map(way -> "127.0.0.1:" + way.port())
                .collect(Collectors.joining(",", "redis-cluster://", ""));
        try (TwoNodes nodes = new TwoNodes(uri)) {
            nodes.checker.payloadsAreUnique();
            nodes.publish(500);
            nodes.settle();

            assertThat(sum(MischiefProxy::lost)).as("lost, seed %s", SEED).isPositive();
            assertThat(sum(MischiefProxy::repeated))
                    .as("repeated, seed %s", SEED)
                    .isPositive();
            assertThat(sum(MischiefProxy::overtaken))
                    .as("overtaken, seed %s", SEED)
                    .isPositive();
            assertThat(nodes.onA.resets).as("seed %s", SEED).isEmpty();
            assertThat(nodes.onB.resets).as("seed %s", SEED).isEmpty();
            assertThat(nodes.storeA.state().malformed()).isZero();
        }
    }

    private static int sum(ToIntFunction<MischiefProxy> count) {
        return ways.stream().mapToInt(count).sum();
    }
}
