package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.StoreException;
import dev.fanfare.servers.PostgresServer;
import dev.fanfare.servers.Proxy;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.testkit.HistoryChecker;
import dev.fanfare.testkit.RecordingSubscriber;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** What subscribers see when a real PostgreSQL, or the way to it, fails. */
class PostgresFaultsTest {

    @Test
    void aDatabaseThatIsKilledLosesNothingThatWasAccepted() {
        try (PostgresServer server = PostgresServer.start();
                HikariDataSource pool = Databases.pool(server.url(), "postgres");
                Cluster cluster = new Cluster(pool, pool)) {
            try (Cluster.Traffic traffic = cluster.traffic()) {
                traffic.more(60);
                server.kill();
                await().atMost(Duration.ofSeconds(20))
                        .until(() -> !cluster.a.store.health().isUp());
                assertThat(cluster.a.store.health().reasons().get(0)).startsWith("database: ");
                server.startAgain();
                traffic.more(60);
            }
            cluster.settle();

            assertThat(cluster.a.resets).isEmpty();
            assertThat(cluster.b.resets).isEmpty();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> cluster.a.store.health().isUp());
        }
    }

    @Test
    void aReplyThatIsLostAfterTheServerExecutedDoublesNothing() {
        PostgresServer server = PostgresServer.shared();
        try (Proxy proxy = new Proxy(server.port());
                HikariDataSource pool = Databases.pool(server.url(proxy.port()), "postgres");
                Cluster cluster = new Cluster(pool, Databases.postgres())) {
            try (Cluster.Traffic traffic = cluster.traffic()) {
                for (int i = 0; i < 12; i++) {
                    traffic.more(15);
                    LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(5_000_000));
                    proxy.loseReplies();
                    LockSupport.parkNanos(20_000_000); // the server executes what was sent
                    proxy.cut();
                }
                traffic.more(30);
            }
            cluster.settle();

            assertThat(cluster.b.resets).isEmpty();
            assertThat(cluster.texts().values()).as("how often each is there").containsOnly(1);
        }
    }

    @Test
    void aConnectionThatFallsSilentIsGivenUp() {
        PostgresServer server = PostgresServer.shared();
        try (Proxy proxy = new Proxy(server.port());
                HikariDataSource pool = Databases.pool(server.url(proxy.port()), "postgres");
                Cluster cluster = new Cluster(pool, Databases.postgres())) {
            try (Cluster.Traffic traffic = cluster.traffic()) {
                traffic.more(30);
                proxy.freeze();
                traffic.more(200);
            }
            cluster.settle();

            assertThat(cluster.b.resets).isEmpty();
        }
    }

    @Test
    void whoResumesWhileItIsTrimmedContinuesWithoutAHoleOrIsReset() throws Exception {
        DataSource pool = Databases.postgres();
        try (Cluster cluster = new Cluster(
                pool,
                pool,
                () -> 0,
                rules -> rules.retain(60, Duration.ofDays(1)).recoveryLimit(100))) {
            cluster.publish(cluster.a, "first");
            int continued = 0;
            int reset = 0;
            try (Cluster.Traffic traffic = cluster.traffic()) {
                for (int i = 0; i < 40; i++) {
                    Cursor from = cluster.b
                            .store
                            .log()
                            .read(LogRead.head(cluster.channel))
                            .toCompletableFuture()
                            .join()
                            .head();
                    HistoryChecker.Client client = cluster.checker.client("resumer " + i, cluster.channel);
                    traffic.more(i * 3);
                    RecordingSubscriber resumer = new RecordingSubscriber(client);
                    var subscription = (i % 2 == 0 ? cluster.a : cluster.b)
                            .fanfare.subscribe(cluster.channel, StartAt.after(from), resumer);
                    Resume resume = resumer.awaitReady();
                    subscription.close();
                    if (resume instanceof Resume.Reset) {
                        reset++;
                    } else {
                        assertThat(resume.position().offset()).isEqualTo(from.offset());
                        continued++;
                    }
                }
            }
            cluster.checker.assertHolds();
            assertThat(continued).as("continued").isPositive();
            assertThat(reset).as("reset").isPositive();
        }
    }

    @Test
    void aReadOnlyDatabaseTakesNothingAndSaysSo() throws SQLException {
        try (PostgresServer server = PostgresServer.start("-c", "fsync=off");
                HikariDataSource pool = Databases.pool(server.url(), "postgres");
                Cluster cluster = new Cluster(pool, pool)) {
            cluster.publish(cluster.a, "before");
            readOnly(pool, true);

            assertThatThrownBy(() -> cluster.a
                            .fanfare
                            .publish(cluster.channel, Payload.of("refused"), PublishOptions.none())
                            .toCompletableFuture()
                            .join())
                    .cause()
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            failure -> assertThat(failure.isRetryable()).isTrue())
                    .hasMessageContaining("read-only");
            assertThat(cluster.a.store.health().reasons()).containsExactly("database: is read-only");
            assertThat(cluster.texts()).containsOnlyKeys("before");

            readOnly(pool, false);
            cluster.publish(cluster.a, "after");
            cluster.settle();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> cluster.a.store.health().isUp());
        }
    }

    private static void readOnly(DataSource dataSource, boolean isReadOnly) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            Dialect.execute(connection, "ALTER SYSTEM SET default_transaction_read_only = " + isReadOnly);
            Dialect.execute(connection, "SELECT pg_reload_conf()");
        }
        await().until(() -> {
            try (Connection connection = dataSource.getConnection();
                    var show = connection.prepareStatement("SHOW default_transaction_read_only");
                    var row = show.executeQuery()) {
                return row.next() && row.getString(1).equals(isReadOnly ? "on" : "off");
            }
        });
    }

    @Test
    void anEarlierStateOfTheDatabaseIsToldAsDiverged() {
        try (PostgresServer server = PostgresServer.start("-c", "fsync=off");
                HikariDataSource pool = Databases.pool(server.url(), "postgres");
                Cluster cluster = new Cluster(pool, pool)) {
            for (int i = 0; i < 5; i++) {
                cluster.publish(cluster.a, "kept-" + i);
            }
            server.stop();
            server.saveData();
            server.startAgain();
            for (int i = 0; i < 5; i++) {
                cluster.publish(cluster.a, "lost-" + i);
            }
            await().until(() -> cluster.b.client.position().map(Cursor::offset).orElse(0L) == 10);
            server.stop();
            server.restoreData();
            server.startAgain();
            cluster.checker.lost(cluster.channel, 5);
            cluster.accepted.removeIf(text -> text.startsWith("lost"));
            for (int i = 0; i < 7; i++) {
                cluster.publish(cluster.b, "new-" + i);
            }
            cluster.settle();

            assertThat(cluster.b.resets).extracting(reset -> reset.reason()).containsExactly(ResetReason.DIVERGED);
        }
    }

    @Test
    void anOldSnapshotHoldsUpNothing() throws SQLException {
        DataSource pool = Databases.postgres();
        try (Cluster cluster = new Cluster(pool, pool, () -> 0, rules -> rules.retain(100, Duration.ofDays(1)));
                Connection idle = pool.getConnection()) {
            idle.setAutoCommit(false);
            idle.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            Dialect.execute(idle, "SELECT count(*) FROM fanfare_log");
            try (Cluster.Traffic traffic = cluster.traffic()) {
                traffic.more(600);
            }
            cluster.b.store.tidy();
            var page = cluster.b
                    .store
                    .log()
                    .read(LogRead.after(cluster.channel, 0, 1000))
                    .toCompletableFuture()
                    .join();

            assertThat(page.publications()).hasSize(100);
            assertThat(page.publications().get(99).offset())
                    .isEqualTo(page.head().offset());
            // Who is overtaken by the trimming is told so; it is the checker's to say that nothing else is missing.
            cluster.checker.assertHolds();
            idle.rollback();
        }
    }

    @Test
    void aClockThatJumpsNeitherReordersNorLoses() {
        AtomicLong shift = new AtomicLong();
        DataSource pool = Databases.postgres();
        try (Cluster cluster = new Cluster(
                pool,
                pool,
                shift::get,
                rules -> rules.retain(100_000, Duration.ofDays(1)).recoveryLimit(100_000))) {
            try (Cluster.Traffic traffic = cluster.traffic()) {
                for (int i = 0; i < 10; i++) {
                    traffic.more(20);
                    shift.set(ThreadLocalRandom.current().nextLong(-3_600_000, 3_600_000));
                }
            }
            shift.set(0);
            cluster.settle();

            assertThat(cluster.a.resets).isEmpty();
            assertThat(cluster.b.resets).isEmpty();
        }
    }
}
