package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.StoreException;
import dev.fanfare.servers.Proxy;
import dev.fanfare.servers.SqlServer;
import dev.fanfare.testkit.HistoryChecker;
import dev.fanfare.testkit.RecordingSubscriber;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What subscribers see when a real database, or the way to it, fails. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class FaultCases {

    private static final Duration SOON = Duration.ofSeconds(20);

    private SqlServer server;
    private HikariDataSource pool;

    /** Starts a server with an empty database, and the settings that it has for production. */
    abstract SqlServer startServer();

    /** Lets all transactions that begin from now on read only, or not. */
    abstract void readOnly(HikariDataSource connections, boolean isReadOnly) throws SQLException;

    /** Lets a connection be idle within a transaction for as long as the machine needs. */
    void letIdle(Connection connection) throws SQLException {}

    /** Returns what lets a connection only read from now on. */
    abstract String onlyReading();

    @BeforeAll
    void start() {
        server = startServer();
        pool = Databases.pool(server);
    }

    @AfterAll
    void stop() {
        if (server != null) {
            pool.close();
            server.close();
        }
    }

    SqlServer server() {
        return server;
    }

    HikariDataSource pool() {
        return pool;
    }

    Cluster cluster() {
        return new Cluster(pool, pool);
    }

    @Test
    void aDatabaseThatIsKilledLosesNothingThatWasAccepted() {
        try (Cluster cluster = cluster()) {
            try (Cluster.Traffic traffic = cluster.traffic()) {
                traffic.more(60);
                server.kill();
                await().atMost(Duration.ofSeconds(20))
                        .until(() -> !cluster.a.store.health().isUp());
                assertThat(cluster.a.store.health().reasons().get(0)).startsWith("jdbc: ");
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
        try (Proxy proxy = new Proxy(server.port());
                HikariDataSource unreliable = Databases.pool(server.url(proxy.port()));
                Cluster cluster = new Cluster(unreliable, pool)) {
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
        try (Proxy proxy = new Proxy(server.port());
                HikariDataSource unreliable = Databases.pool(server.url(proxy.port()));
                Cluster cluster = new Cluster(unreliable, pool)) {
            try (Cluster.Traffic traffic = cluster.traffic()) {
                traffic.more(60);
                proxy.freezeNext(1); // which stops the pool from growing until the driver gives up, as its URL says
                proxy.freeze();
                traffic.more(200);
            }
            cluster.settle();

            assertThat(cluster.b.resets).isEmpty();
        }
    }

    @Test
    void whoHoldsAChannelForTooLongLetsPublishesFailAndNothingElse() throws SQLException {
        try (Cluster cluster = cluster();
                Connection holder = pool.getConnection()) {
            cluster.publish(cluster.a, "before");
            holder.setAutoCommit(false);
            Dialect.execute(holder, "SELECT * FROM fanfare_channel FOR UPDATE");

            assertThatThrownBy(() -> cluster.a
                            .fanfare
                            .publish(cluster.channel, Payload.of("too late"), PublishOptions.none())
                            .toCompletableFuture()
                            .join())
                    .cause()
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            failure -> assertThat(failure.isRetryable()).isTrue());
            holder.rollback();

            cluster.publish(cluster.b, "after");
            cluster.settle();
            assertThat(cluster.texts()).doesNotContainKey("too late");
        }
    }

    @Test
    void whoResumesWhileItIsTrimmedContinuesWithoutAHoleOrIsReset() throws Exception {
        try (Cluster cluster = new Cluster(
                pool,
                pool,
                () -> 0,
                rules -> rules.retain(60, Duration.ofDays(1)).recoveryLimit(100))) {
            cluster.publish(cluster.a, "first");
            int continued = 0;
            int reset = 0;
            Cursor atRest = cluster.head();
            cluster.publish(cluster.a, "second");
            RecordingSubscriber first = new RecordingSubscriber();
            cluster.b.fanfare.subscribe(cluster.channel, StartAt.after(atRest), first);
            continued += first.awaitReady() instanceof Resume.Continued ? 1 : 0;
            try (Cluster.Traffic traffic = cluster.traffic()) {
                for (int i = 0; i < 24; i++) {
                    Cursor from = cluster.head();
                    HistoryChecker.Client client = cluster.checker.client("resumer " + i, cluster.channel);
                    traffic.more(i * 4);
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
        try (Cluster cluster = cluster()) {
            cluster.publish(cluster.a, "before");
            try {
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
                assertThat(cluster.a.store.health().reasons()).contains("jdbc: is read-only");
                assertThat(cluster.texts()).containsOnlyKeys("before");
            } finally {
                readOnly(pool, false);
            }
            cluster.publish(cluster.a, "after");
            cluster.settle();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> cluster.a.store.health().isUp());
        }
    }

    /** As those are that a pool keeps to a server which was the primary. */
    @Test
    void connectionsThatOnlyReadAreNotKept() throws SQLException {
        try (Cluster cluster = cluster();
                HikariDataSource stale = Databases.pool(server)) {
            cluster.publish(cluster.b, "before");
            letOnlyRead(stale, 9);
            try (JdbcStore store = JdbcStore.of(stale);
                    Fanfare fanfare = Fanfare.builder()
                            .store(store)
                            .namespace("chat", rules -> rules.retain(100, Duration.ofDays(1)))
                            .build()) {

                await().atMost(SOON)
                        .untilAsserted(() -> assertThat(fanfare.publish(
                                        cluster.channel, Payload.of("after"), PublishOptions.dedupKey("after")))
                                .succeedsWithin(SOON));
                await().atMost(SOON).until(() -> store.health().isUp());
            }
            assertThat(cluster.texts()).containsEntry("after", 1);
        }
    }

    private void letOnlyRead(HikariDataSource connections, int count) throws SQLException {
        connections.setMaximumPoolSize(count);
        List<Connection> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(connections.getConnection());
        }
        for (Connection each : all) {
            Dialect.execute(each, onlyReading());
            each.close();
        }
    }

    @Test
    void aFullDiskIsSaidAloudAndLosesNothing() {
        try (Cluster cluster = cluster()) {
            server.restart(true);
            StoreException refusal = cluster.fill(cluster.a);

            assertThat(refusal.isRetryable()).isTrue();
            assertThat(refusal).hasMessageContaining("has no room left");
            assertThat(cluster.a.store.health().reasons()).contains("jdbc: has no room left");
            assertThat(cluster.texts()).containsOnlyKeys(cluster.accepted);

            server.restart(false);
            cluster.publish(cluster.a, "after");
            cluster.settle();
            assertThat(cluster.b.resets).isEmpty();
        }
    }

    @Test
    void whatIsInMemoryIsDeliveredWhileTheDatabaseIsDown() {
        try (Cluster cluster = cluster()) {
            cluster.publish(cluster.a, "first");
            for (int i = 0; i < 50; i++) {
                cluster.publish(cluster.b, "accepted-" + i);
            }
            Cursor first = cluster.log(0).get(0).cursor();
            cluster.awaitHeard();
            server.kill();
            try {
                HistoryChecker.Client client = cluster.checker.client("late", cluster.channel);
                RecordingSubscriber late = new RecordingSubscriber(client);
                cluster.b.fanfare.subscribe(cluster.channel, StartAt.after(first), late);

                assertThat(late.awaitReady()).isInstanceOf(Resume.Continued.class);
                assertThat(late.awaitPublications(50))
                        .extracting(publication -> publication.data().text())
                        .startsWith("accepted-0")
                        .endsWith("accepted-49");
            } finally {
                server.startAgain();
            }
            cluster.settle();
        }
    }

    @Test
    void anEarlierStateOfTheDatabaseIsToldAsDiverged() {
        try (Cluster cluster = cluster()) {
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
    void anOldTransactionHoldsUpNothing() throws SQLException {
        try (Cluster cluster = new Cluster(pool, pool, () -> 0, rules -> rules.retain(100, Duration.ofDays(1)));
                Connection old = pool.getConnection()) {
            letIdle(old);
            old.setAutoCommit(false);
            old.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            Dialect.execute(old, "SELECT count(*) FROM fanfare_log");
            cluster.a.outbox.publishIn(old, cluster.channel, Payload.of("late"), PublishOptions.none());
            try (Cluster.Traffic traffic = cluster.traffic()) {
                traffic.more(400);
            }
            await().atMost(SOON).until(() -> cluster.head().offset() == cluster.accepted.size());
            cluster.b.store.tidy();

            assertThat(cluster.log(0)).hasSize(100);
            assertThat(cluster.texts()).doesNotContainKey("late");
            old.commit();
            await().atMost(SOON).until(() -> cluster.texts().containsKey("late"));
            // Who is overtaken by the trimming is told so; it is the checker's to say that nothing else is missing.
            cluster.checker.assertHolds();
        }
    }

    @Test
    void aClockThatJumpsNeitherReordersNorLoses() {
        AtomicLong shift = new AtomicLong();
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
