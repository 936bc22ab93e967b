package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.CHANNEL;
import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static dev.fanfare.redis.TwoNodes.admin;
import static dev.fanfare.redis.TwoNodes.resume;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Cursor;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.servers.Proxy;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.ChannelLog.LogRead;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import org.junit.jupiter.api.Test;

/**
 * A replica that had not got everything is promoted. Nobody may be told to have everything who has not, whether the
 * client knows tags or not.
 */
class RedisFailoverTest {

    /** A primary and its replica; replication goes through one proxy, clients through another. */
    private static final class Pair implements AutoCloseable {
        final RedisServer first = RedisServer.start();
        final RedisServer second = RedisServer.start();
        final Proxy replication = new Proxy(first.port());
        final Proxy address = new Proxy(first.port());

        Pair() {
            admin(second.uri(), redis -> redis.replicaof("127.0.0.1", replication.port()));
            awaitReplica();
        }

        /** Waits until the replica has everything. */
        void awaitReplica() {
            admin(first.uri(), redis -> await().atMost(PATIENCE).until(() -> redis.waitForReplication(1, 1000) == 1));
        }

        /** The primary dies, which the nodes say; the replica takes its place, with what it has. */
        void failOver(TwoNodes nodes) {
            first.kill();
            nodes.awaitRed();
            admin(second.uri(), redis -> redis.replicaofNoOne());
            lead(second);
        }

        void lead(RedisServer server) {
            address.leadTo(server.port());
            address.cut();
        }

        @Override
        public void close() {
            address.close();
            replication.close();
            first.close();
            second.close();
        }
    }

    @Test
    void promotingAStaleReplicaEndsTheEpoch() {
        try (Pair pair = new Pair();
                TwoNodes nodes = new TwoNodes(pair.address.uri())) {
            nodes.publish(20);
            pair.awaitReplica();
            pair.replication.freeze();
            nodes.publish(10);
            Cursor before = seenByAll(nodes, 30);

            pair.failOver(nodes);
            nodes.assertNobodyGoesOn(before);
            nodes.publish(15);
            nodes.settle();

            assertThat(nodes.onA.resets).containsExactly(ResetReason.EPOCH);
            assertThat(nodes.onB.resets).containsExactly(ResetReason.EPOCH);
            nodes.assertOver(before);
            nodes.awaitGreen();
            assertThat(nodes.storeA.state().failovers()).isEqualTo(1);
        }
    }

    @Test
    void whatWasKeptCanStillBeReadAfterAFailover() {
        try (Pair pair = new Pair();
                TwoNodes nodes = new TwoNodes(pair.address.uri())) {
            nodes.publish(20);
            pair.awaitReplica();

            pair.failOver(nodes);
            nodes.publish(1);

            await().atMost(PATIENCE)
                    .ignoreExceptions()
                    .untilAsserted(() -> assertThat(nodes.storeB
                                    .log()
                                    .read(LogRead.after(CHANNEL, 0, 100))
                                    .toCompletableFuture()
                                    .join()
                                    .publications())
                            .hasSize(21));
        }
    }

    @Test
    void tagsAloneFindOutWhoHasWhatIsGone() {
        try (Pair pair = new Pair();
                TwoNodes nodes = new TwoNodes(pair.address.uri(), options -> options.epochsEndOnFailover(false))) {
            nodes.publish(20);
            Cursor kept = seenByAll(nodes, 20);
            pair.awaitReplica();
            pair.replication.freeze();
            nodes.publish(10);
            Cursor gone = seenByAll(nodes, 30);

            pair.failOver(nodes);
            nodes.checker.lost(CHANNEL, 20);
            nodes.publish(15);
            nodes.settle();

            assertThat(nodes.onA.resets).containsExactly(ResetReason.DIVERGED);
            assertThat(nodes.onB.resets).containsExactly(ResetReason.DIVERGED);
            assertThat(resume(nodes.a, gone)).isInstanceOf(Resume.Reset.class);
            assertThat(resume(nodes.b, kept)).isInstanceOf(Resume.Continued.class);
        }
    }

    @Test
    void theFormerPrimaryIsAnotherHistoryWhenItComesBack() {
        try (Pair pair = new Pair();
                TwoNodes nodes = new TwoNodes(pair.address.uri())) {
            nodes.publish(5);
            Cursor first = seenByAll(nodes, 5);
            pair.awaitReplica();

            // The former primary stays up, with all scripts loaded, and follows the new one for a while.
            admin(pair.second.uri(), redis -> redis.replicaofNoOne());
            pair.lead(pair.second);
            nodes.publish(5);
            admin(pair.first.uri(), redis -> redis.replicaof("127.0.0.1", pair.second.port()));
            admin(
                    pair.second.uri(),
                    redis -> await().atMost(PATIENCE).until(() -> redis.waitForReplication(1, 1000) == 1));
            await().atMost(PATIENCE).until(() -> nodes.onA.resets.size() == 1 && nodes.onB.resets.size() == 1);
            Cursor second = nodes.head();
            admin(pair.first.uri(), redis -> redis.replicaofNoOne());
            pair.lead(pair.first);
            nodes.publish(5);
            nodes.settle();

            assertThat(nodes.head().epoch()).isNotEqualTo(second.epoch()).isNotEqualTo(first.epoch());
            assertThat(second.epoch()).isNotEqualTo(first.epoch());
            assertThat(nodes.onA.resets).containsExactly(ResetReason.EPOCH, ResetReason.EPOCH);
        }
    }

    @Test
    void aPrimaryThatWasDemotedForAWhileIsNoticedWithoutLosingAConnection() {
        try (Pair pair = new Pair();
                TwoNodes nodes = new TwoNodes(pair.address.uri())) {
            nodes.publish(5);
            Cursor before = seenByAll(nodes, 5);

            admin(pair.second.uri(), redis -> redis.replicaofNoOne());
            admin(pair.first.uri(), redis -> redis.replicaof("127.0.0.1", pair.second.port()));
            await().atMost(PATIENCE).until(() -> !nodes.storeA.state().hasCommands());
            admin(pair.first.uri(), redis -> redis.replicaofNoOne());
            nodes.publish(5);
            nodes.settle();

            assertThat(nodes.head().epoch()).isNotEqualTo(before.epoch());
            assertThat(nodes.onA.resets).containsExactly(ResetReason.EPOCH);
        }
    }

    @Test
    void sentinelIsAskedForThePrimary() {
        try (Pair pair = new Pair()) {
            admin(pair.second.uri(), redis -> redis.replicaof("127.0.0.1", pair.first.port()));
            pair.awaitReplica();
            try (RedisServer sentinel = RedisServer.sentinel(pair.first.port());
                    TwoNodes nodes = new TwoNodes("redis-sentinel://127.0.0.1:" + sentinel.port() + "#main")) {
                awaitSentinelKnowsTheReplica(sentinel);
                nodes.checker.payloadsAreUnique();
                nodes.publish(20);
                Cursor before = seenByAll(nodes, 20);
                pair.awaitReplica();

                pair.first.kill();
                nodes.awaitRed();
                nodes.assertNobodyGoesOn(before);
                nodes.publish(5);
                nodes.settle();

                assertThat(nodes.onA.resets).containsExactly(ResetReason.EPOCH);
                assertThat(nodes.storeA.state().failovers()).isEqualTo(1);
            }
        }
    }

    private static void awaitSentinelKnowsTheReplica(RedisServer sentinel) {
        try (RedisClient client = RedisClient.create();
                StatefulRedisSentinelConnection<String, String> connection =
                        client.connectSentinel(RedisURI.create("127.0.0.1", sentinel.port()))) {
            await().atMost(PATIENCE)
                    .until(() -> !connection.sync().replicas("main").isEmpty());
        }
    }

    private static Cursor seenByAll(TwoNodes nodes, int count) {
        await().atMost(PATIENCE).until(() -> nodes.onA.count() == count && nodes.onB.count() == count);
        return nodes.head();
    }
}
