package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.Durability;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.ResetReason;
import dev.fanfare.servers.PostgresServer;
import dev.fanfare.servers.SqlServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Faults of a real PostgreSQL. */
class PostgresFaultsTest extends FaultCases {

    private static final int MAX_ROUNDS = 8;

    @Override
    SqlServer startServer() {
        // What a commit does not wait for is written so rarely that a crash finds it.
        return PostgresServer.start("-c", "wal_writer_delay=10s", "-c", "max_prepared_transactions=20");
    }

    @Override
    String onlyReading() {
        return "SET default_transaction_read_only = on";
    }

    @Override
    void readOnly(HikariDataSource connections, boolean isReadOnly) throws SQLException {
        try (Connection connection = connections.getConnection()) {
            Dialect.execute(connection, "ALTER SYSTEM SET default_transaction_read_only = " + isReadOnly);
            Dialect.execute(connection, "SELECT pg_reload_conf()");
        }
        await().until(() -> {
            try (Connection connection = connections.getConnection();
                    var show = connection.prepareStatement("SHOW default_transaction_read_only");
                    var row = show.executeQuery()) {
                return row.next() && row.getString(1).equals(isReadOnly ? "on" : "off");
            }
        });
    }

    @Test
    void aTransactionThatTheDatabaseEndsPublishesNothing() throws SQLException {
        try (Cluster cluster = cluster();
                Connection idle = pool().getConnection()) {
            idle.setAutoCommit(false);
            Dialect.execute(idle, "SET LOCAL idle_in_transaction_session_timeout = 50");
            cluster.a.outbox.publishIn(idle, cluster.channel, Payload.of("late"), PublishOptions.none());
            await().until(() -> isGone(idle));

            assertThatThrownBy(idle::commit).isInstanceOf(SQLException.class);
            cluster.settle();
            assertThat(cluster.texts()).doesNotContainKey("late");
        }
    }

    /** Each commit with a NOTIFY in it takes a lock on the whole database. */
    @Test
    void aTransactionThatAppendsNeverNotifies() {
        TwoPhaseDataSource judging = new TwoPhaseDataSource(pool());
        try (Cluster cluster = new Cluster(judging.dataSource(), judging.dataSource())) {
            try (Cluster.Traffic traffic = cluster.traffic()) {
                traffic.more(200);
            }
            cluster.settle();
        }

        assertThat(judging.refusals).isEmpty();
        assertThat(judging.sequenced()).isPositive();
        assertThat(judging.appends()).isGreaterThan(judging.sequenced());
    }

    private static boolean isGone(Connection connection) {
        try {
            Dialect.execute(connection, "SELECT 1");
            return false;
        } catch (SQLException gone) {
            return true;
        }
    }

    /** Whether a crash takes it depends on what else was written just then: so more than once. */
    @Test
    void whatIsAsyncMayBeLostInACrashAndIsToldAndWhatIsSyncIsNot() {
        for (int round = 0; round < MAX_ROUNDS; round++) {
            try (Cluster sync = cluster();
                    Cluster async = new Cluster(
                            pool(),
                            pool(),
                            () -> 0,
                            rules -> rules.retain(1000, Duration.ofDays(1)).durability(Durability.ASYNC))) {
                async.publish(async.a, "first");
                sync.publish(sync.a, "kept"); // and with it all before
                async.publish(async.a, "perhaps lost");
                async.awaitHeard();
                server().kill();
                server().startAgain();
                long kept = async.head().offset();
                sync.settle();
                assertThat(sync.a.resets).isEmpty();
                if (kept == 1) {
                    async.checker.lost(async.channel, kept);
                    async.accepted.remove("perhaps lost");
                    async.publish(async.b, "instead");
                    async.settle();
                    assertThat(async.a.resets)
                            .extracting(reset -> reset.reason())
                            .containsExactly(ResetReason.DIVERGED);
                    return;
                }
            }
        }
        throw new AssertionError(
                "ASYNC commits wait for the disk, it seems: nothing was lost in " + MAX_ROUNDS + " crashes");
    }
}
