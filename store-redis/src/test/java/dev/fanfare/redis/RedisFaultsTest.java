package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.CHANNEL;
import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static dev.fanfare.redis.TwoNodes.admin;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.StartAt;
import dev.fanfare.StoreException;
import dev.fanfare.faults.LogWatch;
import dev.fanfare.presence.Member;
import dev.fanfare.servers.MischiefProxy;
import dev.fanfare.servers.Proxy;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.RecordingFormat;
import dev.fanfare.testkit.RecordingOutlet;
import io.lettuce.core.AclCategory;
import io.lettuce.core.AclSetuserArgs;
import io.lettuce.core.KillArgs;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.protocol.CommandType;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What clients see when Redis, or the way to it, fails. */
class RedisFaultsTest {

    @Test
    void twoNodesAreAsOne() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            nodes.publish(500);
            nodes.settle();

            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.onB.resets).isEmpty();
            assertThat(nodes.storeA.state().isGood()).isTrue();
            assertThat(nodes.storeA.state().interruptions()).isZero();
        }
    }

    @Test
    void killedPubSubConnectionsLoseNothing() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            nodes.checker.payloadsAreUnique();
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                for (int i = 0; i < 5; i++) {
                    traffic.more(50);
                    admin(server.uri(), redis -> redis.clientKill(KillArgs.Builder.typePubsub()));
                }
                traffic.more(50);
            }
            nodes.settle();

            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.onB.resets).isEmpty();
            assertThat(nodes.storeB.state().reconnects()).isPositive();
            nodes.awaitGreen();
        }
    }

    @Test
    void aWatchIsNotEffectiveAgainBeforeItsWatcherWasToldOfWhatItMayHaveMissed() {
        AtomicInteger interruptions = new AtomicInteger();
        try (RedisServer server = RedisServer.start();
                RedisStore store = RedisStore.of(server.uri())) {
            Bus.Watch watch = store.bus()
                    .watch(CHANNEL, new Bus.Watcher() {
                        @Override
                        public void announced(Announcement announcement) {}

                        @Override
                        public void interrupted() {
                            interruptions.incrementAndGet();
                        }
                    })
                    .toCompletableFuture()
                    .join();
            assertThat(watch.isEffective()).isTrue();

            server.kill();
            await().atMost(PATIENCE).until(() -> !watch.isEffective());
            await().atMost(PATIENCE).until(() -> interruptions.get() > 0); // it is told every second to look
            assertThat(watch.isEffective()).isFalse();
            server.run();
            int before = interruptions.get();
            await().pollInterval(Duration.ofMillis(1)).atMost(PATIENCE).until(watch::isEffective);

            assertThat(interruptions.get()).isGreaterThan(before);
        }
    }

    @Test
    void aLastPublicationLostWithItsConnectionArrivesAllTheSame() {
        try (RedisServer server = RedisServer.start();
                Proxy proxy = new Proxy(server.port());
                TwoNodes nodes = new TwoNodes(proxy.uri())) {
            nodes.publish(10);
            Cursor before = nodes.head();
            try (RedisStore elsewhere = RedisStore.of(server.uri())) {
                proxy.refuse(true);
                proxy.cut();
                await().atMost(PATIENCE)
                        .until(() ->
                                !nodes.a.health().isUp() && !nodes.b.health().isUp());
                append(elsewhere, CHANNEL, "tail", Objects.requireNonNull(nodes.a.rules(CHANNEL)));
                assertThat(TwoNodes.goesOn(nodes.a, CHANNEL, before))
                        .as("whether somebody is told to go on whom nobody can judge")
                        .isFalse();
                proxy.refuse(false);
            }

            assertThat(nodes.onA.hasSoon(CHANNEL + "tail")).isTrue();
            assertThat(nodes.onB.hasSoon(CHANNEL + "tail")).isTrue();
            nodes.settle();
            assertThat(nodes.onA.resets).isEmpty();
            await().atMost(PATIENCE)
                    .until(() -> nodes.a.health().isUp() && nodes.b.health().isUp());
        }
    }

    @Test
    void announcementsMayBeLostRepeatedDelayedAndOutOfOrder() {
        long seed = Long.getLong("fanfare.seed", System.nanoTime());
        try (RedisServer server = RedisServer.start();
                MischiefProxy proxy = new MischiefProxy(server.port(), "fanfare:1:b:", seed);
                TwoNodes nodes = new TwoNodes(proxy.uri())) {
            nodes.checker.payloadsAreUnique();
            nodes.publish(500);
            nodes.settle();

            assertThat(proxy.lost()).as("lost, seed %s", seed).isPositive();
            assertThat(proxy.repeated()).as("repeated, seed %s", seed).isPositive();
            assertThat(proxy.overtaken()).as("overtaken, seed %s", seed).isPositive();
            assertThat(nodes.onA.resets).as("seed %s", seed).isEmpty();
            assertThat(nodes.onB.resets).as("seed %s", seed).isEmpty();
            assertThat(nodes.storeA.state().malformed()).isZero();
        }
    }

    @Test
    void killedCommandConnectionsAppendNothingTwice() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            nodes.checker.payloadsAreUnique();
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                for (int i = 0; i < 5; i++) {
                    traffic.more(50);
                    admin(
                            server.uri(),
                            redis -> redis.clientKill(
                                    KillArgs.Builder.typeNormal().skipme(true)));
                }
                traffic.more(50);
            }
            nodes.settle();

            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.onB.resets).isEmpty();
        }
    }

    @Test
    void flushedScriptsAreLoadedAgain() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                traffic.more(50);
                admin(server.uri(), redis -> redis.scriptFlush());
                traffic.more(50);
            }
            nodes.settle();

            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.storeA.state().failovers()).isZero();
        }
    }

    @Test
    void flushedDataMeanANewEpoch() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                traffic.more(100);
                Cursor before = nodes.head();
                admin(server.uri(), redis -> redis.flushall());
                traffic.more(100);
                nodes.assertOver(before);
            }
            nodes.settle();

            assertThat(nodes.onA.resets).containsOnly(ResetReason.EPOCH);
            assertThat(nodes.onB.resets).containsOnly(ResetReason.EPOCH);
        }
    }

    @Test
    void aRestartWithItsDataIsAnnouncedAsANewEpoch() {
        try (RedisServer server = RedisServer.start("--save", "", "--appendonly", "yes", "--appendfsync", "always");
                TwoNodes nodes = new TwoNodes(server.uri())) {
            nodes.checker.payloadsAreUnique();
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                traffic.more(100);
                Cursor before = nodes.head();
                server.kill();
                nodes.awaitRed();
                server.run();
                nodes.assertNobodyGoesOn(before);
                traffic.more(100);
                nodes.assertOver(before);
            }
            nodes.settle();

            assertThat(nodes.onA.resets).containsExactly(ResetReason.EPOCH);
            assertThat(nodes.onB.resets).containsExactly(ResetReason.EPOCH);
            nodes.awaitGreen();
        }
    }

    @Test
    void aRestartWithItsDataGoesOnIfEpochsNeedNotEnd() {
        try (RedisServer server = RedisServer.start("--save", "", "--appendonly", "yes", "--appendfsync", "always");
                TwoNodes nodes = new TwoNodes(server.uri(), options -> options.epochsEndOnFailover(false))) {
            nodes.checker.payloadsAreUnique();
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                traffic.more(100);
                server.kill();
                server.run();
                traffic.more(100);
            }
            nodes.settle();

            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.onB.resets).isEmpty();
        }
    }

    @Test
    void aRestartWithoutDataIsAnnounced() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                traffic.more(100);
                Cursor before = nodes.head();
                server.kill();
                nodes.awaitRed();
                server.run();
                nodes.assertNobodyGoesOn(before);
                traffic.more(100);
                nodes.assertOver(before);
            }
            nodes.settle();

            assertThat(nodes.onA.resets).containsExactly(ResetReason.EPOCH);
            assertThat(nodes.onB.resets).containsExactly(ResetReason.EPOCH);
            nodes.awaitGreen();
        }
    }

    @Test
    void aFrozenConnectionIsFoundOutByTheProbe() {
        try (RedisServer server = RedisServer.start();
                Proxy proxy = new Proxy(server.port());
                TwoNodes nodes = new TwoNodes(proxy.uri())) {
            nodes.publish(20);

            proxy.freeze();

            await().atMost(PATIENCE).until(() -> !nodes.storeA.state().isGood());
            await().atMost(PATIENCE).until(() -> nodes.storeA.state().isGood());
            nodes.settle();
            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.onB.resets).isEmpty();
        }
    }

    @Test
    void whileRedisIsAwayPublishersAreRefusedAtOnceAndReadersHearOfIt() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            server.kill();
            await().atMost(PATIENCE).until(() -> !nodes.storeA.state().hasCommands());

            PublishResult result =
                    nodes.a.publish("chat:lobby", "x").toCompletableFuture().join();

            assertThat(result).isInstanceOfSatisfying(PublishResult.Refused.class, refused -> {
                assertThat(refused.reason()).isEqualTo(Refusal.UNAVAILABLE);
                assertThat(refused.retryAfter()).isPositive();
            });
            assertThatThrownBy(() ->
                            nodes.a.presence(CHANNEL).toCompletableFuture().join())
                    .isInstanceOf(CompletionException.class)
                    .hasCauseInstanceOf(StoreException.class);
            assertThat(nodes.storeA.state().refusals()).isPositive();
            server.run();
            await().atMost(PATIENCE).until(() -> nodes.storeA.state().isGood());
        }
    }

    @Test
    void afterFiveFailuresInARowNothingIsPublishedForAWhile() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri(), options -> options.breakerPause(Duration.ofSeconds(2)))) {
            nodes.publish(4);
            admin(server.uri(), redis -> redis.configSet("min-replicas-to-write", "1"));
            for (int i = 0; i < 5; i++) {
                assertThat(nodes.a
                                .publish("chat:lobby", "x")
                                .toCompletableFuture()
                                .join()
                                .isAccepted())
                        .isFalse();
            }

            PublishResult logged =
                    nodes.a.publish("chat:lobby", "x").toCompletableFuture().join();
            PublishResult unlogged =
                    nodes.a.publish("typing:lobby", "x").toCompletableFuture().join();

            assertThat(logged)
                    .isInstanceOfSatisfying(
                            PublishResult.Refused.class,
                            refused -> assertThat(refused.retryAfter()).isPositive());
            assertThat(unlogged).isInstanceOf(PublishResult.Sent.class);
            assertThat(nodes.storeA.state().breaker()).isEqualTo("open");
            assertThat(nodes.storeA.state().dropped()).isEqualTo(1);
            assertThat(nodes.a.health().reasons()).anyMatch(reason -> reason.contains("in a row failed"));

            admin(server.uri(), redis -> redis.configSet("min-replicas-to-write", "0"));
            await().atMost(PATIENCE).until(() -> nodes.a.health().isUp());
            nodes.publish(4);
            nodes.settle();
            assertThat(nodes.storeA.state().breaker()).isEqualTo("closed");
            assertThat(nodes.onA.resets).isEmpty();
        }
    }

    @Test
    void aRedisThatIsFullRefusesWhatIsNewAndKeepsWhoIsThere() {
        try (LogWatch log = new LogWatch();
                RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            nodes.publish(4);
            PresenceStore presence = nodes.storeA.presence();
            renew(presence, "n1", Duration.ofSeconds(3));
            presence.enter("n1", CHANNEL, new Member("ana", "c1", null), Duration.ofSeconds(1))
                    .toCompletableFuture()
                    .join();

            admin(server.uri(), redis -> redis.configSet("maxmemory", "1000000"));

            // nobody publishes: the probe finds it out
            await().atMost(PATIENCE).until(() -> nodes.b.health().reasons().contains("redis: writes are refused, OOM"));
            await().pollDelay(Duration.ofMillis(100)).until(() -> log.has("Redis refuses to write", "OOM"));
            long end = System.nanoTime() + Duration.ofSeconds(4).toNanos();
            await().pollInterval(Duration.ofMillis(500)).atMost(PATIENCE).until(() -> {
                renew(presence, "n1", Duration.ofSeconds(3));
                return System.nanoTime() - end > 0;
            });
            assertThat(presence.sweep(10).toCompletableFuture().join()).isEmpty();
            assertThat(nodes.a.publish("chat:lobby", "x").toCompletableFuture().join())
                    .isInstanceOfSatisfying(
                            PublishResult.Refused.class,
                            refused -> assertThat(refused.retryAfter()).isPositive());

            admin(server.uri(), redis -> redis.configSet("maxmemory", "0"));

            await().atMost(PATIENCE)
                    .until(() -> nodes.a.health().isUp() && nodes.b.health().isUp());
            nodes.publish(4);
            nodes.settle();
        }
    }

    private static void renew(PresenceStore presence, String node, Duration lease) {
        assertThat(presence.renew(node, lease).toCompletableFuture()).succeedsWithin(PATIENCE);
    }

    @Test
    void aNodeThatRedisCutsForBeingTooSlowLosesNothing() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            nodes.checker.payloadsAreUnique();
            try (TwoNodes.Traffic traffic = nodes.traffic()) {
                traffic.more(50);
                admin(server.uri(), redis -> {
                    redis.configSet("client-output-buffer-limit", "pubsub 262144 0 0");
                    // All of it comes in one step of Redis, so that no node can be quick enough.
                    redis.eval(
                            "for i = 1, 60 do redis.call('PUBLISH', ARGV[1], string.rep('x', 10000)) end",
                            ScriptOutputType.STATUS,
                            new String[0],
                            "fanfare:1:b:{623}chat:lobby");
                });
                traffic.more(50);
            }
            await().atMost(PATIENCE)
                    .until(() -> nodes.storeA.state().reconnects() > 0
                            && nodes.storeB.state().reconnects() > 0);
            nodes.settle();

            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.onB.resets).isEmpty();
            nodes.awaitGreen();
        }
    }

    @Test
    void aStoreHasTwoConnectionsHoweverManyChannels() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri(), options -> options.clientName("shop"))) {
            for (int i = 0; i < 300; i++) {
                nodes.a
                        .subscribe(ChannelId.of("chat:room" + i), StartAt.live(), publication -> {})
                        .ready()
                        .toCompletableFuture()
                        .join();
            }

            admin(
                    server.uri(),
                    redis -> assertThat(redis.clientList().lines().filter(line -> line.contains("name=shop ")))
                            .hasSize(4));
        }
    }

    @Test
    void whatCannotBeReadIsCountedAndRepaired() {
        try (RedisServer server = RedisServer.start();
                TwoNodes nodes = new TwoNodes(server.uri())) {
            nodes.publish(5);
            String bus = "fanfare:1:b:{623}chat:lobby";

            admin(server.uri(), redis -> {
                redis.publish(bus, "");
                redis.publish(bus, "garbage");
                redis.publish(bus, "\u0001P\u0000");
                redis.publish(bus, "\u0001?");
            });
            nodes.publish(5);
            nodes.settle();

            assertThat(nodes.onA.resets).isEmpty();
            assertThat(nodes.storeA.state().malformed()).isEqualTo(4);
            assertThat(nodes.storeA.state().interruptions()).isZero();
        }
    }

    @Test
    void membersAreBackAfterAFlush() {
        ManualLoop loop = new ManualLoop();
        try (RedisServer server = RedisServer.start();
                RedisStore store = RedisStore.of(server.uri());
                Fanfare node = Fanfare.builder()
                        .store(store)
                        .presenceLease(Duration.ofSeconds(2))
                        .authorizer(Authorizer.allowAll())
                        .namespace("room", rules -> rules.presence())
                        .build()) {
            RecordingOutlet ana = RecordingOutlet.connect(node, loop, new RecordingFormat(), "ana")
                    .subscribe("room:1", StartAt.live());
            awaitOneUser(node, loop);

            admin(server.uri(), redis -> redis.flushall());

            awaitOneUser(node, loop);
            ana.vanish();
            loop.runAll();
        }
    }

    private static void awaitOneUser(Fanfare node, ManualLoop loop) {
        await().atMost(PATIENCE).until(() -> {
            loop.runAll();
            return node.presence("room:1").toCompletableFuture().join().users() == 1;
        });
    }

    @Test
    void namesThatLookLikeKeysDoNotMeet() {
        try (RedisServer server = RedisServer.start();
                RedisStore store = RedisStore.of(server.uri())) {
            ChannelRules rules =
                    ChannelRules.builder().retain(10, Duration.ofMinutes(1)).build();
            String[][] pairs = {{"a", "b}c"}, {"a}b", "c"}, {"a%7Db", "c"}, {"}", "x"}, {"{}", "x"}, {"{", "x"}};
            for (String[] pair : pairs) {
                assertThat(append(store, ChannelId.of(pair[0]), pair[1], rules).offset())
                        .as(pair[0])
                        .isEqualTo(1);
            }
        }
    }

    @Test
    void whatIsOverIsForgottenByRedisItself() {
        try (RedisServer server = RedisServer.start();
                RedisStore store = RedisStore.of(server.uri())) {
            ChannelRules rules = ChannelRules.builder()
                    .retain(10, Duration.ofMillis(200))
                    .headTtl(Duration.ofMillis(200))
                    .dedupWindow(Duration.ofMillis(200))
                    .build();
            append(store, CHANNEL, "k", rules);
            store.latestValues()
                    .put(CHANNEL, "k", Publication.builder(Payload.EMPTY).build(), Duration.ofMillis(200))
                    .toCompletableFuture()
                    .join();

            admin(server.uri(), redis -> {
                await().atMost(PATIENCE)
                        .until(
                                () -> redis.keys("*"),
                                keys -> keys.stream().noneMatch(key -> key.matches(".*:[sdvw]:.*")));
                assertThat(redis.keys("*"))
                        .containsExactlyInAnyOrder("fanfare:1:h:{623}chat:lobby", "fanfare:1:genesis:{623}");
                assertThat(redis.pttl("fanfare:1:h:{623}chat:lobby")).isPositive();
            });
        }
    }

    @Test
    void readingLeavesNoTraceOfTheChannel() {
        try (RedisServer server = RedisServer.start();
                RedisStore store = RedisStore.of(server.uri())) {
            for (int i = 0; i < 100; i++) {
                store.log()
                        .read(ChannelLog.LogRead.head(ChannelId.of("chat:" + i)))
                        .toCompletableFuture()
                        .join();
            }

            admin(server.uri(), redis -> assertThat(redis.keys("*")).allMatch(key -> key.contains(":genesis:")));
        }
    }

    @Test
    void aRedisThatMayThrowKeysAwayIsWarnedOfAtStart() {
        try (LogWatch log = new LogWatch();
                RedisServer server = RedisServer.start("--save", "", "--maxmemory-policy", "allkeys-lru");
                RedisStore store = RedisStore.of(server.uri())) {
            String address = "127.0.0.1:" + server.port();

            await().atMost(PATIENCE).until(() -> log.has("Set it to noeviction", address));
            assertThat(store.state().isGood()).isTrue();
        }
    }

    @Test
    void aUserWithFewRightsIsEnough() {
        try (RedisServer server = RedisServer.start()) {
            admin(
                    server.uri(),
                    redis -> redis.aclSetuser(
                            "fan",
                            AclSetuserArgs.Builder.on()
                                    .addPassword("secret")
                                    .keyPattern("fanfare:*")
                                    .channelPattern("fanfare:*")
                                    .allCommands()
                                    .removeCategory(AclCategory.ADMIN)
                                    .removeCategory(AclCategory.DANGEROUS)
                                    .addCommand(CommandType.INFO)));

            try (TwoNodes nodes = new TwoNodes("redis://fan:secret@127.0.0.1:" + server.port())) {
                nodes.publish(10);
                nodes.settle();
                nodes.storeA
                        .presence()
                        .renew("n1", Duration.ofSeconds(5))
                        .toCompletableFuture()
                        .join();
                nodes.storeA
                        .presence()
                        .enter("n1", CHANNEL, new Member("ana", "c1", null), Duration.ofSeconds(1))
                        .toCompletableFuture()
                        .join();
                assertThat(nodes.storeB.control().nodes().toCompletableFuture().join())
                        .hasSize(2);
                assertThat(nodes.storeA.state().isGood()).isTrue();
            }
        }
    }

    @Test
    void whatWasRefusedToSubscribeAfterAReconnectIsSubscribedWhenItIsAllowedAgain() {
        AclSetuserArgs all = AclSetuserArgs.Builder.on()
                .addPassword("secret")
                .allKeys()
                .allCommands()
                .allChannels();
        try (LogWatch log = new LogWatch();
                RedisServer server = RedisServer.start()) {
            admin(server.uri(), redis -> redis.aclSetuser("fan", all));
            try (TwoNodes nodes = new TwoNodes("redis://fan:secret@127.0.0.1:" + server.port())) {
                ChannelId typing = ChannelId.of("typing:lobby");
                List<String> heard = new CopyOnWriteArrayList<>();
                nodes.b
                        .subscribe(
                                typing,
                                StartAt.live(),
                                publication -> heard.add(publication.data().text()))
                        .ready()
                        .toCompletableFuture()
                        .join();
                admin(server.uri(), redis -> redis.aclSetuser("fan", AclSetuserArgs.Builder.resetChannels()));
                await().atMost(PATIENCE).until(() -> log.has("refused to subscribe"));
                await().atMost(PATIENCE).until(() -> !nodes.storeB.state().isGood());

                admin(server.uri(), redis -> redis.aclSetuser("fan", all));

                await().atMost(PATIENCE)
                        .until(() -> nodes.storeB.state().isGood()
                                && nodes.storeA.state().isGood());
                await().atMost(PATIENCE).until(() -> {
                    nodes.a.publish(typing, Payload.of("here"), PublishOptions.none());
                    return heard.contains("here");
                });
            }
        }
    }

    @Test
    void aWrongAddressOrPasswordIsSaidAtOnce() {
        try (RedisServer server = RedisServer.start("--requirepass", "secret", "--save", "")) {
            assertThatThrownBy(() -> RedisStore.of("redis://:wrong-word@127.0.0.1:" + server.port()))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("WRONGPASS")
                    .hasMessageNotContaining("wrong-word");
            server.kill();
            assertThatThrownBy(() -> RedisStore.of("redis://fan:secret@127.0.0.1:" + server.port()))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("refused")
                    .hasMessageContaining(" 127.0.0.1:" + server.port() + " ") // without who and how
                    .hasMessageNotContaining("fan")
                    .hasMessageNotContaining("*");
        }
    }

    private static Publication append(RedisStore store, ChannelId channel, String dedupKey, ChannelRules rules) {
        AppendRequest request = new AppendRequest(
                channel, Payload.of(channel + dedupKey), PublishOptions.dedupKey(dedupKey), null, rules, 4711);
        return ((AppendResult.Appended)
                        store.log().append(request).toCompletableFuture().join())
                .publication();
    }
}
