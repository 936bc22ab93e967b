package dev.fanfare.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.servers.PostgresServer;
import dev.fanfare.spi.AppendRequest;
import java.time.Duration;
import java.util.concurrent.Phaser;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Compares appending with loops written by hand, on a real PostgreSQL with fsync. Run it with benchmarks/jdbc.sh. */
@Execution(ExecutionMode.SAME_THREAD)
class AppendBenchmark {

    private static final int PUBLISHERS = 64;
    private static final byte[] DATA = new byte[200];
    private static final ChannelRules RULES =
            ChannelRules.builder().retain(10_000_000, Duration.ofDays(1)).build();

    private static PostgresServer server;
    private static HikariDataSource pool;
    private static JdbcStore store;
    private static Comparison comparison;

    @BeforeAll
    static void start() {
        server = PostgresServer.start("-c", "shared_buffers=256MB", "-c", "max_wal_size=8GB");
        pool = Databases.pool(server);
        store = JdbcStore.of(pool).migrate();
        comparison = new Comparison(server, Integer.getInteger("turns", 10));
    }

    @AfterAll
    static void stop() {
        store.close();
        pool.close();
        server.close();
    }

    @Test
    void oneChannel() throws Exception {
        try (HandWritten hand = new HandWritten(pool.getConnection(), 1)) {
            comparison.run(
                    "one channel; by hand 50 rows a commit",
                    length -> hand.perSecond(1, 50, length),
                    length -> publish(1, PUBLISHERS, length));
            comparison.run(
                    "one channel, one publisher",
                    length -> hand.perSecond(1, 1, length),
                    length -> publish(1, 1, length));
        }
    }

    @Test
    void manyChannels() throws Exception {
        try (HandWritten hand = new HandWritten(pool.getConnection(), 1000)) {
            comparison.run(
                    "1,000 channels; by hand 64 a commit",
                    length -> hand.perSecond(PUBLISHERS, 1, length),
                    length -> publish(1000, PUBLISHERS, length));
        }
    }

    /** Publishers that each wait for their answer before they publish again, without a thread each. */
    private static double publish(int channels, int publishers, Duration length) {
        AtomicLong done = new AtomicLong();
        Phaser running = new Phaser(publishers + 1);
        long begin = System.nanoTime();
        for (int i = 0; i < publishers; i++) {
            publishOn(channels, i, begin + length.toNanos(), done, running);
        }
        running.arriveAndAwaitAdvance();
        return done.get() / ((System.nanoTime() - begin) / 1e9);
    }

    private static void publishOn(int channels, int next, long end, AtomicLong done, Phaser running) {
        if (System.nanoTime() - end >= 0) {
            running.arrive();
            return;
        }
        ChannelId id = ChannelId.of("bench:" + channels + "-" + next % channels);
        store.log().append(request(id)).whenComplete((result, failure) -> {
            if (failure != null) {
                failure.printStackTrace();
            }
            done.incrementAndGet();
            publishOn(channels, next + PUBLISHERS + 1, end, done, running);
        });
    }

    private static AppendRequest request(ChannelId id) {
        long tag = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
        return new AppendRequest(id, Payload.wrap(DATA), PublishOptions.none(), null, RULES, tag);
    }
}
