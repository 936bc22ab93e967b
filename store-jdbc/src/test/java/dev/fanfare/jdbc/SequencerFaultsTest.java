package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** A node that dies while it sequences, after each step that it does. */
class SequencerFaultsTest {

    private static final ChannelRules RULES =
            ChannelRules.builder().retain(1000, Duration.ofHours(1)).build();
    private static final int ROWS = 5;

    @Test
    void whereverANodeDiesAnotherGoesOnOnPostgres() throws SQLException {
        dieAtEachStep(Databases.postgres());
    }

    @Test
    void whereverANodeDiesAnotherGoesOnOnH2() throws SQLException {
        dieAtEachStep(Databases.h2Memory());
    }

    private void dieAtEachStep(DataSource dataSource) throws SQLException {
        try (JdbcStore heir = JdbcStore.of(dataSource).migrate()) {
            int step = 0;
            while (dieAt(step, false, dataSource, heir)) {
                assertThat(dieAt(step, true, dataSource, heir)).isTrue();
                step++;
            }
            assertThat(step).as("steps of one transaction").isBetween(5, 30);
        }
    }

    /** Returns whether the node has died: beyond the last step it lives and does all the work. */
    private boolean dieAt(int step, boolean isReplyLost, DataSource dataSource, JdbcStore heir) throws SQLException {
        ChannelId channel = ChannelId.of("dying:" + step + '-'
                + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36));
        DyingDataSource dying = new DyingDataSource(dataSource, step, isReplyLost);
        try (JdbcStore store = JdbcStore.of(dying.dataSource());
                Outbox outbox = store.outbox(id -> RULES)) {
            try (Connection connection = dataSource.getConnection()) {
                connection.setAutoCommit(false);
                for (int i = 0; i < ROWS; i++) {
                    outbox.publishIn(connection, channel, Payload.of("p" + i), PublishOptions.dedupKey("k" + i));
                }
                connection.commit();
            }
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> dying.isDead() || read(heir, channel).size() == ROWS);
        }
        if (dying.isDead()) {
            try (Outbox outbox = heir.outbox(id -> RULES)) {
                outbox.committed();
                await().atMost(Duration.ofSeconds(20))
                        .until(() -> read(heir, channel).size() >= ROWS && isEmpty(dataSource));
            }
        }
        List<Publication> publications = read(heir, channel);
        assertThat(publications)
                .extracting(publication -> publication.data().text())
                .as("after step " + step)
                .containsExactly("p0", "p1", "p2", "p3", "p4");
        for (int i = 1; i < ROWS; i++) {
            assertThat(publications.get(i).follows(publications.get(i - 1).cursor()))
                    .isTrue();
        }
        return dying.isDead();
    }

    private static List<Publication> read(JdbcStore store, ChannelId channel) {
        return store.log()
                .read(LogRead.after(channel, 0, 1000))
                .toCompletableFuture()
                .join()
                .publications();
    }

    private static boolean isEmpty(DataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                var select = connection.prepareStatement("SELECT count(*) FROM fanfare_outbox");
                var row = select.executeQuery()) {
            return row.next() && row.getLong(1) == 0;
        }
    }
}
