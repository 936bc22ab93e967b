package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Real deadlocks: somebody holds the second of two channels and wants the first. The database ends one of the two
 * transactions, which must be ours: the other only goes on because of that.
 */
abstract class ConflictCases {

    private static final ChannelRules RULES =
            ChannelRules.builder().retain(1000, Duration.ofHours(1)).build();
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final DataSource dataSource;
    private final JdbcStore store;
    private final String run = Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36);
    private final ChannelId gate = ChannelId.of("conflict:" + run + "-gate");
    private final ChannelId first = ChannelId.of("conflict:" + run + "-a");
    private final ChannelId second = inTheSamePartition();

    ConflictCases(DataSource dataSource) {
        this.dataSource = dataSource;
        this.store = JdbcStore.builder(dataSource).threads(2).build().migrate();
    }

    private ChannelId inTheSamePartition() {
        return Stream.iterate(0, i -> i + 1)
                .map(i -> ChannelId.of("conflict:" + run + "-b" + i))
                .filter(id -> (Channels.bucket(id) - Channels.bucket(first)) % Outbox.PARTITIONS == 0)
                .findFirst()
                .orElseThrow();
    }

    @BeforeEach
    void makeChannels() {
        List.of(gate, first, second)
                .forEach(id -> assertThat(append(id, "before")).succeedsWithin(PATIENCE));
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void anAppendThatDeadlocksIsRunAgain() throws SQLException {
        CompletableFuture<AppendResult> toFirst;
        CompletableFuture<AppendResult> toSecond;
        try (Connection holder = heavyTransaction();
                Connection gatekeeper = dataSource.getConnection()) {
            lock(holder, second);
            gatekeeper.setAutoCommit(false);
            lock(gatekeeper, gate);
            // They keep the store's two threads, so that the others are appended together.
            store.log().clear(gate);
            store.log().clear(gate);
            toFirst = append(first, "after");
            toSecond = append(second, "after");
            gatekeeper.rollback();
            await().until(() -> isLocked(first));

            lock(holder, first);
            assertThat(toFirst).isNotDone();
            holder.rollback();
        }

        assertThat(toFirst).succeedsWithin(PATIENCE).isInstanceOf(AppendResult.Appended.class);
        assertThat(toSecond).succeedsWithin(PATIENCE).isInstanceOf(AppendResult.Appended.class);
        assertThat(texts(first)).containsExactly("before", "after");
        assertThat(texts(second)).containsExactly("before", "after");
    }

    @Test
    void aSequencerThatDeadlocksStartsAgain() throws SQLException {
        try (Outbox outbox = store.outbox(id -> RULES);
                Connection holder = heavyTransaction()) {
            lock(holder, second);
            try (Connection host = dataSource.getConnection()) {
                host.setAutoCommit(false);
                outbox.publishIn(host, first, Payload.of("after"), PublishOptions.none());
                outbox.publishIn(host, second, Payload.of("after"), PublishOptions.none());
                host.commit();
            }
            await().until(() -> isLocked(first));

            lock(holder, first);
            holder.rollback();

            await().atMost(PATIENCE).until(() -> texts(second).size() > 1);
            assertThat(texts(first)).containsExactly("before", "after");
            assertThat(texts(second)).containsExactly("before", "after");
        }
    }

    /** A transaction that has changed so much that the database would rather end another. */
    private Connection heavyTransaction() throws SQLException {
        Connection connection = dataSource.getConnection();
        connection.setAutoCommit(false);
        if (connection.getMetaData().getDatabaseProductName().equals("PostgreSQL")) {
            try (Statement statement = connection.createStatement()) {
                // There whoever looks for a deadlock ends himself, once, after he waited for so long.
                statement.execute("SET LOCAL deadlock_timeout = '10min'");
            }
        }
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO fanfare_ended_life (life) VALUES (?)")) {
            for (int i = 0; i < 100; i++) {
                insert.setLong(1, Keys.newId());
                insert.addBatch();
            }
            insert.executeBatch();
        }
        return connection;
    }

    private static void lock(Connection connection, ChannelId channel) throws SQLException {
        assertThat(find(connection, channel, "FOR UPDATE")).isTrue();
    }

    private boolean isLocked(ChannelId channel) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            return !find(connection, channel, "FOR UPDATE SKIP LOCKED");
        }
    }

    private static boolean find(Connection connection, ChannelId channel, String how) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT id FROM fanfare_channel WHERE name = ? " + how)) {
            select.setString(1, channel.value());
            try (ResultSet row = select.executeQuery()) {
                return row.next();
            }
        }
    }

    private CompletableFuture<AppendResult> append(ChannelId channel, String text) {
        return store.log()
                .append(new AppendRequest(channel, Payload.of(text), PublishOptions.none(), null, RULES, Keys.newId()))
                .toCompletableFuture();
    }

    private List<String> texts(ChannelId channel) {
        return store.log().read(LogRead.after(channel, 0, 100)).toCompletableFuture().join().publications().stream()
                .map(Publication::data)
                .map(Payload::text)
                .toList();
    }
}
