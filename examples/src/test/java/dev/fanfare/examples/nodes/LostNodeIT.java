package dev.fanfare.examples.nodes;

import static dev.fanfare.examples.nodes.Cluster.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.servers.RedisServer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A node dies with all its connections, which resume on the others at once. More of them with {@code
 * -Dfanfare.crowd=5000}.
 */
@Timeout(300)
class LostNodeIT {

    private static final int CROWD = Integer.getInteger("fanfare.crowd", 300);
    private static final int CHANNELS = 10;
    private static final int MISSED = 20;

    @Test
    void allOfANodesConnectionsResumeOnTheOthersForAFewReadsOfTheLog() {
        List<ChannelId> channels = IntStream.range(0, CHANNELS)
                .mapToObj(i -> ChannelId.of("feed:" + i))
                .toList();
        try (RedisServer redis = RedisServer.start();
                NodeProcess victim = NodeProcess.start(redis.uri());
                NodeProcess second = NodeProcess.start(redis.uri());
                NodeProcess third = NodeProcess.start(redis.uri());
                Cluster cluster = new Cluster(List.of(second, third))) {
            for (int i = 0; i < CROWD; i++) {
                cluster.read("", channels.get(i % CHANNELS), victim);
            }
            cluster.awaitReaders();
            channels.forEach(cluster::publish);
            List<Long> before =
                    cluster.nodes.stream().map(NodeProcess::logReads).toList();

            long begun = System.nanoTime();
            victim.close();
            Map<ChannelId, String> last = new HashMap<>();
            for (int i = 0; i < MISSED; i++) {
                channels.forEach(channel -> last.put(channel, cluster.publish(channel)));
            }
            await().atMost(PATIENCE)
                    .until(() -> IntStream.range(0, CROWD)
                            .allMatch(i -> cluster.readers.get(i).last().equals(last.get(channels.get(i % CHANNELS)))));
            long millis = (System.nanoTime() - begun) / 1_000_000;

            cluster.claimEverything();
            cluster.checker.assertHolds();
            assertThat(cluster.readers)
                    .allSatisfy(reader -> assertThat(reader.resets()).isZero());
            for (int i = 0; i < cluster.nodes.size(); i++) {
                long reads = cluster.nodes.get(i).logReads() - before.get(i);
                System.out.printf(
                        "%d readers of %d channels back and complete after %d ms; node %d read the log %d times%n",
                        CROWD, CHANNELS, millis, i, reads);
                assertThat(reads).as("reads of the log").isLessThanOrEqualTo(2L * CHANNELS);
            }
        }
    }
}
