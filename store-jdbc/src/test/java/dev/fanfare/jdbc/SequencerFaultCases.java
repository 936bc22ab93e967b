package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.IntSupplier;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A node that dies while it sequences, after each step that it does. */
abstract class SequencerFaultCases {

    private static final ChannelRules RULES =
            ChannelRules.builder().retain(1000, Duration.ofHours(1)).build();
    private static final int ROWS = 5;

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration POLL = Duration.ofMillis(5);

    /** What is in the statement that begins to sequence, and in the one that looks for what to sequence. */
    private static final String SEQUENCING = "fanfare_partition WHERE part";

    private static final String LOOKING = "fanfare_partition p WHERE EXISTS";

    private final DataSource dataSource;
    private final List<CompletableFuture<Void>> closing = new ArrayList<>();

    SequencerFaultCases(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @AfterEach
    void awaitTheDead() throws Exception {
        for (CompletableFuture<Void> each : closing) {
            each.get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void whereverANodeDiesAnotherGoesOn() throws SQLException {
        try (JdbcStore heir = JdbcStore.of(dataSource).migrate()) {
            int step = 0;
            while (dieAt(step, false, heir)) {
                assertThat(dieAt(step, true, heir)).isTrue();
                step++;
            }
            assertThat(step).as("steps of one transaction").isBetween(5, 30);
        }
    }

    /** What it pushes out of the log stays there until the transaction that does so is committed. */
    @Test
    void aTransactionThatIsRolledBackTrimsNothing() throws SQLException {
        ChannelRules few =
                ChannelRules.builder().retain(64, Duration.ofHours(1)).build();
        ChannelId channel = ChannelId.of(
                "rolled:" + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36));
        FlakyDataSource flaky = new FlakyDataSource(dataSource);
        try (JdbcStore heir = JdbcStore.of(dataSource).migrate()) {
            for (int i = 1; i < 128; i++) {
                append(heir, channel, few, i);
            }
            flaky.refuse("DELETE FROM fanfare_outbox");
            try (JdbcStore store = JdbcStore.of(flaky);
                    Outbox outbox = store.outbox(id -> few)) {
                try (Connection connection = dataSource.getConnection()) {
                    connection.setAutoCommit(false);
                    outbox.publishIn(connection, channel, Payload.of("p128"), PublishOptions.none());
                    connection.commit();
                }
                await().pollInterval(POLL).atMost(PATIENCE).until(() -> flaky.refusals() > 2);
            } // and has done all that it was about to do

            assertThat(read(heir, channel)).hasSize(64).last().matches(last -> last.offset() == 127);
            try (Outbox outbox = heir.outbox(id -> few)) {
                outbox.committed();
                await().pollInterval(POLL)
                        .atMost(PATIENCE)
                        .until(() -> read(heir, channel).get(63).offset() == 128);
            }
        }
    }

    @Test
    void aPartitionThatFailedIsLeftAloneUntilItHasRested() throws SQLException {
        AtomicLong nanos = new AtomicLong();
        FlakyDataSource flaky = new FlakyDataSource(dataSource);
        try (JdbcStore heir = JdbcStore.of(dataSource).migrate()) {
            leaveBehind(heir);
            flaky.refuse(SEQUENCING);
            flaky.count(LOOKING);
            try (JdbcStore store = JdbcStore.of(flaky);
                    Outbox outbox = store.outbox(id -> RULES, nanos::get)) {
                awaitAtLeast(flaky::refusals, 1);
                lookAgain(flaky, outbox);
                assertThat(flaky.refusals()).isEqualTo(1);

                nanos.addAndGet(Sequencer.REST_NANOS);
                lookAgain(flaky, outbox);
                awaitAtLeast(flaky::refusals, 2);
                lookAgain(flaky, outbox);
                assertThat(flaky.refusals()).isEqualTo(2);

                flaky.refuse("");
                awaitEmpty(nanos);
            }
        }
    }

    @Test
    void whileAllPartitionsRestNobodyLooks() throws SQLException {
        FlakyDataSource flaky = new FlakyDataSource(dataSource);
        try (JdbcStore heir = JdbcStore.of(dataSource).migrate()) {
            leaveBehind(heir);
            flaky.refuse(SEQUENCING);
            flaky.count(LOOKING);
            try (JdbcStore store = JdbcStore.of(flaky);
                    Outbox outbox = store.outbox(id -> RULES)) {
                awaitAtLeast(flaky::refusals, 4);
                int looks = flaky.counted();

                assertThat(looks).isLessThanOrEqualTo(4 * flaky.refusals());
                flaky.refuse("");
                awaitEmpty();
            }
        }
    }

    @Test
    void aPartitionThatAnotherNodeIsAtIsLeftAloneUntilItHasRested() throws SQLException {
        AtomicLong nanos = new AtomicLong();
        FlakyDataSource tries = new FlakyDataSource(dataSource);
        FlakyDataSource looks = new FlakyDataSource(tries);
        try (JdbcStore heir = JdbcStore.of(dataSource).migrate();
                Connection other = dataSource.getConnection()) {
            leaveBehind(heir);
            other.setAutoCommit(false);
            Dialect.execute(other, "SELECT part FROM fanfare_partition FOR UPDATE");
            tries.count(SEQUENCING);
            looks.count(LOOKING);
            try (JdbcStore store = JdbcStore.of(looks);
                    Outbox outbox = store.outbox(id -> RULES, nanos::get)) {
                awaitAtLeast(tries::counted, 1);
                lookAgain(looks, outbox);
                assertThat(tries.counted()).isEqualTo(1);

                other.rollback();
                awaitEmpty(nanos);
            }
        }
    }

    @Test
    void aHostWhoseRulesFailIsAskedAgainWhenThePartitionHasRested() throws SQLException {
        AtomicLong nanos = new AtomicLong();
        AtomicInteger asked = new AtomicInteger();
        AtomicBoolean isBroken = new AtomicBoolean(true);
        Function<ChannelId, ChannelRules> rules = id -> {
            asked.incrementAndGet();
            if (isBroken.get()) {
                throw new IllegalStateException("the test wants this");
            }
            return RULES;
        };
        FlakyDataSource counting = new FlakyDataSource(dataSource);
        try (JdbcStore heir = JdbcStore.of(dataSource).migrate();
                Logged logged = new Logged(Sequencer.class)) {
            leaveBehind(heir);
            counting.count(LOOKING);
            try (JdbcStore store = JdbcStore.of(counting);
                    Outbox outbox = store.outbox(rules, nanos::get)) {
                awaitAtLeast(asked::get, 1);
                lookAgain(counting, outbox);
                assertThat(asked).hasValue(1);

                await().pollInterval(POLL)
                        .atMost(PATIENCE)
                        .until(
                                () -> { // a line of a kind comes once a second at most
                                    nanos.addAndGet(Sequencer.REST_NANOS);
                                    return logged.has("A partition of the outbox waits");
                                });
                isBroken.set(false);
                awaitEmpty(nanos);
            }
        }
    }

    @Test
    void aPoolOfTheHostsThatFailsDoesNotEndTheLooking() throws SQLException {
        FlakyDataSource flaky = new FlakyDataSource(dataSource);
        try (JdbcStore heir = JdbcStore.of(dataSource).migrate()) {
            leaveBehind(heir);
            flaky.cutOff("fanfare-jdbc-outbox", new IllegalStateException("the test wants this"));
            try (JdbcStore store = JdbcStore.of(flaky);
                    Outbox outbox = store.outbox(id -> RULES)) {
                awaitAtLeast(flaky::refusals, 1);
                flaky.cutOff("");

                outbox.committed();
                awaitEmpty();
            }
        }
    }

    /** Commits a row that no node sequences, or looks for, yet. */
    private void leaveBehind(JdbcStore store) throws SQLException {
        Outbox outbox = store.outbox(id -> RULES);
        outbox.close();
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            outbox.publishIn(connection, ChannelId.of("left:behind"), Payload.of("p"), PublishOptions.none());
            connection.commit();
        }
    }

    private static void lookAgain(FlakyDataSource counting, Outbox outbox) {
        for (int i = 0; i < 5; i++) {
            int looks = counting.counted();
            outbox.committed();
            awaitAtLeast(counting::counted, looks + 1);
        }
    }

    private static void awaitAtLeast(IntSupplier count, int least) {
        await().pollInterval(POLL).atMost(PATIENCE).until(() -> count.getAsInt() >= least);
    }

    private void awaitEmpty() {
        await().pollInterval(POLL).atMost(PATIENCE).until(this::isEmpty);
    }

    /** Lets time go on, as what failed a moment ago may only now begin to rest. */
    private void awaitEmpty(AtomicLong nanos) {
        await().pollInterval(POLL).atMost(PATIENCE).until(() -> {
            nanos.addAndGet(Sequencer.REST_NANOS);
            return isEmpty();
        });
    }

    private static void append(JdbcStore store, ChannelId channel, ChannelRules rules, int number) {
        Payload data = Payload.of("p" + number);
        assertThat(store.log().append(new AppendRequest(channel, data, PublishOptions.none(), null, rules, number)))
                .succeedsWithin(PATIENCE);
    }

    /** Returns whether the node has died: beyond the last step it lives and does all the work. */
    private boolean dieAt(int step, boolean isReplyLost, JdbcStore heir) throws SQLException {
        ChannelId channel = ChannelId.of("dying:" + step + '-'
                + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36));
        DyingDataSource dying = new DyingDataSource(dataSource, step, isReplyLost);
        JdbcStore store = JdbcStore.of(dying.dataSource());
        Outbox mortal = store.outbox(id -> RULES);
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            for (int i = 0; i < ROWS; i++) {
                mortal.publishIn(connection, channel, Payload.of("p" + i), PublishOptions.dedupKey("k" + i));
            }
            connection.commit();
        }
        await().pollInterval(POLL)
                .atMost(PATIENCE)
                .until(() -> dying.isDead() || read(heir, channel).size() == ROWS);
        closing.add(CompletableFuture.runAsync(() -> {
            mortal.close();
            store.close();
        }));
        if (dying.isDead()) {
            try (Outbox outbox = heir.outbox(id -> RULES)) {
                outbox.committed();
                await().pollInterval(POLL)
                        .atMost(PATIENCE)
                        .until(() -> read(heir, channel).size() >= ROWS && isEmpty());
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

    private boolean isEmpty() throws SQLException {
        try (Connection connection = dataSource.getConnection();
                var select = connection.prepareStatement("SELECT count(*) FROM fanfare_outbox");
                var row = select.executeQuery()) {
            return row.next() && row.getLong(1) == 0;
        }
    }
}
