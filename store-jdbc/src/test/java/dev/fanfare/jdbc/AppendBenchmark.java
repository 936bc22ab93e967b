package dev.fanfare.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.servers.PostgresServer;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Compares the store with loops written by hand, on a real PostgreSQL with fsync, both in one run. Not part of the
 * build; run main.
 */
final class AppendBenchmark {

    private static final int PUBLISHERS = 64;
    private static final int ROWS = 50;
    private static final byte[] DATA = new byte[200];
    private static final ChannelRules RULES =
            ChannelRules.builder().retain(10_000_000, Duration.ofDays(1)).build();

    private AppendBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        Duration length = Duration.ofSeconds(arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5);
        try (PostgresServer server = PostgresServer.start("-c", "shared_buffers=256MB");
                HikariDataSource pool = Databases.pool(server.url(), "postgres");
                JdbcStore store = JdbcStore.of(pool).migrate()) {
            for (int round = 0; round < 2; round++) {
                report("one channel, by hand, 50 rows per commit", byHand(pool, length, 1));
                report("one channel, store, 64 publishers", store(store, length, 1));
                report("1,000 channels, by hand, 64 channels per commit", byHand(pool, length, 1000));
                report("1,000 channels, store, 64 publishers", store(store, length, 1000));
                report("one channel, store, 1 publisher", store(store, length, 1, 1));
            }
            pages(store);
            latency(pool, store);
            outbox(pool, store);
        }
    }

    private static void report(String what, double perSecond) {
        System.out.printf("%-55s %,10.0f/s%n", what, perSecond);
    }

    // ---- by hand: the same columns, one writer, as fast as it goes

    private static double byHand(HikariDataSource pool, Duration length, int channels) throws SQLException {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            prepareByHand(connection, channels);
            long end = System.nanoTime() + length.toNanos();
            long begin = System.nanoTime();
            long rows = 0;
            int next = 0;
            while (System.nanoTime() < end) {
                int touched = channels == 1 ? 1 : PUBLISHERS;
                int each = channels == 1 ? ROWS : 1;
                appendByHand(connection, next, touched, each);
                next = (next + touched) % (channels == 1 ? 1 : channels - PUBLISHERS);
                connection.commit();
                rows += (long) touched * each;
            }
            return rows / ((System.nanoTime() - begin) / 1e9);
        }
    }

    private static void prepareByHand(Connection connection, int channels) throws SQLException {
        Dialect.execute(connection, "DROP TABLE IF EXISTS hand_channel, hand_log");
        Dialect.execute(
                connection,
                "CREATE TABLE hand_channel (id bigint PRIMARY KEY, top bigint NOT NULL, tag bigint NOT NULL)"
                        + " WITH (fillfactor = 50)");
        Dialect.execute(
                connection,
                "CREATE TABLE hand_log (life bigint, off bigint, tag bigint NOT NULL, prev_tag bigint NOT NULL,"
                        + " stored_at bigint NOT NULL, data bytea NOT NULL, extra bytea, PRIMARY KEY (life, off))");
        Dialect.execute(
                connection,
                "INSERT INTO hand_channel SELECT n, 0, 0 FROM generate_series(0, " + (channels - 1) + ") n");
        connection.commit();
    }

    private static void appendByHand(Connection connection, int first, int channels, int each) throws SQLException {
        Long[] ids = new Long[channels];
        for (int i = 0; i < channels; i++) {
            ids[i] = (long) first + i;
        }
        long[] tops = new long[channels];
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE hand_channel SET top = top + ?, tag = ? WHERE id = ANY(?) RETURNING id, top")) {
            update.setInt(1, each);
            update.setLong(2, ThreadLocalRandom.current().nextLong());
            update.setArray(3, connection.createArrayOf("bigint", ids));
            try (var rows = update.executeQuery()) {
                while (rows.next()) {
                    tops[(int) (rows.getLong(1) - first)] = rows.getLong(2);
                }
            }
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO hand_log SELECT * FROM"
                + " unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bytea[])")) {
            int count = channels * each;
            Long[][] columns = new Long[5][count];
            byte[][] data = new byte[count][];
            for (int i = 0; i < count; i++) {
                int channel = i / each;
                columns[0][i] = ids[channel];
                columns[1][i] = tops[channel] - each + 1 + i % each;
                columns[2][i] = ThreadLocalRandom.current().nextLong();
                columns[3][i] = columns[2][Math.max(0, i - 1)];
                columns[4][i] = System.currentTimeMillis();
                data[i] = DATA;
            }
            for (int i = 0; i < 5; i++) {
                insert.setArray(i + 1, connection.createArrayOf("bigint", columns[i]));
            }
            insert.setArray(6, connection.createArrayOf("bytea", data));
            insert.executeUpdate();
        }
    }

    // ---- the store

    private static double store(JdbcStore store, Duration length, int channels) throws InterruptedException {
        return store(store, length, channels, PUBLISHERS);
    }

    /** Publishers that each wait for their answer before they publish again, without a thread each. */
    private static double store(JdbcStore store, Duration length, int channels, int publishers)
            throws InterruptedException {
        ChannelId[] ids = new ChannelId[channels];
        for (int i = 0; i < channels; i++) {
            ids[i] = ChannelId.of("bench:" + channels + "-" + i);
            append(store, ids[i]);
        }
        AtomicLong done = new AtomicLong();
        long begin = System.nanoTime();
        long end = begin + length.toNanos();
        for (int i = 0; i < publishers; i++) {
            publishOn(store, ids, i, end, done);
        }
        Thread.sleep(length.toMillis());
        double perSecond = done.get() / ((System.nanoTime() - begin) / 1e9);
        Thread.sleep(300);
        return perSecond;
    }

    private static void publishOn(JdbcStore store, ChannelId[] ids, int next, long end, AtomicLong done) {
        if (System.nanoTime() >= end) {
            return;
        }
        store.log().append(request(ids[next % ids.length])).thenAccept(result -> {
            done.incrementAndGet();
            publishOn(store, ids, next + PUBLISHERS + 1, end, done);
        });
    }

    private static AppendRequest request(ChannelId id) {
        long tag = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
        return new AppendRequest(id, Payload.wrap(DATA), PublishOptions.none(), null, RULES, tag);
    }

    private static Publication append(JdbcStore store, ChannelId id) {
        AppendResult result =
                store.log().append(request(id)).toCompletableFuture().join();
        return ((AppendResult.Appended) result).publication();
    }

    private static void pages(JdbcStore store) {
        ChannelId id = ChannelId.of("bench:1-0");
        long top = append(store, id).offset();
        long[] nanos = new long[2000];
        for (int i = 0; i < nanos.length; i++) {
            long begin = System.nanoTime();
            store.log()
                    .read(LogRead.after(id, ThreadLocalRandom.current().nextLong(top - 50), 50))
                    .toCompletableFuture()
                    .join();
            nanos[i] = System.nanoTime() - begin;
        }
        Arrays.sort(nanos, 1000, 2000);
        System.out.printf(
                "page of 50 out of %,d: median %.2f ms, p99 %.2f ms%n", top, nanos[1500] / 1e6, nanos[1990] / 1e6);
    }

    /** From the append's answer to the moment that the other node's watcher hears. */
    private static void latency(HikariDataSource pool, JdbcStore here) throws Exception {
        ChannelId id = ChannelId.of("bench:latency");
        try (JdbcStore there = JdbcStore.of(pool)) {
            AtomicLong heard = new AtomicLong();
            there.bus()
                    .watch(id, new Bus.Watcher() {
                        @Override
                        public void announced(Announcement announcement) {
                            heard.set(System.nanoTime());
                        }

                        @Override
                        public void interrupted() {}
                    })
                    .toCompletableFuture()
                    .join();
            long[] nanos = new long[500];
            for (int i = 0; i < nanos.length; i++) {
                heard.set(0);
                Publication publication = append(here, id);
                long begin = System.nanoTime();
                here.bus()
                        .announce(new Announcement.Published(id, publication))
                        .toCompletableFuture()
                        .join();
                while (heard.get() == 0) {
                    Thread.sleep(0, 100_000);
                }
                nanos[i] = heard.get() - begin;
                Thread.sleep(ThreadLocalRandom.current().nextInt(5));
            }
            Arrays.sort(nanos);
            System.out.printf(
                    "to another node's watcher: p50 %.2f ms, p99 %.2f ms%n", nanos[250] / 1e6, nanos[495] / 1e6);
        }
    }

    private static void outbox(HikariDataSource pool, JdbcStore store) throws Exception {
        int rows = 100_000;
        ChannelId last = null;
        Outbox filling = store.outbox(id -> null);
        filling.close();
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            for (int i = 0; i < rows; i++) {
                last = ChannelId.of("bench:outbox-" + i % 1000);
                filling.publishIn(connection, last, Payload.wrap(DATA), PublishOptions.none());
            }
            connection.commit();
        }
        long begin = System.nanoTime();
        try (Outbox draining = store.outbox(id -> RULES)) {
            while (left(pool) > 0) {
                Thread.sleep(20);
            }
            report("outbox drained", rows / ((System.nanoTime() - begin) / 1e9));
        }
    }

    private static long left(HikariDataSource pool) throws SQLException {
        try (Connection connection = pool.getConnection();
                var select = connection.prepareStatement("SELECT count(*) FROM fanfare_outbox");
                var row = select.executeQuery()) {
            row.next();
            return row.getLong(1);
        }
    }
}
