package dev.fanfare.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.Subscriber;
import dev.fanfare.Subscription;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.testkit.HistoryChecker;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;

/** Two Fanfares on two Redis stores, a subscriber on each, and a publisher that does not give up. */
final class TwoNodes implements AutoCloseable {

    static final ChannelId CHANNEL = ChannelId.of("chat:lobby");
    static final Duration PATIENCE = Duration.ofSeconds(40);

    final RedisStore storeA;
    final RedisStore storeB;
    final Fanfare a;
    final Fanfare b;
    final HistoryChecker checker = new HistoryChecker();
    final Watching onA;
    final Watching onB;
    /** Several may follow one another on one Redis, which remembers dedup keys. */
    private final String run = Ids.random(4) + '-';

    private final AtomicInteger published = new AtomicInteger();

    TwoNodes(String uri) {
        this(uri, builder -> {});
    }

    TwoNodes(String uri, Consumer<RedisStore.Builder> options) {
        this.storeA = store(uri, options);
        this.storeB = store(uri, options);
        this.a = fanfare(storeA);
        this.b = fanfare(storeB);
        this.onA = new Watching("a", a);
        this.onB = new Watching("b", b);
    }

    private static RedisStore store(String uri, Consumer<RedisStore.Builder> options) {
        RedisStore.Builder builder =
                RedisStore.builder(uri).timeout(Duration.ofSeconds(2)).probePause(Duration.ofSeconds(1));
        options.accept(builder);
        return builder.build();
    }

    static Fanfare fanfare(RedisStore store) {
        return Fanfare.builder()
                .store(store)
                .namespace(
                        "chat",
                        rules -> rules.retain(10_000, Duration.ofHours(1))
                                .presence()
                                .presenceGrace(Duration.ofSeconds(1)))
                .namespace("typing", rules -> rules)
                .build();
    }

    /** Publishes so many, one after the other, each until it is accepted; every tenth without awaiting the bus. */
    void publish(int count) {
        for (int i = 0; i < count; i++) {
            publishNext();
        }
    }

    @CanIgnoreReturnValue
    String publishNext() {
        return publishNext(PublishOptions::dedupKey);
    }

    /** Publishes one that will not be refused because its dedup key is new while a slot moves. */
    @CanIgnoreReturnValue
    String publishWithoutDedupKey() {
        return publishNext(text -> PublishOptions.none());
    }

    private String publishNext(Function<String, PublishOptions> options) {
        int number = published.incrementAndGet();
        String text = run + number;
        Fanfare node = number % 2 == 0 ? a : b;
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < deadline) {
            try {
                PublishResult result = node.publish(CHANNEL, Payload.of(text), options.apply(text))
                        .toCompletableFuture()
                        .join();
                if (result.isAccepted()) {
                    checker.published(CHANNEL, Payload.of(text), result);
                    return text;
                }
            } catch (CompletionException unknown) {
                // the same key again tells
            }
            await().pollDelay(Duration.ofMillis(20)).until(() -> true);
        }
        throw new AssertionError(text + " was not accepted within " + PATIENCE);
    }

    /** Returns where the channel is. */
    Cursor head() {
        return storeA.log()
                .read(LogRead.head(CHANNEL))
                .toCompletableFuture()
                .join()
                .head();
    }

    /** Lets a client come back with that cursor, and returns what it is told. */
    static Resume resume(Fanfare node, Cursor cursor) {
        return node.subscribe(CHANNEL, StartAt.after(cursor), publication -> {})
                .ready()
                .toCompletableFuture()
                .join();
    }

    /**
     * Lets clients come back again and again with that cursor, of a history that is gone, until all is well, and expects
     * that none is told to go on, whether it knows tags or not.
     */
    void assertNobodyGoesOn(Cursor before) {
        await().pollInterval(Duration.ofMillis(20)).atMost(PATIENCE).until(() -> {
            for (Cursor cursor : List.of(before, Cursor.of(before.epoch(), before.offset()))) {
                assertThat(goesOn(a, CHANNEL, cursor) || goesOn(b, CHANNEL, cursor))
                        .as("whether who comes back with %s is told to go on", cursor)
                        .isFalse();
            }
            return a.health().isUp() && b.health().isUp();
        });
    }

    /** Lets a client come back with that cursor and leave again; returns whether it was told to go on. */
    static boolean goesOn(Fanfare node, ChannelId channel, Cursor cursor) {
        Subscription subscription = node.subscribe(channel, StartAt.after(cursor), publication -> {});
        try {
            return subscription.ready().toCompletableFuture().join() instanceof Resume.Continued;
        } catch (CompletionException refused) {
            return false;
        } finally {
            subscription.close();
        }
    }

    /** Expects that whoever was there is reset when coming back, whether the client knows tags or not; once a node has noticed. */
    void assertOver(Cursor before) {
        await().atMost(PATIENCE).until(() -> !onB.resets.isEmpty());
        for (Cursor cursor : List.of(before, Cursor.of(before.epoch(), before.offset()))) {
            assertThat(resume(b, cursor))
                    .as("who comes back with %s", cursor)
                    .isInstanceOfSatisfying(
                            Resume.Reset.class,
                            reset -> assertThat(reset.reason()).isEqualTo(ResetReason.EPOCH));
        }
    }

    /** Waits until both nodes say that something is wrong. */
    void awaitRed() {
        await().atMost(PATIENCE).until(() -> !a.health().isUp() && !b.health().isUp());
    }

    /** Waits until both nodes say that all is well. */
    void awaitGreen() {
        await().atMost(PATIENCE).until(() -> a.health().isUp() && b.health().isUp());
    }

    /** Publishes until told to stop. */
    Traffic traffic() {
        return new Traffic();
    }

    /** Publishes a last one, waits until everybody has it, and lets the checker judge. */
    void settle() {
        await().atMost(PATIENCE).until(() -> {
            String last = publishNext();
            return onA.hasSoon(last) && onB.hasSoon(last);
        });
        onA.client.claimsEverything();
        onB.client.claimsEverything();
        checker.assertHolds();
    }

    @Override
    public void close() {
        a.close();
        b.close();
        storeA.close();
        storeB.close();
    }

    /** Runs commands against a server. */
    static void admin(String uri, Consumer<RedisCommands<String, String>> task) {
        try (RedisClient client = RedisClient.create(uri);
                StatefulRedisConnection<String, String> connection = client.connect()) {
            task.accept(connection.sync());
        }
    }

    final class Traffic implements AutoCloseable {
        private volatile boolean isOver;
        private final List<Throwable> failures = new CopyOnWriteArrayList<>();
        private final Thread thread = new Thread(this::run, "traffic");

        Traffic() {
            thread.start();
        }

        private void run() {
            try {
                while (!isOver) {
                    publishNext();
                }
            } catch (AssertionError | RuntimeException failure) {
                failures.add(failure);
            }
        }

        /** Waits until so many more were accepted. */
        void more(int count) {
            int target = published.get() + count;
            await().atMost(PATIENCE).until(() -> published.get() >= target || !failures.isEmpty());
        }

        @Override
        public void close() {
            isOver = true;
            try {
                thread.join(TimeUnit.SECONDS.toMillis(60));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (!failures.isEmpty()) {
                throw new AssertionError(failures.get(0));
            }
        }
    }

    /** A subscriber that the checker watches. */
    final class Watching implements Subscriber {
        final HistoryChecker.Client client;
        final List<ResetReason> resets = new CopyOnWriteArrayList<>();
        private final List<String> texts = new ArrayList<>();

        Watching(String name, Fanfare node) {
            client = checker.client(name, CHANNEL);
            node.subscribe(CHANNEL, StartAt.live(), this)
                    .ready()
                    .toCompletableFuture()
                    .join();
        }

        @Override
        public void onReady(Resume resume) {
            client.resumed(resume);
        }

        @Override
        public void onReset(Resume.Reset reset) {
            resets.add(reset.reason());
            client.resumed(reset);
        }

        @Override
        public void onPublication(Publication publication) {
            client.received(publication);
            synchronized (texts) {
                texts.add(publication.data().text());
            }
        }

        boolean hasSoon(String text) {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(3);
            while (System.nanoTime() < deadline) {
                synchronized (texts) {
                    if (texts.contains(text)) {
                        return true;
                    }
                }
                await().pollDelay(Duration.ofMillis(5)).until(() -> true);
            }
            return false;
        }

        int count() {
            synchronized (texts) {
                return texts.size();
            }
        }
    }
}
