package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.PresenceStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a disk or a hand may leave in the database stands in nobody's way. */
abstract class UnreadableRowCases {

    private static final byte[] CUT_OFF = {0, 0, 0, 1, 0x7f};
    private static final Duration DAY = Duration.ofDays(1);

    private final DataSource dataSource;
    private final JdbcStore store;
    private final String run = Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36);
    private final ChannelId channel = ChannelId.of("spoiled:" + run);

    UnreadableRowCases(DataSource dataSource) {
        this.dataSource = dataSource;
        this.store = JdbcStore.of(dataSource).migrate();
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void aMemberThatCannotBeReadIsCountedButNotListed() throws SQLException {
        enter("ann");
        enter("bob");
        spoil("UPDATE fanfare_seat SET member = ? WHERE connection = ?", Keys.of(channel, "ann-1"));

        PresenceSnapshot snapshot = done(store.presence().snapshot(channel, 10));

        assertThat(snapshot.members()).extracting(Member::user).containsExactly("bob");
        assertThat(snapshot.users()).isEqualTo(2);
        assertThat(store.malformed()).isEqualTo(1);
        assertThat(done(store.presence().leave(channel, member("ann"), Duration.ZERO)))
                .as("left")
                .isTrue();
        assertThat(done(store.presence().snapshot(channel, 10)).users()).isEqualTo(1);
    }

    @Test
    void aDepartureThatCannotBeReadHoldsUpNoOther() throws SQLException {
        for (String user : new String[] {"ann", "bob"}) {
            enter(user);
            done(store.presence().leave(channel, member(user), Duration.ofMillis(1)));
        }
        spoil(
                "UPDATE fanfare_present SET last_member = ? WHERE id = ?",
                Keys.of(channel, member("ann").identity()));

        int left = 0;
        while (done(store.presence().snapshot(channel, 10)).users() > 0) {
            left += (int) done(store.presence().sweep(100)).stream()
                    .filter(departure -> departure.channel().equals(channel))
                    .peek(departure -> assertThat(departure.member().user()).isEqualTo("bob"))
                    .count();
        }

        assertThat(left).isEqualTo(1);
        assertThat(store.malformed()).isPositive();
    }

    @Test
    void aLatestValueThatCannotBeReadCountsAsAbsentUntilTheNext() throws SQLException {
        put("a", "1");
        put("b", "2");
        spoil("UPDATE fanfare_latest SET publication = ? WHERE id = ?", Keys.of(channel, "a"));

        assertThat(done(store.latestValues().get(channel, "a"))).isNull();
        assertThat(values()).containsOnlyKeys("b");
        assertThat(store.malformed()).isEqualTo(2);
        put("a", "3");
        assertThat(values()).containsOnlyKeys("a", "b");
    }

    private void enter(String user) {
        PresenceStore presence = store.presence();
        done(presence.renew("node-" + run, DAY));
        assertThat(done(presence.enter("node-" + run, channel, member(user), Duration.ZERO)))
                .as("joined")
                .isTrue();
    }

    private static Member member(String user) {
        return new Member(user, user + "-1", null);
    }

    private void put(String key, String text) {
        Publication value =
                Publication.builder(Payload.of(text)).timeMillis(1).key(key).build();
        done(store.latestValues().put(channel, key, value, DAY));
    }

    private Map<String, Publication> values() {
        return done(store.latestValues().all(channel, 10));
    }

    private void spoil(String update, byte[] id) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(update)) {
            statement.setBytes(1, CUT_OFF);
            statement.setBytes(2, id);
            assertThat(statement.executeUpdate()).isEqualTo(1);
        }
    }

    private static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }
}
