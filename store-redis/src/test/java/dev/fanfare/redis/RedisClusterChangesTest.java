package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.CHANNEL;
import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static dev.fanfare.redis.TwoNodes.admin;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.ResetReason;
import dev.fanfare.servers.Proxy;
import dev.fanfare.servers.RedisCluster;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog.AppendResult;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.SlotHash;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** A Redis Cluster gets a server, loses it again, and has one that says nothing any more. All on one cluster. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RedisClusterChangesTest {

    private static final int SLOT = SlotHash.getSlot(new Keys("fanfare").bus(CHANNEL));
    private static final ChannelRules RULES =
            ChannelRules.builder().retain(100, Duration.ofHours(1)).build();

    private static final Pattern SLOTS_CALLS = Pattern.compile("cmdstat_cluster\\|slots:calls=(\\d+)");

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

    private static CompletableFuture<AppendResult> append(RedisStore store, String text) {
        AppendRequest request =
                new AppendRequest(CHANNEL, Payload.of(text), PublishOptions.none(), null, RULES, text.hashCode());
        return store.log().append(request).toCompletableFuture();
    }

    private static void move(int from, int to) {
        cluster.beginMove(SLOT, from, to);
        while (cluster.moveKeys(SLOT, from, to, 100)) {
            // more
        }
        cluster.endMove(SLOT, from, to);
    }

    @Test
    @Order(1)
    void whatIsForAServerThatIsNewWaitsForItsConnectionAndOneThatLeftIsLetGo() {
        // Nobody subscribes, so that the store learns of the move by a redirection and by nothing else.
        try (Proxy way = new Proxy(0);
                RedisStore store = RedisStore.builder(cluster.uri())
                        .clientName("shop")
                        .timeout(Duration.ofSeconds(2))
                        .build()) {
            int added = cluster.add(
                    "--cluster-announce-port", Integer.toString(way.port()), "--cluster-allow-replica-migration", "no");
            way.leadTo(cluster.server(added).port());
            assertThat(append(store, "1").join()).isInstanceOf(AppendResult.Appended.class);
            way.refuse(true);
            move(home, added);

            CompletableFuture<AppendResult> waiting = append(store, "2");
            await().atMost(PATIENCE).until(() -> way.refused() > 0);
            assertThat(waiting).isNotDone();
            way.refuse(false);

            assertThat(waiting.join())
                    .isInstanceOfSatisfying(
                            AppendResult.Appended.class,
                            appended ->
                                    assertThat(appended.publication().offset()).isEqualTo(2));

            move(added, home);
            assertThat(append(store, "3").join()).isInstanceOf(AppendResult.Appended.class);
            admin(
                    cluster.server(added).uri(),
                    redis -> await().atMost(PATIENCE)
                            .until(() -> !redis.clientList().contains("name=shop ")));
        }
    }

    @Test
    @Order(4)
    void aServerThatSaysNothingWhenItIsAskedForTheSlotsHoldsUpNothing() throws Exception {
        int next = (home + 1) % 3;
        move(home, next);
        try (TwoNodes nodes = new TwoNodes(cluster.uri(), options -> options.probePause(Duration.ofMinutes(1)))) {
            nodes.publish(20);
            move(next, home);
            admin(
                    cluster.server(home).uri(),
                    redis -> await().atMost(PATIENCE).until(() -> redis.waitForReplication(1, 1000) == 1));

            // Its connections stay open, and no probe is due; it is the one to be asked, as it got the slot last.
            signal("STOP", home);
            nodes.publish(20);
            nodes.settle();

            assertThat(nodes.onA.resets).isNotEmpty().containsOnly(ResetReason.EPOCH);
        } finally {
            signal("CONT", home);
        }
    }

    @Test
    @Order(2)
    void aServerThatIsAboutToGetItsFirstSlotKeepsItsConnectionsAsLongAsItIsAsked() {
        int added = cluster.add("--cluster-allow-replica-migration", "no");
        String uri = cluster.server(added).uri();
        try (RedisStore store =
                RedisStore.builder(cluster.uri()).clientName("market").build()) {
            append(store, "1").join();
            cluster.beginMove(SLOT, home, added);
            while (cluster.moveKeys(SLOT, home, added, 100)) {
                // more
            }
            long questions = questionsForSlots(added);
            assertThat(append(store, "2").join()).isInstanceOf(AppendResult.Appended.class);
            await().atMost(PATIENCE).until(() -> clients(uri, "market").size() == 2);
            Set<String> first = clients(uri, "market");

            await().atMost(PATIENCE).until(() -> questionsForSlots(added) > questions);
            for (int i = 3; i < 50; i++) {
                assertThat(append(store, "" + i).join()).isInstanceOf(AppendResult.Appended.class);
            }

            assertThat(clients(uri, "market")).isEqualTo(first);

            cluster.abandonMove(SLOT, home, added);
            await().atMost(PATIENCE).until(() -> clients(uri, "market").isEmpty());
            assertThat(append(store, "50").join()).isInstanceOf(AppendResult.Appended.class);
        }
    }

    private static Set<String> clients(String uri, String name) {
        Set<String> ids = new HashSet<>();
        admin(
                uri,
                redis -> redis.clientList()
                        .lines()
                        .filter(line -> line.contains("name=" + name + ' '))
                        .forEach(line -> ids.add(line.substring(0, line.indexOf(' ')))));
        return ids;
    }

    /** Counts how often any server up to the given one was asked for the slots, as the store asks whom it likes. */
    private static long questionsForSlots(int last) {
        AtomicLong all = new AtomicLong();
        for (int i = 0; i <= last; i++) {
            admin(cluster.server(i).uri(), redis -> {
                Matcher calls = SLOTS_CALLS.matcher(redis.info("commandstats"));
                all.addAndGet(calls.find() ? Long.parseLong(calls.group(1)) : 0);
            });
        }
        return all.get();
    }

    @Test
    @Order(3)
    void anAddressThatDoesNotSayWhoHasWhatIsPassedOver() {
        try (Proxy way = new Proxy(cluster.server(0).port())) {
            way.loseRepliesTo("SLOTS");

            try (RedisStore store = RedisStore.builder("redis-cluster://127.0.0.1:" + way.port() + ",127.0.0.1:"
                            + cluster.server(1).port())
                    .timeout(Duration.ofSeconds(3))
                    .build()) {
                assertThat(append(store, "x").join()).isInstanceOf(AppendResult.Appended.class);
                await().atMost(PATIENCE).until(() -> way.connections() == 0);
            }
        }
    }

    @Test
    @Order(3)
    void addressesThatSayNothingHoldUpNothing() throws IOException {
        InetAddress here = InetAddress.getLoopbackAddress();
        try (ServerSocket silent = new ServerSocket(0, 50, here);
                ServerSocket alsoSilent = new ServerSocket(0, 50, here);
                RedisStore store = RedisStore.builder("redis-cluster://127.0.0.1:" + silent.getLocalPort()
                                + ",127.0.0.1:" + alsoSilent.getLocalPort() + ",127.0.0.1:"
                                + cluster.server(1).port())
                        .timeout(Duration.ofSeconds(3))
                        .build()) {
            assertThat(append(store, "x").join()).isInstanceOf(AppendResult.Appended.class);
        }
    }

    @Test
    @Order(3)
    void anAddressThatKnowsOfNoSlotsIsPassedOver() {
        try (RedisServer stranger =
                        RedisServer.start("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf");
                RedisStore store = RedisStore.of("redis-cluster://127.0.0.1:" + stranger.port() + ",127.0.0.1:"
                        + cluster.server(1).port())) {
            assertThat(append(store, "x").join()).isInstanceOf(AppendResult.Appended.class);
        }
    }

    @Test
    @Order(3)
    void whatAnAddressAnswersAfterTheStoreWasClosedIsNotFollowed() {
        String uri = cluster.server(0).uri();
        RedisURI address = RedisURI.builder(RedisURI.create(uri))
                .withClientName("late")
                .withTimeout(PATIENCE)
                .build();
        Threads threads = new Threads(Duration.ofSeconds(1));
        Counters counters = new Counters();
        Relay relay = new Relay(1, counters);
        Primary.Parts parts = new Primary.Parts(new Keys("fanfare"), relay, counters, true, PATIENCE, PATIENCE);
        Cluster late = new Cluster(threads, relay, List.of(address), each -> new Connector(threads, each, null), parts);
        CompletableFuture<Void> isAnswered = new CompletableFuture<>();
        try {
            threads.execute(isAnswered::join);
            CompletionStage<Void> closed = late.close();
            long questions = questionsForSlots(0);
            CompletionStage<Void> started = late.start();
            await().atMost(PATIENCE)
                    .until(() -> questionsForSlots(0) > questions
                            && clients(uri, "late").isEmpty());
            isAnswered.complete(null);

            closed.toCompletableFuture().join();
            assertThat(started.toCompletableFuture())
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .withMessageContaining("is closed");
            assertThat(late.primaries()).isEmpty();
        } finally {
            isAnswered.complete(null);
            relay.close();
            threads.close();
        }
    }

    private static void signal(String name, int server) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder(
                        "kill", "-" + name, Long.toString(cluster.server(server).pid()))
                .start();
        assertThat(kill.waitFor()).isZero();
    }
}
