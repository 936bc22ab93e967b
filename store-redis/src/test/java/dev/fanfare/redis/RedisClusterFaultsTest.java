package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.CHANNEL;
import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static dev.fanfare.redis.TwoNodes.admin;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.ResetReason;
import dev.fanfare.StartAt;
import dev.fanfare.StoreException;
import dev.fanfare.servers.RedisCluster;
import io.lettuce.core.cluster.SlotHash;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * What clients see while slots of a Redis Cluster move under load, and when a primary dies. All on one cluster, which takes
 * seconds to start; the channel begins at the primary that has a replica.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RedisClusterFaultsTest {

    private static final int SLOT = SlotHash.getSlot(new Keys("fanfare").bus(CHANNEL));

    private static RedisCluster cluster;
    private static int home;

    @BeforeAll
    static void start() {
        cluster = RedisCluster.startWithReplicaFor(SLOT);
        home = cluster.primaryOf(SLOT);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    @Order(1)
    void aStoreHasTwoConnectionsPerPrimaryHoweverManyChannels() {
        try (TwoNodes nodes = new TwoNodes(cluster.uri(), options -> options.clientName("shop"))) {
            for (int i = 0; i < 300; i++) {
                nodes.a
                        .subscribe(ChannelId.of("chat:room" + i), StartAt.live(), publication -> {})
                        .ready()
                        .toCompletableFuture()
                        .join();
            }
            nodes.publish(50);
            nodes.settle();

            IntStream.range(0, 3)
                    .forEach(i -> admin(
                            cluster.server(i).uri(),
                            redis -> assertThat(redis.clientList().lines().filter(line -> line.contains("name=shop ")))
                                    .hasSize(4)));
            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.storeA.state().isGood()).isTrue();
            assertThat(nodes.storeA.state().interruptions()).isZero();
        }
    }

    @Test
    @Order(2)
    void aSlotThatMovesUnderLoadIsFollowed() {
        int next = (home + 1) % 3;
        try (TwoNodes nodes = new TwoNodes(cluster.uri(), options -> options.epochsEndOnFailover(false))) {
            nodes.checker.payloadsAreUnique();
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                traffic.more(100);
                cluster.beginMove(SLOT, home, next);
                while (cluster.moveKeys(SLOT, home, next, 7)) {
                    // more
                }
                cluster.endMove(SLOT, home, next);
                traffic.more(100);
            }
            nodes.settle();

            assertThat(cluster.primaryOf(SLOT)).isEqualTo(next);
            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.onB.resets).isEmpty();
            await().atMost(PATIENCE)
                    .until(() -> nodes.a.health().isUp() && nodes.b.health().isUp());
        }
    }

    @Test
    @Order(3)
    void whatIsPublishedLastBeforeAMoveEndsArrives() {
        int from = (home + 1) % 3;
        try (TwoNodes nodes = new TwoNodes(cluster.uri(), options -> options.epochsEndOnFailover(false))) {
            nodes.publish(10);
            cluster.beginMove(SLOT, from, home);
            while (cluster.moveKeys(SLOT, from, home, 100)) {
                // more
            }
            // It goes where the slot goes to, and nobody hears it: the subscriptions are where the slot comes from.
            String last = nodes.publishWithoutDedupKey();
            cluster.endMove(SLOT, from, home);

            assertThat(nodes.onA.hasSoon(last)).isTrue();
            assertThat(nodes.onB.hasSoon(last)).isTrue();
            nodes.settle();
            assertThat(nodes.onA.resets).isEmpty();
        }
    }

    @Test
    @Order(4)
    void aKilledPrimaryIsReplacedByItsReplica() {
        try (TwoNodes nodes = new TwoNodes(cluster.uri())) {
            nodes.checker.payloadsAreUnique();
            nodes.publish(100);
            admin(
                    cluster.server(home).uri(),
                    redis -> await().atMost(PATIENCE).until(() -> redis.waitForReplication(1, 1000) == 1));

            cluster.server(home).kill();
            await().atMost(PATIENCE).until(() -> !nodes.a.health().isUp());
            nodes.publish(100);
            nodes.settle();

            assertThat(cluster.primaryOf(SLOT)).isEqualTo(3);
            assertThat(nodes.onA.resets).containsExactly(ResetReason.EPOCH);
            assertThat(nodes.onB.resets).containsExactly(ResetReason.EPOCH);
            await().atMost(PATIENCE)
                    .until(() -> nodes.a.health().isUp() && nodes.b.health().isUp());
        }
    }

    @Test
    @Order(5)
    void anAddressWhereNobodyIsIsSaidAtOnce() {
        assertThatThrownBy(() -> RedisStore.of(
                        "redis-cluster://127.0.0.1:" + cluster.server(home).port()))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("refused");
    }
}
