package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static dev.fanfare.redis.TwoNodes.admin;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Workers;
import dev.fanfare.Workers.Job;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.WorkQueues;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.ManualTime;
import io.lettuce.core.Consumer;
import io.lettuce.core.XClaimArgs;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Jobs are shared by workers on two nodes, of a real Redis. */
class RedisWorkersTest {

    private static final ChannelId DEAD = ChannelId.of("jobs:dead");
    private static RedisServer server;
    private static RedisStore storeA;
    private static RedisStore storeB;
    private static Fanfare a;
    private static Fanfare b;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
        storeA = RedisStore.of(server.uri());
        storeB = RedisStore.of(server.uri());
        a = fanfare(storeA);
        b = fanfare(storeB);
    }

    private static Fanfare fanfare(RedisStore store) {
        return builder(store).build();
    }

    private static FanfareBuilder builder(RedisStore store) {
        return Fanfare.builder()
                .store(store)
                .namespace("jobs", rules -> rules.retain(1_000, Duration.ofHours(1)))
                .namespace("few", rules -> rules.retain(10, Duration.ofHours(1)))
                .namespace("short", rules -> rules.retain(10, Duration.ofSeconds(1)))
                .namespace("plain", rules -> rules);
    }

    @AfterAll
    static void stop() {
        a.close();
        b.close();
        storeA.close();
        storeB.close();
        server.close();
    }

    private static void publish(ChannelId channel, int count) {
        for (int i = 1; i <= count; i++) {
            a.publish(channel.value(), "job " + i).toCompletableFuture().join();
        }
    }

    @Test
    void everyJobIsDoneOnceByOneOfTheGroupAndEachGroupGetsAll() {
        ChannelId channel = ChannelId.of("jobs:shared");
        List<String> done = new CopyOnWriteArrayList<>();
        AtomicLong audited = new AtomicLong();
        publish(channel, 50);
        try (Workers onA = a.workers(channel, "senders").start(job -> finish(job, done));
                Workers onB = b.workers(channel, "senders").start(job -> finish(job, done));
                Workers audit = b.workers(channel, "audit").start(job -> {
                    audited.incrementAndGet();
                    job.acknowledge();
                })) {
            publish(channel, 150);

            await().atMost(PATIENCE)
                    .until(() -> onA.counts().acknowledged() + onB.counts().acknowledged() == 200
                            && audit.counts().acknowledged() == 200);

            assertThat(done).hasSize(200);
            assertThat(onA.counts().redelivered() + onB.counts().redelivered()).isZero();
            assertThat(onA.counts().lost()
                            + onB.counts().lost()
                            + audit.counts().lost())
                    .isZero();
            assertThat(audited).hasValue(200);
        }
    }

    private static void finish(Job job, List<String> done) {
        done.add(job.publication().data().text());
        job.acknowledge();
    }

    @Test
    void whatAWorkerLeavesBehindIsDoneByAnother() {
        ChannelId channel = ChannelId.of("jobs:left");
        Set<String> begun = ConcurrentHashMap.newKeySet();
        publish(channel, 5);
        Workers broken = a.workers(channel, "g")
                .visibility(Duration.ofMillis(500))
                .start(job -> begun.add(job.publication().data().text()));
        await().atMost(PATIENCE).until(() -> begun.size() == 5);
        broken.close();

        List<Integer> deliveries = new CopyOnWriteArrayList<>();
        try (Workers heir = b.workers(channel, "g")
                .visibility(Duration.ofMillis(500))
                .start(job -> {
                    deliveries.add(job.deliveries());
                    job.acknowledge();
                })) {
            await().atMost(PATIENCE).until(() -> heir.counts().acknowledged() == 5);

            assertThat(deliveries).containsOnly(2);
            assertThat(heir.counts().redelivered()).isEqualTo(5);
        }
    }

    @Test
    void whatWasLeftBehindIsFoundBehindManyThatAreUnderWay() {
        ChannelId channel = ChannelId.of("jobs:behind");
        WorkQueues queues = storeA.log().workQueues().orElseThrow();
        publish(channel, 300);
        assertThat(take(queues, channel, "others", 300)).hasSize(300);
        XClaimArgs longAgo =
                XClaimArgs.Builder.minIdleTime(0).idle(Duration.ofHours(1)).justid();
        String stream = new String(new Keys("fanfare").stream(Keys.place(channel)), UTF_8);
        admin(server.uri(), redis -> redis.xclaim(stream, Consumer.from("g", "others"), longAgo, "0-300"));

        List<Long> found = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            found.addAll(take(queues, channel, "heir", 1));
        }

        assertThat(found).containsExactly(300L);
    }

    private static List<Long> take(WorkQueues queues, ChannelId channel, String worker, int limit) {
        WorkQueues.Take take = new WorkQueues.Take(channel, "g", worker, limit, Duration.ofMinutes(1), true);
        return queues.take(take).toCompletableFuture().join().deliveries().stream()
                .map(delivery -> delivery.publication().offset())
                .toList();
    }

    @Test
    void aJobForWhichTheHostHasNoRoomIsCountedAndGivenOutAgain() {
        ChannelId channel = ChannelId.of("jobs:crowded");
        AtomicBoolean isFull = new AtomicBoolean(true);
        publish(channel, 1);
        try (Fanfare crowded = builder(storeA)
                        .hostExecutor(task -> {
                            if (isFull.get()) {
                                throw new RejectedExecutionException("full");
                            }
                            task.run();
                        })
                        .build();
                Workers workers = crowded.workers(channel, "g")
                        .visibility(Duration.ofMillis(200))
                        .maxDeliveries(1_000)
                        .start(Job::acknowledge)) {
            await().atMost(PATIENCE).until(() -> workers.counts().postponed() > 0);
            assertThat(workers.counts().delivered()).isZero();
            assertThat(crowded.stats().refusedHostTasks()).isPositive();

            isFull.set(false);

            await().atMost(PATIENCE).until(() -> workers.counts().acknowledged() == 1);
            assertThat(workers.counts().delivered()).isEqualTo(1);
        }
    }

    @Test
    void aJobThatFailsTooOftenEndsAmongTheDeadLetters() {
        ChannelId channel = ChannelId.of("jobs:poison");
        publish(channel, 3);
        try (Workers workers = a.workers(channel, "g")
                .visibility(Duration.ofMillis(200))
                .maxDeliveries(2)
                .deadLetters(DEAD)
                .start(job -> {
                    if (job.publication().data().text().equals("job 2")) {
                        throw new IllegalStateException("cannot be done");
                    }
                    job.acknowledge();
                })) {
            await().atMost(PATIENCE).until(() -> workers.counts().dead() == 1);

            HistoryResult.Page dead = (HistoryResult.Page) a.history(DEAD, HistoryQuery.latest(10))
                    .toCompletableFuture()
                    .join();
            assertThat(dead.publications()).singleElement().satisfies(letter -> {
                assertThat(letter.data().text()).isEqualTo("job 2");
                assertThat(letter.headers()).containsEntry("dead-letter-of", "jobs:poison");
            });
            assertThat(workers.counts().failed()).isEqualTo(2);
            assertThat(workers.counts().acknowledged()).isEqualTo(2);
        }
    }

    @Test
    void whatIsTrimmedWhilePendingOrWaitingIsCountedAsLost() {
        ChannelId channel = ChannelId.of("few:trimmed");
        AtomicLong told = new AtomicLong();
        Workers.Handler stuck = new Workers.Handler() {
            @Override
            public void onJob(Job job) {}

            @Override
            public void onLost(long count) {
                told.addAndGet(count);
            }
        };
        publish(channel, 4);
        try (Workers workers = a.workers(channel, "g")
                .concurrency(4)
                .visibility(Duration.ofSeconds(1))
                .maxDeliveries(1000)
                .start(stuck)) {
            await().atMost(PATIENCE).until(() -> workers.counts().delivered() == 4);
            publish(channel, 30);

            // Ten are retained. Of the others four had been given out, and twenty never were.
            await().atMost(PATIENCE).until(() -> told.get() == 24); // told after it was counted
            assertThat(workers.counts().lost()).isEqualTo(24);
        }
    }

    @Test
    void whenAllOfItWasTooOldThatIsCountedToo() {
        ChannelId channel = ChannelId.of("short:gone");
        publish(channel, 3);
        try (Workers first = a.workers(channel, "g").start(job -> {})) {
            await().atMost(PATIENCE).until(() -> first.counts().delivered() == 3);
        }
        admin(
                server.uri(),
                redis -> await().atMost(PATIENCE).until(() -> redis.exists("fanfare:1:s:{481}short:gone") == 0));
        try (Workers workers = b.workers(channel, "g").start(Job::acknowledge)) {
            await().atMost(PATIENCE).until(() -> workers.counts().lost() == 3);
            publish(channel, 2);

            await().atMost(PATIENCE).until(() -> workers.counts().acknowledged() == 2);
            assertThat(workers.counts().lost()).isEqualTo(3);
        }
    }

    @Test
    void jobsAreHeardOfOnceABusThatCouldNotBeWatchedIsBack() {
        ChannelId channel = ChannelId.of("jobs:unheard");
        ManualTime time = new ManualTime(); // in which nobody looks for jobs unless the bus says that there are some
        FaultyStore faulty = FaultyStore.wrap(storeA, time, 1);
        faulty.bus().failWatches(1);
        try (Fanfare node = Fanfare.builder()
                        .store(storeA)
                        .bus(faulty.bus())
                        .timeSource(time)
                        .namespace("jobs", rules -> rules.retain(1_000, Duration.ofHours(1)))
                        .build();
                Workers workers = node.workers(channel, "g").start(Job::acknowledge)) {
            faulty.bus().failWatches(0);
            time.advance(Duration.ofSeconds(5));

            await().atMost(PATIENCE).until(() -> {
                publish(channel, 1);
                return workers.counts().acknowledged() > 0;
            });
        }
    }

    @Test
    void whatCannotHaveWorkersSaysSo() {
        assertThatThrownBy(() -> a.workers(ChannelId.of("plain:x"), "g"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("retains nothing");
        assertThatThrownBy(() -> a.workers(ChannelId.of("nope:x"), "g"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("namespace of nope:x is unknown");
        try (Fanfare memory = Fanfare.builder()
                .namespace("jobs", rules -> rules.retain(1, Duration.ofHours(1)))
                .build()) {
            assertThatThrownBy(() -> memory.workers(ChannelId.of("jobs:x"), "g"))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("RedisStore");
        }
    }

    @Test
    void deadLettersGoWhereTheyAreKept() {
        ChannelId jobs = ChannelId.of("jobs:x");
        Workers.Builder workers = a.workers(jobs, "g");

        assertThatThrownBy(() -> workers.deadLetters(jobs)).hasMessageContaining("would be jobs again");
        assertThatThrownBy(() -> workers.deadLetters(ChannelId.of("plain:x"))).hasMessageContaining("retains nothing");
        assertThatThrownBy(() -> workers.deadLetters(ChannelId.of("nope:x"))).hasMessageContaining("is unknown");
    }
}
