package dev.fanfare.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.Subscriber;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.testkit.RecordingSubscriber;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two nodes on one database, with nothing else between them, behave as one. */
abstract class ClusterCases {

    private final DataSource dataSource;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final ChannelId channel =
            ChannelId.of("chat:" + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36));

    ClusterCases(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @AfterEach
    void closeAll() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    @Test
    void whatOneNodePublishesTheOtherDelivers() throws Exception {
        Fanfare here = node();
        Fanfare there = node();
        Recorder local = subscribe(here);
        Recorder remote = subscribe(there);

        List<CompletableFuture<PublishResult>> results = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            results.add(here.publish(channel, Payload.of("p" + i), PublishOptions.none())
                    .toCompletableFuture());
            if (i % 100 == 0) {
                there.publish(channel, Payload.of("back"), PublishOptions.none())
                        .toCompletableFuture()
                        .get(10, TimeUnit.SECONDS);
            }
        }
        CompletableFuture.allOf(results.toArray(CompletableFuture[]::new)).get(20, TimeUnit.SECONDS);

        for (Recorder each : List.of(local, remote)) {
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(each.seen).hasSize(505));
            each.assertUnbroken();
        }
    }

    @Test
    void whoSubscribesToAPatternHearsOtherNodesThroughTheLog() throws Exception {
        Fanfare here = node();
        Fanfare there = node();
        Map<ChannelId, List<Publication>> heard = new ConcurrentHashMap<>();
        there.subscribeMatching(
                        channel + "-*",
                        (from, publication) -> heard.computeIfAbsent(from, id -> new CopyOnWriteArrayList<>())
                                .add(publication))
                .ready()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        List<ChannelId> channels = List.of(ChannelId.of(channel + "-a"), ChannelId.of(channel + "-b"));

        for (int round = 0; round < 2; round++) {
            int count = round == 0 ? 1 : 200;
            for (int i = 0; i < count; i++) {
                for (ChannelId each : channels) {
                    here.publish(each, Payload.of("p" + i), PublishOptions.none())
                            .toCompletableFuture()
                            .get(10, TimeUnit.SECONDS);
                }
            }
            int expected = round == 0 ? 1 : 201;
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(channels)
                            .allSatisfy(each -> assertThat(heard.getOrDefault(each, List.of()))
                                    .hasSize(expected)));
        }

        heard.values().forEach(run -> {
            for (int i = 0; i < run.size(); i++) {
                assertThat(run.get(i).offset()).isEqualTo(i + 1);
            }
        });
    }

    @Test
    void aMessageThatCannotBeReadStopsNothing() throws Exception {
        Fanfare here = node();
        Recorder remote = subscribe(node());
        here.publish(channel, Payload.of("before"), PublishOptions.none())
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);

        await().atMost(Duration.ofSeconds(10)).until(() -> remote.seen.size() == 1);

        for (BusMessage.Kind kind : BusMessage.Kind.values()) {
            announce(kind.number, new byte[0]);
            announce(kind.number, new byte[] {0, 0, 0, 1, 0x7f, -1, -1, -1, 0});
            announce(kind.number, new byte[] {0x7f, -1, -1, -1, 0, 0, 0, 0});
        }
        announce(99, new byte[1]); // of a later version
        here.publish(channel, Payload.of("after"), PublishOptions.none())
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);

        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(remote.seen)
                        .extracting(publication -> publication.data().text())
                        .containsExactly("before", "after"));
        remote.assertUnbroken();
    }

    /** As a disk or a hand may leave it. */
    @Test
    void aRowThatCannotBeReadCountsAsTrimmed() throws Exception {
        Fanfare here = node();
        List<Cursor> cursors = new ArrayList<>();
        for (int i = 1; i <= 5; i++) {
            cursors.add(publish(here, "p" + i));
        }
        spoil(3, new byte[] {0, 0, 0, 7, 0x7f, -1, -1, -1, 0});
        JdbcStore store = JdbcStore.of(dataSource);
        opened.add(store);
        Fanfare there = node(store);

        RecordingSubscriber behind = new RecordingSubscriber();
        there.subscribe(channel, StartAt.after(cursors.get(2)), behind);
        assertThat(behind.awaitReady()).isInstanceOf(Resume.Continued.class);
        assertThat(behind.awaitPublications(2))
                .extracting(publication -> publication.data().text())
                .containsExactly("p4", "p5");
        RecordingSubscriber before = new RecordingSubscriber();
        node(store).subscribe(channel, StartAt.after(cursors.get(0)), before);
        assertThat(before.awaitReady()).isEqualTo(new Resume.Reset(ResetReason.TRIMMED, cursors.get(4)));

        assertThat(texts(there, HistoryQuery.first(10))).containsExactly("p4", "p5");
        assertThat(texts(there, HistoryQuery.latest(10))).containsExactly("p5", "p4");
        assertThat(store.malformed()).isPositive();
        publish(here, "p6");
        assertThat(before.awaitPublications(1))
                .extracting(publication -> publication.data().text())
                .containsExactly("p6");
    }

    @Test
    void aHistoryOfSeveralPagesHasNoHoleWhereARowCannotBeRead() throws Exception {
        Fanfare here = node();
        for (int i = 1; i <= 5; i++) {
            publish(here, "p" + i);
        }
        spoil(1, new byte[] {0, 0});
        spoil(3, new byte[] {0, 0, 0, 1});

        HistoryResult result = node().history(channel, HistoryQuery.first(2))
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        assertThat(result)
                .isInstanceOfSatisfying(
                        HistoryResult.Unrecoverable.class,
                        broken -> assertThat(broken.reason()).isEqualTo(ResetReason.TRIMMED));
    }

    @Test
    void aReadDoesNotWalkAStretchWithoutEnd() throws Exception {
        JdbcStore store = JdbcStore.of(dataSource).migrate();
        opened.add(store);
        Fanfare node = node(store);
        Cursor first = publish(node, "p1");
        CompletableFuture<?>[] more = new CompletableFuture<?>[499];
        for (int i = 0; i < more.length; i++) {
            more[i] = node.publish(channel, Payload.of("p"), PublishOptions.none())
                    .toCompletableFuture();
        }
        CompletableFuture.allOf(more).get(20, TimeUnit.SECONDS);
        Cursor last = publish(node, "last");
        spoil("off < 500", new byte[] {0, 0});

        LogPage page = store.log()
                .read(LogRead.after(channel, 0, 1))
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);

        assertThat(page).isEqualTo(new LogPage(last, List.of()));
        assertThat(store.malformed()).as("rows that were tried").isLessThan(400);
        assertThat(node.history(channel, HistoryQuery.after(first, 1)))
                .succeedsWithin(Duration.ofSeconds(10))
                .isEqualTo(new HistoryResult.Unrecoverable(ResetReason.TRIMMED, last));
    }

    @Test
    void whatIsBehindAFewRowsThatCannotBeReadIsFoundWhateverThePage() throws Exception {
        JdbcStore store = JdbcStore.of(dataSource).migrate();
        opened.add(store);
        Fanfare node = node(store);
        for (int i = 1; i <= 40; i++) {
            publish(node, "p" + i);
        }
        spoil("off <= 30", new byte[] {0, 0});

        assertThat(texts(node, HistoryQuery.first(2))).containsExactly("p31", "p32");
    }

    private void spoil(long offset, byte[] extra) throws SQLException {
        assertThat(spoil("off = " + offset, extra)).isEqualTo(1);
    }

    @CanIgnoreReturnValue
    private int spoil(String where, byte[] extra) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement update = connection.prepareStatement("UPDATE fanfare_log SET extra = ? WHERE " + where
                        + " AND life = (SELECT id FROM fanfare_channel WHERE name = ?)")) {
            update.setBytes(1, extra);
            update.setString(2, channel.value());
            return update.executeUpdate();
        }
    }

    private Cursor publish(Fanfare node, String text) throws Exception {
        return node.publish(channel, Payload.of(text), PublishOptions.none())
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS)
                .position()
                .orElseThrow();
    }

    private List<String> texts(Fanfare node, HistoryQuery query) throws Exception {
        HistoryResult page = node.history(channel, query).toCompletableFuture().get(10, TimeUnit.SECONDS);
        return ((HistoryResult.Page) page)
                .publications().stream()
                        .map(publication -> publication.data().text())
                        .toList();
    }

    /** Drivers like to quote; what is published belongs into no log. */
    @Test
    void aBatchThatFailsQuotesNothingOfWhatItWrites() throws Exception {
        node(); // which makes the tables
        Database database =
                new Database(dataSource, new Tables(Tables.DEFAULT_PREFIX), 1, Duration.ofSeconds(5), () -> 0);
        try {
            CompletableFuture<Integer> written =
                    database.transact("write twice", ClusterCases::writeTwice).toCompletableFuture();

            assertThat(written).failsWithin(Duration.ofSeconds(20));
            assertThat(Throwables.getStackTrace(
                            written.handle((rows, failure) -> failure).join()))
                    .contains("write twice")
                    .doesNotContain("private words")
                    .doesNotContainIgnoringCase("7072697661746520776f726473"); // the same in hex
        } finally {
            database.close(Duration.ofSeconds(5));
        }
    }

    private static int writeTwice(Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO fanfare_bus (seq, sender, kind, channel, body, sent_at) VALUES (-1, 7, 3, ?, ?, 0)")) {
            for (int i = 0; i < 2; i++) {
                insert.setString(1, "private words");
                insert.setBytes(2, "private words".getBytes(UTF_8));
                insert.addBatch();
            }
            return insert.executeBatch().length;
        }
    }

    /** Puts a message on the bus as somebody does who knows no better. */
    private void announce(int kind, byte[] body) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            Dialect.execute(connection, "UPDATE fanfare_counter SET val = val + 1 WHERE name = 'bus'");
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO fanfare_bus (seq, sender, kind, channel, body, sent_at)"
                            + " SELECT val, 7, ?, ?, ?, ? FROM fanfare_counter WHERE name = 'bus'")) {
                insert.setInt(1, kind);
                insert.setString(2, channel.value());
                insert.setBytes(3, body);
                insert.setLong(4, System.currentTimeMillis());
                insert.executeUpdate();
            }
            connection.commit();
        }
    }

    private Fanfare node() {
        JdbcStore store = JdbcStore.of(dataSource).migrate();
        opened.add(store);
        return node(store);
    }

    private Fanfare node(JdbcStore store) {
        Fanfare fanfare = Fanfare.builder()
                .store(store)
                .namespace(
                        "chat",
                        rules -> rules.retain(10_000, Duration.ofHours(1)).recoveryLimit(10_000))
                .build();
        opened.add(fanfare);
        return fanfare;
    }

    private Recorder subscribe(Fanfare fanfare) throws Exception {
        Recorder recorder = new Recorder();
        fanfare.subscribe(channel, StartAt.live(), recorder)
                .ready()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        return recorder;
    }

    private static final class Recorder implements Subscriber {
        private final List<Publication> seen = new CopyOnWriteArrayList<>();
        private final List<Resume.Reset> resets = new CopyOnWriteArrayList<>();

        @Override
        public void onPublication(Publication publication) {
            seen.add(publication);
        }

        @Override
        public void onReset(Resume.Reset reset) {
            resets.add(reset);
        }

        void assertUnbroken() {
            assertThat(resets).isEmpty();
            for (int i = 1; i < seen.size(); i++) {
                assertThat(seen.get(i).follows(seen.get(i - 1).cursor())).isTrue();
            }
            assertThat(seen.get(0).offset()).isEqualTo(1);
        }
    }
}
