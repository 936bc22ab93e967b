package dev.fanfare.examples.nodes;

import static dev.fanfare.examples.nodes.Cluster.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.StartAt;
import dev.fanfare.redis.RedisStore;
import dev.fanfare.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Nodes in processes of their own, over a real Redis, die, stand still and are replaced, under load. Readers are clients on
 * WebSockets that are sent elsewhere; what they saw is judged from their own logs. Leases are short, so that a node need not
 * stand still for long; with {@code -Dfanfare.lease.seconds=15}, the default, it does for twenty seconds.
 */
@Timeout(180)
class NodeFaultsIT {

    private static final int READERS = 24;
    private static final int PER_SECOND = 100;
    private static final int NODES = 3;
    /** Long enough for the lease and the grace of a node's members to be over. */
    private static final Duration STANDSTILL = ClusterNode.LEASE.plusSeconds(5);

    /** As the test before left them; {@link #start} replaces those that are gone. */
    private static final List<NodeProcess> RUNNING = new ArrayList<>();

    private static RedisServer redis;

    private final ChannelId channel = ChannelId.of("chat:" + System.nanoTime());
    private Cluster cluster;
    private RedisStore store;
    private Fanfare observer;
    private final Observed observed = new Observed();

    @BeforeAll
    static void startRedis() {
        redis = RedisServer.start();
    }

    @AfterAll
    static void stopRedis() {
        RUNNING.forEach(NodeProcess::close);
        RUNNING.clear(); // a test that is run again has a Redis of its own
        redis.close();
    }

    @BeforeEach
    void start() {
        RUNNING.addAll(Cluster.start(redis.uri(), NODES - RUNNING.size()));
        cluster = new Cluster(RUNNING);
        store = RedisStore.of(redis.uri());
        observer = ClusterNode.fanfare(store);
        observer.subscribe(channel, StartAt.live(), observed)
                .ready()
                .toCompletableFuture()
                .join();
        for (int i = 0; i < READERS; i++) {
            cluster.read("user" + i, channel, cluster.nodes.get(i % NODES));
        }
        cluster.awaitReaders();
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(observed.events)
                        .containsExactlyInAnyOrderElementsOf(IntStream.range(0, READERS)
                                .mapToObj(i -> "JOIN user" + i)
                                .toList()));
    }

    @AfterEach
    void stop() {
        cluster.close();
        observer.close();
        store.close();
    }

    private List<String> present() {
        return observer.presence(channel).toCompletableFuture().join().members().stream()
                .map(member -> member.user())
                .distinct()
                .toList();
    }

    private void assertNobodyWasReset() {
        assertThat(cluster.readers)
                .allSatisfy(reader -> assertThat(reader.resets()).isZero());
    }

    /** Lets all go. Whoever joined has then left, each in turn, also if an old connection was found to be closed late. */
    private void assertThatAllLeaveOnce(int count) {
        assertThat(observed.present()).hasSize(count);
        cluster.readers.forEach(WireReader::close);
        await().atMost(PATIENCE).until(() -> observed.present().isEmpty());
        assertThat(present()).isEmpty();
    }

    @Test
    void aNodeThatIsKilledLosesNothingAndWhoComesBackInTimeNeverLeft() {
        NodeProcess victim = cluster.nodes.get(0);
        WireReader gone = cluster.readers.remove(0);
        try (Cluster.Traffic traffic = cluster.traffic(channel, PER_SECOND)) {
            traffic.more(50);
            gone.close();
            cluster.nodes.remove(victim);
            RUNNING.remove(victim);
            victim.close();
            await().atMost(PATIENCE)
                    .until(() -> Stream.iterate(2, i -> i < READERS - 1, i -> i + 3)
                            .allMatch(i -> cluster.readers.get(i).subscribed() == 2));
            traffic.more(50);
        }
        cluster.settle(channel);

        assertNobodyWasReset();
        await().atMost(PATIENCE).until(() -> observed.events.size() == READERS + 1);
        assertThat(observed.events).endsWith("LEAVE user0");
        assertThat(present()).hasSize(READERS - 1).doesNotContain("user0");
        assertThat(cluster.nodes).allMatch(NodeProcess::isReady);
        assertThatAllLeaveOnce(READERS - 1);
    }

    @Test
    void aNodeThatStandsStillAndGoesOnClaimsNothingThatIsOver() {
        NodeProcess zombie = cluster.nodes.get(0);
        WireReader moving = cluster.readers.get(0);
        try (Cluster.Traffic traffic = cluster.traffic(channel, PER_SECOND)) {
            traffic.more(50);
            cluster.nodes.remove(zombie);
            zombie.stop();
            long stopped = System.nanoTime();
            moving.move();
            await().atMost(PATIENCE).until(() -> moving.subscribed() == 2);

            // All who are only there are taken to have left, once.
            List<String> left = Stream.iterate(3, i -> i < READERS, i -> i + 3)
                    .map(i -> "LEAVE user" + i)
                    .toList();
            await().atMost(PATIENCE).until(() -> observed.events.size() == READERS + left.size());
            assertThat(observed.events.subList(READERS, READERS + left.size()))
                    .containsExactlyInAnyOrderElementsOf(left);
            assertThat(present()).hasSize(READERS - left.size()).contains("user0");

            await().atMost(PATIENCE).until(() -> System.nanoTime() - stopped >= STANDSTILL.toNanos());
            assertThat(observed.events).as("meanwhile").hasSize(READERS + left.size());
            zombie.goOn();
            await().atMost(PATIENCE).until(() -> observed.events.size() == READERS + 2 * left.size());
            assertThat(observed.events.subList(READERS + left.size(), READERS + 2 * left.size()))
                    .containsExactlyInAnyOrderElementsOf(left.stream()
                            .map(event -> event.replace("LEAVE", "JOIN"))
                            .toList());
            traffic.more(50);
        }
        cluster.nodes.add(zombie);
        cluster.settle(channel);

        assertNobodyWasReset();
        assertThat(present()).hasSize(READERS);
        await().atMost(PATIENCE).until(zombie::isReady);
        assertThatAllLeaveOnce(READERS);
    }

    @Test
    void aRollingRestartUnderLoadIsNoticedByNobody() {
        List<NodeProcess> fresh = Cluster.start(redis.uri(), NODES);
        try (Cluster.Traffic traffic = cluster.traffic(channel, PER_SECOND)) {
            for (int i = 0; i < NODES; i++) {
                NodeProcess old = RUNNING.set(i, fresh.get(i));
                cluster.nodes.add(fresh.get(i));
                cluster.nodes.remove(old);
                traffic.more(20);
                old.drain(Duration.ofMillis(500));
                traffic.more(20);
            }
        }
        cluster.settle(channel);

        assertNobodyWasReset();
        assertThat(cluster.readers)
                .allSatisfy(reader -> assertThat(reader.subscribed()).isGreaterThan(1));
        assertThat(cluster.failedPublishes()).isZero();
        assertThat(observed.events).as("joins and leaves").hasSize(READERS);
        assertThat(present()).hasSize(READERS);
        assertThatAllLeaveOnce(READERS);
    }
}
