package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.StateAt;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** State and position of one snapshot. */
abstract class SnapshotCases {

    private static final ChannelRules RULES =
            ChannelRules.builder().retain(10_000, Duration.ofHours(1)).build();

    private final String run = Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36);
    private final ChannelId channel = ChannelId.of("orders:" + run);

    private final DataSource dataSource;

    SnapshotCases(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @Test
    void whoLoadsAndThenFollowsMissesNothing() throws Exception {
        int count = 300;
        try (JdbcStore store = JdbcStore.of(dataSource).migrate();
                Outbox outbox = store.outbox(id -> RULES)) {
            try (Connection connection = dataSource.getConnection()) {
                Dialect.execute(connection, "CREATE TABLE orders_" + run + " (id int PRIMARY KEY)");
            }
            CompletableFuture<Void> hosts = CompletableFuture.allOf(
                    CompletableFuture.runAsync(() -> order(outbox, 0, count)),
                    CompletableFuture.runAsync(() -> order(outbox, count, 2 * count)));
            List<StateAt<Set<Integer>>> loads = new ArrayList<>();
            while (!hosts.isDone() || loads.size() < 5) {
                try (Connection connection = dataSource.getConnection()) {
                    loads.add(store.stateAt(connection, channel, this::orders));
                    assertThat(connection.getAutoCommit()).isTrue();
                }
            }
            hosts.get(30, TimeUnit.SECONDS);
            await().atMost(Duration.ofSeconds(20)).until(() -> follow(store, 0).size() == 2 * count);

            for (StateAt<Set<Integer>> at : loads) {
                assertThat(at.state())
                        .as("what was published up to the cursor")
                        .containsAll(
                                follow(store, 0).subList(0, (int) at.cursor().offset()));
                Set<Integer> known = new HashSet<>(at.state());
                known.addAll(follow(store, at.cursor().offset()));
                assertThat(known).hasSize(2 * count);
            }
        }
    }

    private void order(Outbox outbox, int from, int to) {
        for (int id = from; id < to; id++) {
            try (Connection connection = dataSource.getConnection()) {
                connection.setAutoCommit(false);
                Dialect.execute(connection, "INSERT INTO orders_" + run + " VALUES (" + id + ")");
                outbox.publishIn(connection, channel, Payload.of(Integer.toString(id)), PublishOptions.none());
                connection.commit();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private Set<Integer> orders(Connection connection) throws SQLException {
        Set<Integer> ids = new HashSet<>();
        try (PreparedStatement select = connection.prepareStatement("SELECT id FROM orders_" + run);
                ResultSet rows = select.executeQuery()) {
            while (rows.next()) {
                ids.add(rows.getInt(1));
            }
        }
        return ids;
    }

    private List<Integer> follow(JdbcStore store, long offset) {
        return store
                .log()
                .read(LogRead.after(channel, offset, 10_000))
                .toCompletableFuture()
                .join()
                .publications()
                .stream()
                .map(publication -> Integer.parseInt(publication.data().text()))
                .toList();
    }
}
