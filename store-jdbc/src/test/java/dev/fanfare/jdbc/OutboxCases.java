package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the outbox promises, on each database. */
abstract class OutboxCases {

    private static final ChannelRules RULES =
            ChannelRules.builder().retain(100_000, Duration.ofHours(1)).build();

    private final DataSource dataSource;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final String run = Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36);
    private final ChannelId channel = ChannelId.of("outbox:\ud83d\ude80" + run);

    private long deadBefore;

    OutboxCases(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @AfterEach
    void closeAll() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    @Test
    void whatIsCommittedAppearsOnceAndInOrder() throws SQLException {
        JdbcStore store = node();
        Outbox outbox = outbox(store);

        try (Connection connection = transaction()) {
            for (int i = 0; i < 20; i++) {
                publish(outbox, connection, "p" + i);
            }
            assertThat(texts(store)).isEmpty();
            connection.commit();
        }

        await().until(() -> texts(store).size() == 20);
        assertThat(texts(store)).startsWith("p0", "p1").endsWith("p19");
        assertThat(rows("outbox")).isZero();
    }

    @Test
    void whatIsRolledBackDoesNotAppear() throws SQLException {
        JdbcStore store = node();
        Outbox outbox = outbox(store);

        try (Connection connection = transaction()) {
            publish(outbox, connection, "lost");
            connection.rollback();
            publish(outbox, connection, "before");
            Savepoint savepoint = connection.setSavepoint();
            publish(outbox, connection, "lost too");
            connection.rollback(savepoint);
            publish(outbox, connection, "after");
            connection.commit();
        }

        await().until(() -> texts(store).size() == 2);
        assertThat(texts(store)).containsExactly("before", "after");
    }

    @Test
    void aHostThatDiesBeforeItsCommitPublishesNothing() throws SQLException {
        JdbcStore store = node();
        Outbox outbox = outbox(store);

        Connection dying = transaction();
        publish(outbox, dying, "lost");
        dying.abort(Runnable::run);
        try (Connection connection = transaction()) {
            publish(outbox, connection, "a");
            connection.commit();
        }

        await().until(() -> !texts(store).isEmpty());
        assertThat(texts(store)).containsExactly("a");
    }

    @Test
    void optionsAndDedupKeysAreKept() throws SQLException {
        JdbcStore store = node();
        Outbox outbox = outbox(store);
        PublishOptions options = PublishOptions.dedupKey("k \ud83d\udd11")
                .withKey("key")
                .withEventType("type")
                .withHeader("h", "ü \ud83d\ude80");

        try (Connection connection = transaction()) {
            outbox.publishIn(connection, channel, Payload.of("a"), options);
            outbox.publishIn(connection, channel, Payload.of("a"), options);
            outbox.publishIn(connection, channel, Payload.of("other"), options);
            publish(outbox, connection, "last");
            connection.commit();
        }

        await().until(() -> texts(store).contains("last"));
        assertThat(texts(store)).containsExactly("a", "last");
        Publication first = read(store).get(0);
        assertThat(first.key()).isEqualTo("key");
        assertThat(first.eventType()).isEqualTo("type");
        assertThat(first.headers()).isEqualTo(Map.of("h", "ü \ud83d\ude80"));
        assertThat(outbox.dead()).isEqualTo(deadBefore + 1);
    }

    @Test
    void whatCanNeverBeAppendedIsSetAside() throws SQLException {
        JdbcStore store = node();
        ChannelRules small = ChannelRules.builder()
                .retain(10, Duration.ofHours(1))
                .maxMessageBytes(10)
                .build();
        Outbox outbox = store.outbox(id -> id.value().endsWith("unknown") ? null : small);
        opened.add(outbox);
        deadBefore = outbox.dead();
        Outbox generous = node().outbox(id -> RULES); // as a node may be that has not got the new rules yet
        generous.close();

        try (Connection connection = transaction()) {
            publish(generous, connection, "a");
            publish(generous, connection, "far too long for it");
            generous.publishIn(connection, ChannelId.of(channel + "unknown"), Payload.of("x"), PublishOptions.none());
            publish(generous, connection, "b");
            connection.commit();
        }

        await().until(() -> outbox.dead() == deadBefore + 2);
        await().until(() -> texts(store).size() == 2);
        assertThat(texts(store)).containsExactly("a", "b");
    }

    @Test
    void aRowThatCannotBeReadIsSetAside() throws SQLException {
        JdbcStore store = node();
        Outbox outbox = outbox(store);

        try (Connection connection = transaction()) {
            publish(outbox, connection, "a");
            outbox.publishIn(connection, channel, Payload.of("bad"), PublishOptions.dedupKey("bad"));
            try (var update =
                    connection.prepareStatement("UPDATE fanfare_outbox SET extra = ? WHERE dedup_key = 'bad'")) {
                update.setBytes(1, new byte[] {0, 0, 0, 1, 0x7f});
                update.executeUpdate();
            }
            outbox.publishIn(connection, channel, Payload.of("nameless"), PublishOptions.dedupKey("nameless"));
            Dialect.execute(connection, "UPDATE fanfare_outbox SET channel = '' WHERE dedup_key = 'nameless'");
            publish(outbox, connection, "b");
            connection.commit();
        }

        await().until(() -> texts(store).size() == 2);
        assertThat(texts(store)).containsExactly("a", "b");
        assertThat(outbox.dead()).isEqualTo(deadBefore + 2);
    }

    @Test
    void whatTheRulesDoNotTakeIsRefusedInTheTransaction() throws SQLException {
        JdbcStore store = node();
        ChannelRules small = ChannelRules.builder()
                .retain(10, Duration.ofHours(1))
                .maxMessageBytes(10)
                .build();
        Outbox outbox = store.outbox(id -> id.value().endsWith("unknown") ? null : small);
        opened.add(outbox);
        ChannelId unknown = ChannelId.of(channel + "unknown");

        try (Connection connection = transaction()) {
            assertRefused(Refusal.TOO_LARGE, "19 bytes", () -> publish(outbox, connection, "far too long for it"));
            assertRefused(
                    Refusal.UNKNOWN_NAMESPACE,
                    unknown.value(),
                    () -> outbox.publishIn(connection, unknown, Payload.of("x"), PublishOptions.none()));
            publish(outbox, connection, "short");
            connection.commit();
        }

        await().until(() -> !texts(store).isEmpty());
        assertThat(texts(store)).containsExactly("short");
    }

    private static void assertRefused(Refusal reason, String words, ThrowingCallable publishing) {
        assertThatThrownBy(publishing)
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.reason()).isEqualTo(reason))
                .hasMessageContaining(words);
    }

    @Test
    void whatNoRollbackWouldTakeBackIsRefused() throws SQLException {
        Outbox outbox = outbox(node());

        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(true);
            assertThatThrownBy(() -> publish(outbox, connection, "a"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("setAutoCommit(false)");
        }

        assertThat(rows("outbox")).isZero();
    }

    @Test
    void whatWasSetAsideIsPublishedOnceTheRulesTakeIt() throws SQLException {
        JdbcStore store = node();
        AtomicReference<ChannelRules> known = new AtomicReference<>();
        Outbox strict = store.outbox(id -> id.equals(channel) ? known.get() : null);
        opened.add(strict);
        Outbox generous = node().outbox(id -> RULES);
        generous.close();
        try (Connection connection = transaction()) {
            for (int i = 0; i < 3; i++) {
                publish(generous, connection, "p" + i);
            }
            generous.publishIn(connection, ChannelId.of(channel + "unknown"), Payload.of("x"), PublishOptions.none());
            connection.commit();
        }
        await().until(() -> rowsOf(channel) == 3);

        known.set(RULES);
        assertThat(strict.retryDead()).isGreaterThanOrEqualTo(4);

        await().until(() -> texts(store).size() == 3);
        assertThat(texts(store)).containsExactly("p0", "p1", "p2");
        assertThat(rowsOf(channel)).isZero();
        await().until(() -> rowsOf(ChannelId.of(channel + "unknown")) == 1);
        await().until(() -> strict.waiting() == 0); // what other tests had left there, too
    }

    private long rowsOf(ChannelId dead) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                var select =
                        connection.prepareStatement("SELECT count(*) FROM fanfare_outbox_dead WHERE channel = ?")) {
            select.setString(1, dead.value());
            try (var row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    @Test
    void whatWaitsIsCountedOnceItIsCommitted() throws SQLException {
        JdbcStore store = node();
        Outbox outbox = outbox(store);
        outbox.close(); // nobody sequences

        try (Connection connection = transaction()) {
            publish(outbox, connection, "a");
            assertThat(outbox.waiting()).isZero();
            connection.commit();
        }

        assertThat(outbox.waiting()).isEqualTo(1);
        Outbox heir = outbox(store);
        await().until(() -> heir.waiting() == 0);
    }

    @Test
    void aReadOnlyTransactionIsRefused() throws SQLException {
        Outbox outbox = outbox(node());

        try (Connection connection = dataSource.getConnection()) {
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            try {
                if (connection.isReadOnly()) {
                    assertThatThrownBy(() -> publish(outbox, connection, "a"))
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContaining("read-only");
                }
            } finally {
                connection.rollback();
                connection.setReadOnly(false);
            }
        }
    }

    @Test
    void anOpenTransactionHoldsNobodyUp() throws SQLException {
        JdbcStore store = node();
        Outbox outbox = outbox(store);

        try (Connection slow = transaction();
                Connection fast = transaction()) {
            publish(outbox, slow, "slow");
            publish(outbox, fast, "fast");
            fast.commit();
            await().until(() -> texts(store).size() == 1);
            slow.commit();
        }

        await().until(() -> texts(store).size() == 2);
        assertThat(texts(store)).containsExactly("fast", "slow");
    }

    @Test
    void watchersHearSoonAfterTheCommit() throws Exception {
        JdbcStore store = node();
        Outbox outbox = outbox(store);
        CountDownLatch heard = new CountDownLatch(1);
        store.bus()
                .watch(channel, new Bus.Watcher() {
                    @Override
                    public void announced(Announcement announcement) {
                        heard.countDown();
                    }

                    @Override
                    public void interrupted() {}
                })
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);

        try (Connection connection = transaction()) {
            publish(outbox, connection, "a");
            connection.commit();
        }

        assertThat(heard.await(5, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void severalSequencersKeepOneOrderWhileOneComesAndGoes() throws Exception {
        JdbcStore store = node();
        Outbox outbox = outbox(store);
        outbox(node());
        int writers = 4;
        int each = 100;
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Map<String, Boolean> committed = new ConcurrentHashMap<>();
        List<Thread> threads = new ArrayList<>();
        for (int writer = 0; writer < writers; writer++) {
            String name = "w" + writer + "-";
            Thread thread = new Thread(() -> {
                try (Connection connection = transaction()) {
                    for (int i = 0; i < each; i++) {
                        publish(outbox, connection, name + i);
                        if (i % 5 == 4) {
                            connection.rollback();
                        } else {
                            connection.commit();
                            committed.put(name + i, true);
                        }
                    }
                } catch (SQLException | RuntimeException e) {
                    failure.set(e);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (int i = 0; i < 3; i++) {
            JdbcStore brief = node();
            brief.outbox(id -> RULES);
            int seen = texts(store).size();
            await().until(() -> texts(store).size() > seen || threads.stream().noneMatch(Thread::isAlive));
            brief.close(); // without closing the outbox: as a node that dies
        }
        for (Thread thread : threads) {
            thread.join();
        }

        assertThat(failure.get()).isNull();
        await().atMost(Duration.ofSeconds(20)).until(() -> texts(store).size() >= committed.size());
        List<Publication> log = read(store);
        Set<String> texts = new HashSet<>(texts(store));
        assertThat(texts).isEqualTo(committed.keySet());
        assertThat(log).hasSameSizeAs(texts);
        for (int i = 1; i < log.size(); i++) {
            assertThat(log.get(i).follows(log.get(i - 1).cursor())).isTrue();
        }
        for (int writer = 0; writer < writers; writer++) {
            String name = "w" + writer + "-";
            assertThat(texts(store).stream().filter(text -> text.startsWith(name)))
                    .as("in the order of the commits")
                    .isSortedAccordingTo((a, b) -> Integer.compare(number(a), number(b)));
        }
    }

    private static int number(String text) {
        return Integer.parseInt(text.substring(text.indexOf('-') + 1));
    }

    private JdbcStore node() {
        JdbcStore store = JdbcStore.of(dataSource).migrate();
        opened.add(store);
        return store;
    }

    @CanIgnoreReturnValue
    private Outbox outbox(JdbcStore store) {
        Outbox outbox = store.outbox(id -> RULES);
        opened.add(outbox);
        deadBefore = outbox.dead();
        return outbox;
    }

    private Connection transaction() throws SQLException {
        Connection connection = dataSource.getConnection();
        connection.setAutoCommit(false);
        return connection;
    }

    private void publish(Outbox outbox, Connection connection, String text) {
        outbox.publishIn(connection, channel, Payload.of(text), PublishOptions.none());
    }

    private List<String> texts(JdbcStore store) {
        return read(store).stream()
                .map(publication -> publication.data().text())
                .toList();
    }

    private List<Publication> read(JdbcStore store) {
        return store.log()
                .read(LogRead.after(channel, 0, 10_000))
                .toCompletableFuture()
                .join()
                .publications();
    }

    private long rows(String table) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                var select = connection.prepareStatement("SELECT count(*) FROM fanfare_" + table);
                var row = select.executeQuery()) {
            row.next();
            return row.getLong(1);
        }
    }
}
