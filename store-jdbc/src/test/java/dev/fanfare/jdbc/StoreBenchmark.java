package dev.fanfare.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.StartAt;
import dev.fanfare.servers.PostgresServer;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Measures what has a goal of its own, on a real PostgreSQL with fsync. Run it with benchmarks/jdbc.sh. */
@Execution(ExecutionMode.SAME_THREAD)
class StoreBenchmark {

    private static final byte[] DATA = new byte[200];
    private static final ChannelRules RULES =
            ChannelRules.builder().retain(10_000_000, Duration.ofDays(1)).build();

    private static PostgresServer server;
    private static HikariDataSource pool;

    @BeforeAll
    static void start() {
        server = PostgresServer.start("-c", "shared_buffers=256MB", "-c", "max_wal_size=8GB");
        pool = Databases.pool(server);
        JdbcStore.of(pool).migrate().close();
    }

    @AfterAll
    static void stop() {
        pool.close();
        server.close();
    }

    @Test
    void drainOutbox() throws Exception {
        int rows = 200_000;
        try (JdbcStore store = JdbcStore.of(pool)) {
            for (int round = 0; round < 3; round++) {
                fillOutbox(store, rows);
                Duration client = PostgresServer.cpu(ProcessHandle.current());
                Duration both = server.cpu();
                long begin = System.nanoTime();
                try (Outbox draining = store.outbox(id -> RULES)) {
                    draining.committed();
                    while (waiting() > 0) {
                        LockSupport.parkNanos(10_000_000);
                    }
                }
                double seconds = (System.nanoTime() - begin) / 1e9;
                System.out.printf(
                        "outbox, %,d rows of 1,000 channels: drained %,.0f rows/s; per row client %.1f + server %.1f us%n",
                        rows,
                        rows / seconds,
                        PostgresServer.cpu(ProcessHandle.current())
                                        .minus(client)
                                        .toNanos()
                                / 1e3
                                / rows,
                        server.cpu().minus(both).toNanos() / 1e3 / rows);
            }
        }
    }

    private static void fillOutbox(JdbcStore store, int rows) throws SQLException {
        Outbox filling = store.outbox(id -> RULES);
        filling.close();
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            for (int i = 0; i < rows; i++) {
                filling.publishIn(
                        connection,
                        ChannelId.of("bench:outbox-" + i % 1000),
                        Payload.wrap(DATA),
                        PublishOptions.none());
            }
            connection.commit();
        }
    }

    private static long waiting() throws SQLException {
        try (Connection connection = pool.getConnection();
                PreparedStatement select = connection.prepareStatement("SELECT 1 FROM fanfare_outbox LIMIT 1");
                ResultSet row = select.executeQuery()) {
            return row.next() ? 1 : 0;
        }
    }

    /** Hosts commit a transaction with one publication each, on time; how far behind is what a subscriber sees? */
    @Test
    void keepUpWithHosts() throws Exception {
        int perSecond = 5000;
        int hosts = 16;
        int each = 10 * perSecond / hosts;
        long[] committed = new long[hosts * each];
        long[] delivered = new long[hosts * each];
        CountDownLatch left = new CountDownLatch(hosts * each);
        try (JdbcStore store = JdbcStore.of(pool);
                Fanfare fanfare = node(store);
                Outbox outbox = store.outbox(fanfare::rules)) {
            for (int i = 0; i < 100; i++) {
                fanfare.subscribe(ChannelId.of("bench:hosts-" + i), StartAt.live(), publication -> {
                            delivered[Integer.parseInt(publication.data().text())] = System.nanoTime();
                            left.countDown();
                        })
                        .ready()
                        .toCompletableFuture()
                        .get(10, TimeUnit.SECONDS);
            }
            long begin = System.nanoTime();
            List<CompletableFuture<Void>> running = new ArrayList<>();
            for (int host = 0; host < hosts; host++) {
                int first = host * each;
                running.add(CompletableFuture.runAsync(
                        () -> commit(outbox, begin, perSecond / hosts, first, each, committed),
                        task -> new Thread(task, "host").start()));
            }
            CompletableFuture.allOf(running.toArray(CompletableFuture[]::new)).join();
            double seconds = (System.nanoTime() - begin) / 1e9;
            boolean isComplete = left.await(20, TimeUnit.SECONDS);
            int warmUp = each / 5;
            double[] early = new double[hosts * warmUp];
            double[] millis = new double[committed.length - early.length];
            for (int i = 0; i < committed.length; i++) {
                double behind = Math.max(0, delivered[i] - committed[i]) / 1e6;
                int host = i / each;
                int turn = i % each;
                if (turn < warmUp) {
                    early[host * warmUp + turn] = behind;
                } else {
                    millis[host * (each - warmUp) + turn - warmUp] = behind;
                }
            }
            System.out.printf(
                    "%,.0f commits/s of %d hosts: %s, behind by p50 %.1f ms, p99 %.1f ms, most %.1f ms (in the first two"
                            + " seconds %.1f ms)%n",
                    committed.length / seconds,
                    hosts,
                    isComplete ? "all delivered" : "NOT ALL DELIVERED",
                    Comparison.quantile(millis, 0.5),
                    Comparison.quantile(millis, 0.99),
                    Comparison.quantile(millis, 1),
                    Comparison.quantile(early, 1));
        }
    }

    /**
     * One host that commits now and then, and says nothing after it. At first everything is cold: each of the store's threads
     * has a connection of its own, whose statements the driver prepares when they come for the fifth time.
     */
    @Test
    void deliverWhatAnIdleNodeCommits() throws Exception {
        try (JdbcStore store = JdbcStore.of(pool);
                Fanfare fanfare = node(store);
                Outbox outbox = store.outbox(fanfare::rules);
                Connection connection = pool.getConnection()) {
            ChannelId id = ChannelId.of("bench:idle");
            BlockingQueue<Long> delivered = new LinkedBlockingQueue<>();
            fanfare.subscribe(id, StartAt.live(), publication -> delivered.add(System.nanoTime()))
                    .ready()
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS);
            connection.setAutoCommit(false);
            for (String when : List.of("the first 150", "then")) {
                double[] millis = new double[150];
                for (int i = 0; i < millis.length; i++) {
                    LockSupport.parkNanos(80_000_000);
                    outbox.publishIn(connection, id, Payload.wrap(DATA), PublishOptions.none());
                    connection.commit();
                    long committed = System.nanoTime();
                    millis[i] = Math.max(0, delivered.take() - committed) / 1e6;
                }
                System.out.printf(
                        "commit of an idle host to its node's subscriber, %s: p50 %.1f ms, p99 %.1f ms%n",
                        when, Comparison.quantile(millis, 0.5), Comparison.quantile(millis, 0.99));
            }
        }
    }

    private static void commit(Outbox outbox, long begin, int perSecond, int first, int count, long[] committed) {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            for (int i = 0; i < count; i++) {
                LockSupport.parkNanos(begin + i * (1_000_000_000L / perSecond) - System.nanoTime());
                int number = first + i;
                outbox.publishIn(
                        connection,
                        ChannelId.of("bench:hosts-" + number % 100),
                        Payload.of(Integer.toString(number)),
                        PublishOptions.none());
                connection.commit();
                committed[number] = System.nanoTime();
            }
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }

    @Test
    void deliverToAnotherNode() throws Exception {
        int perSecond = 1000;
        int count = 10_000;
        int warmUp = 2000;
        try (JdbcStore hereStore = JdbcStore.of(pool);
                JdbcStore thereStore = JdbcStore.of(pool)) {
            Fanfare here = node(hereStore);
            Fanfare there = node(thereStore);
            long[] committed = new long[count];
            long[] delivered = new long[count];
            CountDownLatch left = new CountDownLatch(2 * count);
            for (int i = 0; i < 10; i++) {
                there.subscribe(ChannelId.of("bench:latency-" + i), StartAt.live(), publication -> {
                            delivered[Integer.parseInt(publication.data().text())] = System.nanoTime();
                            left.countDown();
                        })
                        .ready()
                        .toCompletableFuture()
                        .get(10, TimeUnit.SECONDS);
            }
            long begin = System.nanoTime();
            for (int i = 0; i < count; i++) {
                int number = i;
                LockSupport.parkNanos(begin + i * (1_000_000_000L / perSecond) - System.nanoTime());
                here.publish("bench:latency-" + i % 10, Integer.toString(i)).thenAccept(result -> {
                    committed[number] = System.nanoTime();
                    left.countDown();
                });
            }
            System.out.println(left.await(20, TimeUnit.SECONDS) ? "all delivered" : "NOT ALL DELIVERED");
            double[] millis = new double[count - warmUp];
            for (int i = 0; i < millis.length; i++) {
                millis[i] = Math.max(0, delivered[warmUp + i] - committed[warmUp + i]) / 1e6;
            }
            System.out.printf(
                    "commit to another node's subscriber at %,d/s: p50 %.2f ms, p99 %.2f ms, most %.2f ms%n",
                    perSecond,
                    Comparison.quantile(millis, 0.5),
                    Comparison.quantile(millis, 0.99),
                    Comparison.quantile(millis, 1));
            here.close();
            there.close();
        }
    }

    @Test
    void readPagesOfALongHistory() throws Exception {
        ChannelId id = ChannelId.of("bench:history");
        int count = 1_000_000;
        try (JdbcStore store = JdbcStore.of(pool)) {
            for (int done = 0; done < count; done += 10_000) {
                List<CompletableFuture<?>> batch = new ArrayList<>();
                for (int i = 0; i < 10_000; i++) {
                    batch.add(store.log().append(request(id)).toCompletableFuture());
                }
                CompletableFuture.allOf(batch.toArray(CompletableFuture[]::new)).join();
            }
            double[] millis = new double[3000];
            for (int i = -1000; i < millis.length; i++) {
                long begin = System.nanoTime();
                long after = ThreadLocalRandom.current().nextLong(count - 50);
                int found = store.log()
                        .read(LogRead.after(id, after, 50))
                        .toCompletableFuture()
                        .join()
                        .publications()
                        .size();
                if (found != 50) {
                    throw new AssertionError(found);
                }
                if (i >= 0) {
                    millis[i] = (System.nanoTime() - begin) / 1e6;
                }
            }
            System.out.printf(
                    "history page of 50 out of %,d: median %.2f ms, p99 %.2f ms%n",
                    count, Comparison.quantile(millis, 0.5), Comparison.quantile(millis, 0.99));
        }
    }

    @Test
    void resumeManyReaders() throws Exception {
        int channels = 100;
        int readers = 10_000;
        int missed = 50;
        try (JdbcStore store = JdbcStore.of(pool)) {
            CountingStore counting = new CountingStore(store);
            Fanfare fanfare = node(counting);
            List<Cursor> cursors = new ArrayList<>();
            for (int i = 0; i < channels; i++) {
                ChannelId id = ChannelId.of("bench:storm-" + i);
                cursors.add(fanfare.publish(id, Payload.of("first"), PublishOptions.none())
                        .toCompletableFuture()
                        .join()
                        .position()
                        .orElseThrow());
                for (int j = 0; j < missed; j++) {
                    fanfare.publish(id, Payload.wrap(DATA), PublishOptions.none())
                            .toCompletableFuture()
                            .join();
                }
            }
            fanfare.close();
            Fanfare restarted = node(counting); // as after a restart: nothing is in memory
            counting.reads.set(0);
            CountDownLatch left = new CountDownLatch(readers * missed);
            ConcurrentLinkedQueue<CompletableFuture<?>> ready = new ConcurrentLinkedQueue<>();
            long begin = System.nanoTime();
            for (int i = 0; i < readers; i++) {
                ready.add(restarted
                        .subscribe(
                                ChannelId.of("bench:storm-" + i % channels),
                                StartAt.after(cursors.get(i % channels)),
                                publication -> left.countDown())
                        .ready()
                        .toCompletableFuture());
            }
            CompletableFuture.allOf(ready.toArray(CompletableFuture[]::new)).join();
            boolean isComplete = left.await(30, TimeUnit.SECONDS);
            System.out.printf(
                    "%,d readers resume on %d channels, %d missed each: %s in %.2f s, %.2f reads per channel%n",
                    readers,
                    channels,
                    missed,
                    isComplete ? "complete" : "NOT COMPLETE",
                    (System.nanoTime() - begin) / 1e9,
                    counting.reads.get() / (double) channels);
            restarted.close();
        }
    }

    private static Fanfare node(dev.fanfare.spi.Store store) {
        return Fanfare.builder()
                .store(store)
                .namespace("bench", rules -> rules.retain(10_000_000, Duration.ofDays(1)))
                .build();
    }

    private static AppendRequest request(ChannelId id) {
        long tag = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
        return new AppendRequest(id, Payload.wrap(DATA), PublishOptions.none(), null, RULES, tag);
    }
}
