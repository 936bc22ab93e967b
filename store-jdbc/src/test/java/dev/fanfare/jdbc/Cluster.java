package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.StoreException;
import dev.fanfare.Subscriber;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.testkit.HistoryChecker;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;

/**
 * Two nodes on one database, a subscriber on each, publishers and hosts that do not give up, and a checker that judges
 * what the subscribers saw.
 */
final class Cluster implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    final ChannelId channel =
            ChannelId.of("chat:" + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36));
    final HistoryChecker checker = new HistoryChecker();
    final Node a;
    final Node b;
    final Set<String> accepted = ConcurrentHashMap.newKeySet();
    private final AtomicInteger names = new AtomicInteger();
    private final UnaryOperator<ChannelRules.Builder> rules;
    private final LongSupplier clockShift;

    /** Two nodes; of the first the way to the database may be another. */
    Cluster(DataSource forA, DataSource forB) {
        this(
                forA,
                forB,
                () -> 0,
                rules -> rules.retain(100_000, Duration.ofDays(1)).recoveryLimit(100_000));
    }

    Cluster(DataSource forA, DataSource forB, LongSupplier clockShift, UnaryOperator<ChannelRules.Builder> rules) {
        this.rules = rules;
        this.clockShift = clockShift;
        checker.payloadsAreUnique();
        JdbcStore.of(forB).migrate().close();
        this.a = new Node("a", forA);
        this.b = new Node("b", forB);
    }

    /** Publishes until it is closed: through the front doors, and in transactions of hosts. */
    Traffic traffic() {
        return new Traffic();
    }

    /** Publishes until it is accepted. */
    void publish(Node node, String text) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() - deadline < 0) {
            try {
                if (tryPublish(node, text)) {
                    return;
                }
            } catch (StoreException failure) {
                assertThat(failure.isRetryable()).as(failure.toString()).isTrue();
            }
            pause();
        }
        throw new AssertionError("never accepted: " + text);
    }

    /** Publishes until the database refuses, and returns how. */
    StoreException fill(Node node) {
        byte[] noise = new byte[40_000];
        for (int i = 0; i < 2000; i++) {
            ThreadLocalRandom.current().nextBytes(noise);
            try {
                tryPublish(node, "fill-" + i + Base64.getEncoder().encodeToString(noise));
            } catch (StoreException refusal) {
                return refusal;
            }
        }
        throw new AssertionError("There is room for everything");
    }

    private boolean tryPublish(Node node, String text) {
        try {
            PublishResult result = node.fanfare
                    .publish(
                            channel,
                            Payload.of(text),
                            PublishOptions.dedupKey(text.substring(0, Math.min(50, text.length()))))
                    .toCompletableFuture()
                    .join();
            if (result.isAccepted()) {
                checker.published(channel, Payload.of(text), result);
                accepted.add(text);
            }
            return result.isAccepted();
        } catch (CompletionException failure) {
            if (failure.getCause() instanceof StoreException cause) {
                throw cause;
            }
            throw failure;
        }
    }

    /** Publishes in a transaction, again with the same key while nobody knows whether it was committed. */
    private void order(Node node, String text) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() - deadline < 0) {
            try (Connection connection = node.dataSource.getConnection()) {
                connection.setNetworkTimeout(Runnable::run, 5000); // the host's own affair
                connection.setAutoCommit(false);
                node.outbox.publishIn(connection, channel, Payload.of(text), PublishOptions.dedupKey(text));
                connection.commit();
                accepted.add(text);
                return;
            } catch (SQLException | StoreException unknown) {
                pause();
            }
        }
        throw new AssertionError("never committed: " + text);
    }

    /** Waits until both nodes delivered all that was accepted, and lets the checker judge. */
    void settle() {
        publish(b, "last-" + names.incrementAndGet());
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(texts().keySet()).containsAll(accepted));
        awaitHeard();
        a.client.claimsEverything();
        b.client.claimsEverything();
        checker.assertHolds();
    }

    /** Waits until both nodes delivered what is in the log now. */
    void awaitHeard() {
        long top = head().offset();
        for (Node node : List.of(a, b)) {
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(
                                    node.client.position().orElseThrow().offset())
                            .as(node.name)
                            .isGreaterThanOrEqualTo(top));
        }
    }

    /** Returns how often each text is in the log. */
    Map<String, Integer> texts() {
        Map<String, Integer> texts = new HashMap<>();
        log(0).forEach(publication -> texts.merge(publication.data().text(), 1, Integer::sum));
        return texts;
    }

    /** Returns what is in the log after that offset. */
    List<Publication> log(long after) {
        return read(LogRead.after(channel, after, 100_000)).publications();
    }

    Cursor head() {
        return read(LogRead.head(channel)).head();
    }

    private LogPage read(LogRead read) {
        return b.store.log().read(read).toCompletableFuture().join();
    }

    static void pause() {
        LockSupport.parkNanos(20_000_000);
    }

    @Override
    public void close() {
        a.close();
        b.close();
    }

    /** One node. */
    final class Node implements Subscriber, AutoCloseable {
        final String name;
        final DataSource dataSource;
        final JdbcStore store;
        final Fanfare fanfare;
        final Outbox outbox;
        final HistoryChecker.Client client;
        final List<Resume.Reset> resets = new CopyOnWriteArrayList<>();

        Node(String name, DataSource dataSource) {
            this.name = name;
            this.dataSource = dataSource;
            this.store = JdbcStore.builder(dataSource)
                    .statementTimeout(Duration.ofSeconds(1))
                    .clockShift(clockShift)
                    .build();
            this.fanfare =
                    Fanfare.builder().store(store).namespace("chat", rules).build();
            this.outbox = store.outbox(fanfare);
            this.client = checker.client(name, channel);
            fanfare.subscribe(channel, StartAt.live(), this)
                    .ready()
                    .toCompletableFuture()
                    .join();
        }

        @Override
        public void onReady(Resume resume) {
            client.resumed(resume);
        }

        @Override
        public void onPublication(Publication publication) {
            client.received(publication);
        }

        @Override
        public void onReset(Resume.Reset reset) {
            resets.add(reset);
            client.resumed(reset);
        }

        @Override
        public void close() {
            outbox.close();
            fanfare.close();
            store.close();
        }
    }

    /** Two publishers and two hosts, one of each per node. */
    final class Traffic implements AutoCloseable {
        private volatile boolean isOver;
        private final AtomicInteger done = new AtomicInteger();
        private final List<CompletableFuture<Void>> running = new ArrayList<>();

        private Traffic() {
            for (Node node : List.of(a, b)) {
                running.add(run("p" + names.incrementAndGet() + '-', text -> publish(node, text)));
                running.add(run("o" + names.incrementAndGet() + '-', text -> order(node, text)));
            }
        }

        private CompletableFuture<Void> run(String prefix, java.util.function.Consumer<String> publish) {
            CompletableFuture<Void> ended = new CompletableFuture<>();
            Thread thread = new Thread(
                    () -> {
                        try {
                            for (int i = 0; !isOver; i++) {
                                publish.accept(prefix + i);
                                done.incrementAndGet();
                            }
                            ended.complete(null);
                        } catch (RuntimeException | Error failure) {
                            ended.completeExceptionally(failure);
                        }
                    },
                    "traffic");
            thread.setDaemon(true);
            thread.start();
            return ended;
        }

        /** Waits until so many more were accepted. */
        void more(int count) {
            int target = done.get() + count;
            await().atMost(PATIENCE).until(() -> done.get() >= target);
        }

        @Override
        public void close() {
            isOver = true;
            try {
                CompletableFuture.allOf(running.toArray(CompletableFuture[]::new))
                        .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            } catch (Exception failure) {
                throw new AssertionError(failure);
            }
        }
    }
}
