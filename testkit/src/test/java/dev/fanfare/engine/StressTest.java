package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.StoreException;
import dev.fanfare.Subscriber;
import dev.fanfare.Subscription;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.HistoryChecker;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Publishers, channels and in-process subscribers of two nodes, on threads of their own, over stores that fail;
 * time flies, a second in a few milliseconds. Repeat one run with {@code -Dfanfare.stress.seed=…}; longer ones
 * with {@code -Dfanfare.stress.iterations=…}.
 */
@ExtendWith(Quiet.class)
class StressTest {

    private static final int ITERATIONS = Integer.getInteger("fanfare.stress.iterations", 1);
    private static final long SEED = Long.getLong("fanfare.stress.seed", System.nanoTime());
    private static final int CHANNELS = 6;
    private static final int PUBLISHERS = 4;
    private static final int SUBSCRIBERS = 16;
    private static final int PUBLICATIONS = 400 * ITERATIONS;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final ManualTime time = new ManualTime();
    private final MemoryStore truth = MemoryStore.create(time);
    private final FaultyStore[] stores = {FaultyStore.wrap(truth, time, SEED), FaultyStore.wrap(truth, time, SEED + 1)};
    private final Fanfare[] nodes = {node(stores[0]), node(stores[1])};
    private final HistoryChecker checker = new HistoryChecker();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicBoolean isOver = new AtomicBoolean();
    private final AtomicInteger resets = new AtomicInteger();
    private Future<?> clock;

    private Fanfare node(FaultyStore store) {
        return Fanfare.builder()
                .store(store)
                .timeSource(time)
                .namespace(
                        "c",
                        rules -> rules.retain(1_000_000, Duration.ofDays(1)).recoveryLimit(100_000))
                .build();
    }

    @BeforeEach
    void letTimeFly() {
        clock = threads.submit(() -> {
            while (!isOver.get()) {
                time.advance(Duration.ofMillis(100));
                TimeUnit.MICROSECONDS.sleep(500);
            }
            return null;
        });
    }

    @AfterEach
    void close() throws Exception {
        for (Fanfare node : nodes) {
            node.close();
        }
        isOver.set(true);
        clock.get(10, TimeUnit.SECONDS);
        threads.shutdown();
    }

    @RepeatedTest(2)
    void everySubscriberSeesOneUnbrokenRunWhateverFails() throws Exception {
        checker.payloadsAreUnique();
        for (FaultyStore store : stores) {
            store.bus().lose(0.05).repeat(0.05).swap(0.05).delay(0.05, Duration.ofSeconds(2));
            store.reads().fail(0.15).delay(Duration.ofMillis(300));
            store.appends().fail(0.02).loseAnswers(0.02);
        }
        List<Future<?>> publishers = new ArrayList<>();
        List<Future<Roamer>> roamers = new ArrayList<>();
        AtomicBoolean goesOn = new AtomicBoolean(true);
        for (int i = 0; i < SUBSCRIBERS; i++) {
            int number = i;
            roamers.add(threads.submit(() -> roam(number, goesOn)));
        }
        for (int i = 0; i < PUBLISHERS; i++) {
            int number = i;
            publishers.add(threads.submit((Callable<Void>) () -> publish(number)));
        }

        for (Future<?> publisher : publishers) {
            publisher.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
        }
        goesOn.set(false);
        for (FaultyStore store : stores) {
            store.heal();
        }
        for (Future<Roamer> roamer : roamers) {
            roamer.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS).awaitEverything();
        }

        checker.firstViolation().ifPresent(violation -> {
            throw new AssertionError("Repeat it with -Dfanfare.stress.seed=" + SEED + ": " + violation);
        });
        assertThat(resets).as("the log was intact all the time").hasValue(0);
        assertThat(stores).allSatisfy(store -> {
            assertThat(store.bus().lost()).as("lost announcements").isPositive();
            assertThat(store.bus().reordered()).as("late announcements").isPositive();
            assertThat(store.reads().failures()).as("failed reads").isPositive();
            assertThat(store.appends().failures()).as("failed appends").isPositive();
        });
    }

    private Void publish(int number) {
        Random random = new Random(SEED + number);
        for (int i = 0; i < PUBLICATIONS; i++) {
            ChannelId channel = ChannelId.of("c:" + random.nextInt(CHANNELS));
            Payload data = Payload.of(number + "-" + i);
            PublishOptions key = PublishOptions.dedupKey(number + "-" + i);
            PublishResult result = null;
            while (result == null || !result.isAccepted()) {
                result = tryToPublish(nodes[random.nextInt(2)], channel, data, key);
            }
            checker.published(channel, data, result);
        }
        return null;
    }

    private static PublishResult tryToPublish(Fanfare node, ChannelId channel, Payload data, PublishOptions key) {
        try {
            return node.publish(channel, data, key).toCompletableFuture().join();
        } catch (CompletionException unknown) {
            assertThat(unknown.getCause()).isInstanceOf(StoreException.class);
            return null;
        }
    }

    /** Subscribes, stays a while, leaves, and comes back where it was, on either node. */
    private Roamer roam(int number, AtomicBoolean goesOn) throws Exception {
        Random random = new Random(SEED + 1000 + number);
        Roamer roamer = new Roamer(ChannelId.of("c:" + random.nextInt(CHANNELS)), "client " + number);
        while (goesOn.get()) {
            roamer.subscribe(nodes[random.nextInt(2)]);
            TimeUnit.MILLISECONDS.sleep(random.nextInt(30));
            if (random.nextInt(20) == 0) {
                stores[random.nextInt(2)].bus().interrupt();
            }
            roamer.leave();
        }
        while (!roamer.subscribe(nodes[random.nextInt(2)])) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        return roamer;
    }

    /** One client that keeps its cursor. */
    private final class Roamer implements Subscriber {
        private final ChannelId channel;
        private final HistoryChecker.Client client;
        private volatile Cursor cursor;
        private volatile boolean hasEnded;
        private Subscription subscription;

        Roamer(ChannelId channel, String name) {
            this.channel = channel;
            this.client = checker.client(name, channel);
        }

        /** Tells whether it succeeded; the store may have refused. */
        boolean subscribe(Fanfare node) {
            hasEnded = false;
            Cursor had = cursor;
            subscription = node.subscribe(channel, had == null ? StartAt.live() : StartAt.after(had), this);
            try {
                Resume unused = subscription.ready().toCompletableFuture().join();
                return true;
            } catch (CompletionException refused) {
                return false;
            }
        }

        void leave() {
            subscription.close();
            long deadline = System.nanoTime() + PATIENCE_NANOS;
            while (!hasEnded) {
                assertThat(System.nanoTime()).as("it ends in time").isLessThan(deadline);
                Thread.onSpinWait();
            }
        }

        void awaitEverything() throws Exception {
            long deadline = System.nanoTime() + PATIENCE_NANOS;
            while (!top().equals(cursor)) {
                assertThat(System.nanoTime())
                        .as("%s has %s in time, it is at %s; seed %s", channel, top(), cursor, SEED)
                        .isLessThan(deadline);
                TimeUnit.MILLISECONDS.sleep(1);
            }
            client.claimsEverything();
        }

        private Cursor top() {
            HistoryResult page = nodes[0].history(channel, HistoryQuery.first(0))
                    .toCompletableFuture()
                    .join();
            return ((HistoryResult.Page) page).top();
        }

        @Override
        public void onReady(Resume resume) {
            client.resumed(resume);
            cursor = resume.position();
            if (resume instanceof Resume.Reset) {
                resets.incrementAndGet();
            }
        }

        @Override
        public void onPublication(Publication publication) {
            client.received(publication);
            cursor = publication.cursor();
        }

        @Override
        public void onReset(Resume.Reset reset) {
            client.resumed(reset);
            cursor = reset.position();
            resets.incrementAndGet();
        }

        @Override
        public void onSkipped(long count) {
            client.skipped(count);
        }

        @Override
        public void onEnded(UnsubscribeReason reason) {
            hasEnded = true;
        }
    }
}
