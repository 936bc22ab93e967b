package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.CHANNEL;
import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static dev.fanfare.redis.TwoNodes.admin;
import static dev.fanfare.redis.TwoNodes.goesOn;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.PatternSubscription;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.RefusedException;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.StoreException;
import dev.fanfare.Subscriber;
import dev.fanfare.Workers;
import dev.fanfare.servers.RedisCluster;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ChannelLog.LogRead;
import io.lettuce.core.KillArgs;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.cluster.SlotHash;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
            AtomicReference<String> last = new AtomicReference<>("");
            // It goes where the slot goes to, and nobody hears it: the subscriptions are where the slot comes from.
            move(from, home, () -> last.set(nodes.publishWithoutDedupKey()));

            assertThat(nodes.onA.hasSoon(last.get())).isTrue();
            assertThat(nodes.onB.hasSoon(last.get())).isTrue();
            nodes.settle();
            assertThat(nodes.onA.resets).isEmpty();
        }
    }

    @Test
    @Order(4)
    void byDefaultAMovedSlotResetsItsReadersOnceAndLosesNothing() {
        int next = (home + 1) % 3;
        try (TwoNodes nodes = new TwoNodes(cluster.uri())) {
            nodes.checker.payloadsAreUnique();
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                traffic.more(100);
                Cursor before = nodes.head();
                move(home, next, () -> {});
                traffic.more(100);
                nodes.assertOver(before);
            }
            nodes.settle();

            assertThat(nodes.onA.resets).containsExactly(ResetReason.EPOCH);
            assertThat(nodes.onB.resets).containsExactly(ResetReason.EPOCH);
            nodes.awaitGreen();
        } finally {
            move(next, home, () -> {});
        }
    }

    @Test
    @Order(5)
    void killedPubSubConnectionsOfOneServerLoseNothing() {
        try (TwoNodes nodes = new TwoNodes(cluster.uri())) {
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                for (int i = 0; i < 5; i++) {
                    traffic.more(50);
                    admin(cluster.server(home).uri(), redis -> redis.clientKill(KillArgs.Builder.typePubsub()));
                }
                traffic.more(50);
            }
            nodes.settle();

            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.onB.resets).isEmpty();
            assertThat(nodes.storeB.state().reconnects()).isPositive();
            await().atMost(PATIENCE).until(() -> nodes.storeB.state().isGood());
        }
    }

    @Test
    @Order(6)
    void aNodeThatOneServerCutsForBeingTooSlowLosesNothing() {
        String uri = cluster.server(home).uri();
        try (TwoNodes nodes = new TwoNodes(cluster.uri())) {
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                traffic.more(50);
                admin(uri, redis -> {
                    redis.configSet("client-output-buffer-limit", "pubsub 262144 0 0");
                    // All of it comes in one step of Redis, so that no node can be quick enough.
                    redis.eval(
                            "for i = 1, 60 do redis.call('SPUBLISH', KEYS[1], string.rep('x', 10000)) end",
                            ScriptOutputType.STATUS,
                            new Keys("fanfare").bus(CHANNEL));
                });
                traffic.more(50);
            }
            await().atMost(PATIENCE)
                    .until(() -> nodes.storeA.state().reconnects() > 0
                            && nodes.storeB.state().reconnects() > 0);
            nodes.settle();

            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.onB.resets).isEmpty();
            await().atMost(PATIENCE)
                    .until(() -> nodes.a.health().isUp() && nodes.b.health().isUp());
        } finally {
            admin(uri, redis -> redis.configSet("client-output-buffer-limit", "pubsub 33554432 8388608 60"));
        }
    }

    @Test
    @Order(7)
    void flushedDataOfOneServerMeanANewEpochThereAndNothingElsewhere() {
        ChannelId elsewhere = channelAtAnotherServer();
        List<ResetReason> resetsElsewhere = new CopyOnWriteArrayList<>();
        try (TwoNodes nodes = new TwoNodes(cluster.uri())) {
            nodes.a
                    .subscribe(elsewhere, StartAt.live(), new Subscriber() {
                        @Override
                        public void onPublication(Publication publication) {}

                        @Override
                        public void onReset(Resume.Reset reset) {
                            resetsElsewhere.add(reset.reason());
                        }
                    })
                    .ready()
                    .toCompletableFuture()
                    .join();
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                traffic.more(100);
                Cursor before = nodes.head();
                admin(cluster.server(home).uri(), redis -> redis.flushall());
                traffic.more(100);
                nodes.assertOver(before);
            }
            nodes.settle();
            nodes.a.publish(elsewhere, Payload.of("x")).toCompletableFuture().join();

            assertThat(nodes.onA.resets).isNotEmpty().containsOnly(ResetReason.EPOCH);
            assertThat(nodes.onB.resets).isNotEmpty().containsOnly(ResetReason.EPOCH);
            assertThat(resetsElsewhere).isEmpty();
        }
    }

    private static ChannelId channelAtAnotherServer() {
        return channelAt((home + 1) % 3);
    }

    /** Returns a channel of another slot at that server. */
    private static ChannelId channelAt(int server) {
        Keys keys = new Keys("fanfare");
        return IntStream.range(0, 1000)
                .mapToObj(i -> ChannelId.of("chat:elsewhere" + i))
                .filter(channel -> {
                    int slot = SlotHash.getSlot(keys.bus(channel));
                    return slot != SLOT && cluster.primaryOf(slot) == server;
                })
                .findFirst()
                .orElseThrow();
    }

    @Test
    @Order(8)
    void aServerThatRefusesWritesStopsNoPublishingElsewhere() {
        ChannelId elsewhere = channelAtAnotherServer();
        String uri = cluster.server(home).uri();
        try (TwoNodes nodes = new TwoNodes(cluster.uri(), options -> options.breakerPause(Duration.ofMinutes(1)))) {
            admin(uri, redis -> redis.configSet("min-replicas-to-write", "9"));
            for (int i = 0; i < 5; i++) {
                assertThat(publish(nodes.a, CHANNEL)).isInstanceOf(PublishResult.Refused.class);
            }

            assertThat(nodes.a
                            .publish(CHANNEL, Payload.of("x"))
                            .toCompletableFuture()
                            .join())
                    .isInstanceOf(PublishResult.Refused.class);
            assertThat(nodes.a
                            .publish(elsewhere, Payload.of("x"))
                            .toCompletableFuture()
                            .join())
                    .isInstanceOf(PublishResult.Stored.class);
            assertThat(nodes.storeA.state().breaker()).isEqualTo("open");
            assertThat(nodes.a.health().isUp()).isFalse();
        } finally {
            admin(uri, redis -> redis.configSet("min-replicas-to-write", "0"));
        }
    }

    @Test
    @Order(9)
    void aSlotThatIsLongInMovingStopsNoPublishingToOthers() {
        int next = (home + 1) % 3;
        ChannelId beside = channelAt(home);
        try (TwoNodes nodes = new TwoNodes(cluster.uri(), options -> options.breakerPause(Duration.ofMinutes(1)))) {
            nodes.publish(5);
            move(home, next, () -> {
                // With keys that are new, which no server runs a script over now.
                List<CompletableFuture<PublishResult>> refused = IntStream.range(0, 6)
                        .mapToObj(i -> nodes.a.publish(CHANNEL, Payload.of("x"), PublishOptions.dedupKey("new" + i)))
                        .map(CompletionStage::toCompletableFuture)
                        .toList();
                assertThat(refused)
                        .allSatisfy(each -> assertThat(each.join()).isInstanceOf(PublishResult.Refused.class));

                assertThat(nodes.storeA.state().breaker()).isEqualTo("closed");
                assertThat(nodes.a
                                .publish(beside, Payload.of("x"))
                                .toCompletableFuture()
                                .join())
                        .isInstanceOf(PublishResult.Stored.class);
            });
        } finally {
            move(next, home, () -> {});
        }
    }

    @Test
    @Order(9)
    void whatAServerAnswersThatIsAboutToGetASlotSaysNothingOfTheOneThatHasIt() {
        int next = (home + 1) % 3;
        ChannelId beside = channelAt(home);
        try (TwoNodes nodes = new TwoNodes(cluster.uri(), options -> options.breakerPause(Duration.ofMinutes(1)))) {
            nodes.publish(5);
            move(home, next, () -> {
                admin(cluster.server(next).uri(), redis -> redis.configSet("min-replicas-to-write", "9"));
                for (int i = 0; i < 5; i++) {
                    assertThat(publish(nodes.a, CHANNEL)).isInstanceOf(PublishResult.Refused.class);
                }

                assertThat(publish(nodes.a, CHANNEL)).isInstanceOf(PublishResult.Refused.class);
                assertThat(publish(nodes.a, beside)).isInstanceOf(PublishResult.Stored.class);
            });
        } finally {
            admin(cluster.server(next).uri(), redis -> redis.configSet("min-replicas-to-write", "0"));
            move(next, home, () -> {});
        }
    }

    @Test
    @Order(9)
    void aClusterThatIsDownForAMomentDelaysOnePublishAndSwitchesNoneOff() {
        ChannelRules rules =
                ChannelRules.builder().retain(10_000, Duration.ofHours(1)).build();
        AppendRequest request = new AppendRequest(CHANNEL, Payload.of("x"), PublishOptions.none(), null, rules, 1);
        try (RedisStore store = RedisStore.builder(cluster.uri())
                .breakerPause(Duration.ofMinutes(1))
                .build()) {
            int beside = SlotHash.getSlot(new Keys("fanfare").bus(channelAt(home)));
            store.log().append(request).toCompletableFuture().join();
            admin(cluster.server(home).uri(), redis -> {
                long before = refused("evalsha", redis);
                // As nobody has that slot now, as far as this server knows, it runs nothing at all.
                redis.clusterDelSlots(beside);
                CompletableFuture<AppendResult> waiting =
                        store.log().append(request).toCompletableFuture();
                await().pollInterval(Duration.ofMillis(5))
                        .atMost(PATIENCE)
                        .until(() -> waiting.isDone() || refused("evalsha", redis) >= before + 6);
                assertThat(store.log().health().isUp()).isFalse();
                assertThat(store.state().hasCommands()).isFalse();
                redis.clusterAddSlots(beside);

                // If this came late, for a machine that stood still, it was refused.
                assertThat(
                                waiting.join() instanceof AppendResult.Appended stored
                                        ? stored
                                        : store.log()
                                                .append(request)
                                                .toCompletableFuture()
                                                .join())
                        .isInstanceOf(AppendResult.Appended.class);
            });
            await().atMost(PATIENCE).until(() -> store.log().health().isUp());

            assertThat(store.state().breaker()).isEqualTo("closed");
        }
    }

    @Test
    @Order(9)
    void healthIsRedForAsLongAsTheClusterIsDownThoughNobodyAsksForAnything() {
        try (RedisStore store = RedisStore.of(cluster.uri())) {
            int beside = SlotHash.getSlot(new Keys("fanfare").bus(channelAt(home)));
            admin(cluster.server(home).uri(), redis -> {
                redis.clusterDelSlots(beside);
                LogRead read = LogRead.head(CHANNEL);
                assertThatThrownBy(() ->
                                store.log().read(read).toCompletableFuture().join())
                        .hasMessageContaining("CLUSTERDOWN");

                long before = refused("exists", redis);
                await().atMost(PATIENCE).until(() -> {
                    assertThat(store.log().health().isUp()).isFalse();
                    return refused("exists", redis) >= before + 8;
                });
                redis.clusterAddSlots(beside);
            });

            await().atMost(PATIENCE).until(() -> store.log().health().isUp());
        }
    }

    /** Counts the commands of that name that the server did not run. */
    private static long refused(String command, RedisCommands<String, String> redis) {
        Matcher refused = Pattern.compile("cmdstat_" + command + ":.*rejected_calls=(\\d+)")
                .matcher(redis.info("commandstats"));
        return refused.find() ? Long.parseLong(refused.group(1)) : 0;
    }

    private static PublishResult publish(Fanfare node, ChannelId channel) {
        return node.publish(channel, Payload.of("x")).toCompletableFuture().join();
    }

    @Test
    @Order(9)
    void whatWaitsForASlotThatMovesDoesNotOutliveItsStore() {
        int next = (home + 1) % 3;
        try (RedisStore store = RedisStore.of(cluster.uri())) {
            ChannelRules rules =
                    ChannelRules.builder().retain(10_000, Duration.ofHours(1)).build();
            store.log()
                    .append(new AppendRequest(CHANNEL, Payload.of("x"), PublishOptions.none(), null, rules, 1))
                    .toCompletableFuture()
                    .join();
            move(home, next, () -> {
                // A key that is new, which no server runs a script over now.
                PublishOptions isNew = PublishOptions.dedupKey("outlives");
                CompletableFuture<AppendResult> waiting = store.log()
                        .append(new AppendRequest(CHANNEL, Payload.of("x"), isNew, null, rules, 2))
                        .toCompletableFuture();
                store.close();

                await().atMost(PATIENCE).until(waiting::isDone);
                assertThat(store.bus().watch(CHANNEL, new DeafWatcher()).toCompletableFuture())
                        .failsWithin(PATIENCE)
                        .withThrowableThat()
                        .withCauseInstanceOf(StoreException.class);
            });
        } finally {
            move(next, home, () -> {});
        }
    }

    private static final class DeafWatcher implements Bus.Watcher {
        @Override
        public void announced(Announcement announcement) {}

        @Override
        public void interrupted() {}
    }

    @Test
    @Order(10)
    void aPatternIsRefusedWithWhatToDoInstead() {
        try (TwoNodes nodes = new TwoNodes(cluster.uri())) {
            PatternSubscription subscription =
                    nodes.a.subscribeMatching("chat:*", (channel, publication) -> fail("nothing is heard"));

            assertThatThrownBy(() -> subscription.ready().toCompletableFuture().join())
                    .hasMessageContaining("A Redis Cluster cannot watch channels by pattern. Subscribe to the channels")
                    .hasCauseInstanceOf(RefusedException.class);
        }
    }

    @Test
    @Order(11)
    void workersGetEveryJobWhereverTheSlotIs() {
        int next = (home + 1) % 3;
        Set<String> done = ConcurrentHashMap.newKeySet();
        Set<String> jobs = new HashSet<>();
        try (TwoNodes nodes = new TwoNodes(cluster.uri(), options -> options.epochsEndOnFailover(false));
                Workers onA = workers(nodes.a, done);
                Workers onB = workers(nodes.b, done)) {
            for (int i = 0; i < 50; i++) {
                jobs.add(nodes.publishNext());
            }
            move(home, next, () -> jobs.add(nodes.publishWithoutDedupKey()));
            for (int i = 0; i < 50; i++) {
                jobs.add(nodes.publishNext());
            }

            await().atMost(PATIENCE).until(() -> done.containsAll(jobs));
            assertThat(onA.counts().lost() + onB.counts().lost()).isZero();
        } finally {
            move(next, home, () -> {});
        }
    }

    private static Workers workers(Fanfare node, Set<String> done) {
        return node.workers(CHANNEL, "senders").start(job -> {
            done.add(job.publication().data().text());
            job.acknowledge();
        });
    }

    /** Moves the slot; does something when all keys are in the new place, but not yet the slot. */
    private static void move(int from, int to, Runnable meanwhile) {
        cluster.beginMove(SLOT, from, to);
        while (cluster.moveKeys(SLOT, from, to, 100)) {
            // more
        }
        try {
            meanwhile.run();
        } finally {
            cluster.endMove(SLOT, from, to);
        }
    }

    @Test
    @Order(12)
    void aKilledPrimaryIsReplacedByAReplicaThatLacksTheLatest() {
        try (TwoNodes nodes = new TwoNodes(cluster.uri())) {
            nodes.checker.payloadsAreUnique();
            nodes.publish(100);
            admin(
                    cluster.server(home).uri(),
                    redis -> await().atMost(PATIENCE).until(() -> redis.waitForReplication(1, 1000) == 1));
            cutReplication();
            nodes.publish(10);
            await().atMost(PATIENCE).until(() -> nodes.onA.count() == 110 && nodes.onB.count() == 110);
            Cursor last = nodes.storeA
                    .log()
                    .read(LogRead.head(CHANNEL))
                    .toCompletableFuture()
                    .join()
                    .head();

            ChannelId elsewhere = channelAtAnotherServer();
            nodes.b
                    .subscribe(elsewhere, StartAt.live(), publication -> {})
                    .ready()
                    .toCompletableFuture()
                    .join();
            Cursor newest = publish(nodes.b, elsewhere).position().orElseThrow();
            cluster.server(home).kill();
            nodes.awaitRed();
            assertThat(goesOn(nodes.b, elsewhere, newest)).isTrue();
            assertThat(goesOn(nodes.b, CHANNEL, last)).isFalse();
            await().atMost(PATIENCE).until(() -> {
                // The cluster is down from when the death is noticed until the promotion.
                assertThat(publish(nodes.a, elsewhere))
                        .isInstanceOfAny(PublishResult.Stored.class, PublishResult.Refused.class);
                return cluster.primaryOf(SLOT) == 3;
            });
            assertThat(publish(nodes.a, elsewhere)).isInstanceOf(PublishResult.Stored.class);
            nodes.publish(100);
            nodes.settle();

            assertThat(cluster.primaryOf(SLOT)).isEqualTo(3);
            assertThat(nodes.onA.resets).containsExactly(ResetReason.EPOCH);
            assertThat(nodes.onB.resets).containsExactly(ResetReason.EPOCH);
            assertThat(nodes.b
                            .subscribe(
                                    CHANNEL, StartAt.after(Cursor.of(last.epoch(), last.offset())), publication -> {})
                            .ready()
                            .toCompletableFuture()
                            .join())
                    .as("of a client that knows no tags")
                    .isInstanceOf(Resume.Reset.class);
            await().atMost(PATIENCE)
                    .until(() -> nodes.a.health().isUp() && nodes.b.health().isUp());
        }
    }

    /** Lets the replica of the home lose its connection, and not make another: as a user that there is not. */
    private static void cutReplication() {
        admin(cluster.server(3).uri(), redis -> {
            redis.configSet("masteruser", "nobody");
            redis.configSet("masterauth", "nothing");
        });
        admin(cluster.server(home).uri(), redis -> redis.clientKill(KillArgs.Builder.typeSlave()));
    }

    @Test
    @Order(13)
    void anAddressWhereNobodyIsIsSaidAtOnce() {
        assertThatThrownBy(() -> RedisStore.of(
                        "redis-cluster://127.0.0.1:" + cluster.server(home).port()))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("refused");
    }
}
