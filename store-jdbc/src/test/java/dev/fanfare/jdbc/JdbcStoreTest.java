package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.StoreException;
import dev.fanfare.servers.PostgresServer;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import javax.sql.DataSource;
import org.assertj.core.util.Throwables;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the JDBC store does besides the contract of all stores. */
@Execution(ExecutionMode.SAME_THREAD)
class JdbcStoreTest {

    private static final ChannelRules RULES =
            ChannelRules.builder().retain(1000, Duration.ofHours(1)).build();

    private static final Duration SOON = Duration.ofSeconds(20);

    private final List<JdbcStore> stores = new ArrayList<>();
    private final AtomicLong shift = new AtomicLong();
    private final ChannelId channel =
            ChannelId.of("test:" + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36));

    @AfterEach
    void closeStores() {
        stores.forEach(JdbcStore::close);
    }

    @Test
    void anH2FileSurvivesARestart(@TempDir Path directory) {
        String url = "jdbc:h2:file:" + directory.resolve("chat");
        Publication before;
        try (HikariDataSource pool = Databases.pool(url)) {
            before = append(store(pool), "a");
            stores.remove(0).close();
        }

        try (HikariDataSource pool = Databases.pool(url)) {
            JdbcStore reopened = store(pool);
            assertThat(read(reopened).head()).isEqualTo(before.cursor());
            assertThat(append(reopened, "b").follows(before.cursor())).isTrue();
            stores.remove(0).close();
        }
    }

    /** H2 closes itself under all connections when a write fails, and a pool does not notice. */
    @Test
    void anH2FileIsOpenedAgainWhenItsDiskHasRoom(@TempDir Path directory) {
        try (HikariDataSource pool = Databases.pool(SmallDisk.url(directory))) {
            JdbcStore store = store(pool);
            Publication before = append(store, "before");
            List<String> reasons = new ArrayList<>();

            SmallDisk.fill(true);
            await().atMost(SOON).until(() -> isRefused(store));
            await().atMost(SOON).untilAsserted(() -> {
                assertThatThrownBy(() -> append(store, "lost")).hasMessageContaining("has no room left");
                reasons.addAll(store.health().reasons());
                assertThat(reasons).contains("jdbc: has no room left");
            });
            SmallDisk.fill(false);

            await().atMost(SOON).until(() -> !isRefused(store));
            await().atMost(SOON).until(() -> store.health().isUp());
            List<Publication> publications = read(store).publications();
            assertThat(publications.get(0).cursor()).isEqualTo(before.cursor());
            assertThat(publications).extracting(each -> each.data().text()).doesNotContain("lost");
            stores.remove(store);
            store.close();
        }
    }

    @Test
    void anH2ThatIsClosedIsNotSaidToBeOutOfReach() {
        assertThat(new H2Dialect().describe(new SQLException("The database has been closed", "90098", 90098)))
                .contains("failed write");
    }

    private boolean isRefused(JdbcStore store) {
        return store.log()
                .append(request("tried", PublishOptions.none(), RULES))
                .handle((appended, failure) -> {
                    if (failure != null) {
                        assertThat(failure)
                                .isInstanceOfSatisfying(
                                        StoreException.class,
                                        refusal -> assertThat(refusal.isRetryable())
                                                .isTrue());
                    }
                    return failure != null;
                })
                .toCompletableFuture()
                .join();
    }

    @Test
    void storesWithOtherPrefixesDoNotMeet() {
        JdbcStore one = store(Databases.postgres());
        JdbcStore other = JdbcStore.builder(Databases.postgres())
                .tablePrefix("other_")
                .build()
                .migrate();
        stores.add(other);

        append(one, "a");

        assertThat(read(other).head().offset()).isZero();
    }

    @Test
    void nodesMayMigrateAtOnce() {
        List<JdbcStore> nodes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            nodes.add(JdbcStore.builder(Databases.postgres())
                    .tablePrefix("together_")
                    .build());
        }
        stores.addAll(nodes);

        CompletableFuture.allOf(nodes.stream()
                        .map(node -> CompletableFuture.runAsync(node::migrate))
                        .toArray(CompletableFuture[]::new))
                .join();

        assertThat(append(nodes.get(0), "a").offset()).isEqualTo(1);
    }

    @Test
    void withoutTablesTheFailureSaysWhatToDo() {
        JdbcStore store =
                JdbcStore.builder(Databases.postgres()).tablePrefix("missing_").build();
        stores.add(store);

        assertThatThrownBy(() -> read(store))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("migrate");
    }

    /** Whatever is asked first, and by whomever. */
    @Test
    void withoutTablesEverybodyIsToldWhatToDo() throws SQLException {
        JdbcStore store =
                JdbcStore.builder(Databases.postgres()).tablePrefix("missing_").build();
        stores.add(store);
        CountDownLatch never = new CountDownLatch(1);

        assertThatThrownBy(() -> watch(store, never)).hasMessageContaining("JdbcStore.migrate()");
        assertThatThrownBy(() -> store.bus()
                        .watchMatching(ChannelPattern.of("test:*"), watcher(never))
                        .toCompletableFuture()
                        .get(5, TimeUnit.SECONDS))
                .hasMessageContaining("JdbcStore.migrate()");
        assertThat(store.health().reasons())
                .isNotEmpty()
                .allSatisfy(reason -> assertThat(reason).contains("JdbcStore.migrate()"));
        try (Outbox outbox = store.outbox(id -> RULES);
                Connection connection = Databases.postgres().getConnection()) {
            connection.setAutoCommit(false);
            assertThatThrownBy(() -> outbox.publishIn(connection, channel.value(), "a"))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("JdbcStore.migrate()");
            connection.rollback();
        }
    }

    /** Returns a store that is alone with its tables, also if the test is run again; they are still to be made. */
    private JdbcStore storeOfItsOwn(DataSource dataSource) {
        JdbcStore store = JdbcStore.builder(dataSource).tablePrefix(ownPrefix()).build();
        stores.add(store);
        return store;
    }

    private String ownPrefix() {
        return channel.value().replace("test:", "own_") + '_';
    }

    @Test
    void countingWhatWaitsEndsAtTenThousand() throws SQLException {
        JdbcStore store = storeOfItsOwn(Databases.h2Memory()).migrate();
        try (Outbox outbox = store.outbox(id -> RULES)) {
            outbox.close(); // nobody sequences
            try (Connection connection = Databases.h2Memory().getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("INSERT INTO " + ownPrefix() + "outbox (part, channel, tag, data)"
                        + " SELECT 0, 'test:many', x, X'00' FROM SYSTEM_RANGE(1, 10500)");
            }

            assertThat(outbox.waiting()).isEqualTo(10_001);
        }
    }

    @Test
    void whileAllPartitionsRestItIsSeldomLookedThoughRowsAreExpected() throws SQLException {
        FlakyDataSource looks = new FlakyDataSource(Databases.h2Memory());
        looks.count("partition p WHERE EXISTS");
        JdbcStore store = storeOfItsOwn(looks).migrate();
        try (Outbox outbox = store.outbox(id -> RULES);
                Connection connection = Databases.h2Memory().getConnection()) {
            outbox.close(); // nobody sequences
            connection.setAutoCommit(false);
            outbox.publishIn(connection, channel.value(), "a");
            connection.commit();
        }
        AtomicInteger tries = new AtomicInteger();
        Function<ChannelId, ChannelRules> broken = id -> {
            tries.incrementAndGet();
            throw new IllegalStateException("the test wants this");
        };

        try (Outbox outbox = store.outbox(broken)) {
            await().atMost(SOON).until(() -> {
                outbox.retryDead(); // from now on rows are expected
                return tries.get() >= 5;
            });

            assertThat(looks.counted()).isLessThanOrEqualTo(10 * tries.get());
        }
    }

    @Test
    void whoWatchesOnceTheTablesAreThereHearsAll() throws Exception {
        JdbcStore store = storeOfItsOwn(Databases.h2Memory());
        CountDownLatch heard = new CountDownLatch(1);
        CountDownLatch heardByWhoWasRefused = new CountDownLatch(1);
        assertThatThrownBy(() -> watch(store, heardByWhoWasRefused)).hasMessageContaining("JdbcStore.migrate()");

        store.migrate();
        await().ignoreExceptions().untilAsserted(() -> watch(store, heard));
        store.bus()
                .announce(new Announcement.Published(channel, append(store, "a")))
                .toCompletableFuture()
                .get(5, TimeUnit.SECONDS);

        assertThat(heard.await(5, TimeUnit.SECONDS)).isTrue();
        assertThat(heardByWhoWasRefused.getCount()).isEqualTo(1);
    }

    private void watch(JdbcStore store, CountDownLatch heard) throws Exception {
        assertThat(store.bus()
                        .watch(channel, watcher(heard))
                        .toCompletableFuture()
                        .get(5, TimeUnit.SECONDS))
                .isNotNull();
    }

    private static Bus.Watcher watcher(CountDownLatch heard) {
        return new Bus.Watcher() {
            @Override
            public void announced(Announcement announcement) {
                heard.countDown();
            }

            @Override
            public void interrupted() {}
        };
    }

    @Test
    void whatNobodyCanReadIsDeleted() throws SQLException {
        JdbcStore store = store(Databases.postgres());
        ChannelRules few =
                ChannelRules.builder().retain(100, Duration.ofMinutes(10)).build();
        for (int i = 0; i < 1000; i++) {
            append(store, "p" + i, few);
        }
        awaitRows(Databases.postgres(), 100, 200);

        shift.addAndGet(Duration.ofMinutes(11).toMillis());
        append(store, "young", few);
        store.tidy();

        awaitRows(Databases.postgres(), 1, 1);
        assertThat(read(store).publications()).hasSize(1);
    }

    @Test
    void aChannelWhoseHeadIsOverIsDeletedAndNeverComesBackToAnEpoch() throws SQLException {
        JdbcStore store = store(Databases.h2Memory());
        ChannelRules mortal = ChannelRules.builder()
                .retain(10, Duration.ofMinutes(1))
                .headTtl(Duration.ofMinutes(2))
                .build();
        Set<String> epochs = new HashSet<>();
        for (int life = 0; life < 5; life++) {
            Publication first = append(store, "a", mortal);
            assertThat(first.offset()).isEqualTo(1);
            assertThat(epochs.add(first.epoch())).as("a new epoch").isTrue();
            shift.addAndGet(Duration.ofMinutes(3).toMillis());
            Cursor over = read(store).head();
            if (life % 2 == 0) {
                store.tidy();
                store.tidy();
                assertThat(count(Databases.h2Memory(), "channel WHERE name = '" + channel + "'"))
                        .isZero();
            }

            Cursor reborn = read(store).head();

            assertThat(reborn).isEqualTo(over);
            assertThat(append(store, "b", mortal).follows(reborn)).isTrue();
            epochs.add(reborn.epoch());
            shift.addAndGet(Duration.ofMinutes(3).toMillis());
        }
        store.tidy();
        assertThat(count(Databases.h2Memory(), "ended_life")).isZero();
    }

    @Test
    void whatWaitsIsBoundedAndBeyondThatRefused() throws SQLException {
        JdbcStore store = store(Databases.postgres());
        append(store, "first");
        List<CompletableFuture<AppendResult>> results = new ArrayList<>();
        try (Connection blocker = Databases.postgres().getConnection()) {
            blocker.setAutoCommit(false);
            try (var lock = blocker.prepareStatement("SELECT * FROM fanfare_channel WHERE name = ? FOR UPDATE")) {
                lock.setString(1, channel.value());
                lock.execute();
            }
            for (int i = 0; i < 21_000; i++) {
                results.add(store.log()
                        .append(request("p" + i, PublishOptions.none(), RULES))
                        .toCompletableFuture());
            }
            blocker.rollback();
        }

        CompletableFuture.allOf(results.toArray(CompletableFuture[]::new)).join();
        long full = results.stream()
                .filter(result -> result.join() instanceof AppendResult.Full)
                .count();
        assertThat(full).isBetween(1L, 1000L);
        assertThat(read(store).head().offset()).isEqualTo(1 + 21_000 - full);
    }

    @Test
    void oneBadPublicationDoesNotTakeOthersWithIt() throws SQLException {
        JdbcStore store = store(Databases.h2Memory());
        append(store, "first");
        Payload tooLarge = Payload.wrap(new byte[2 << 20]); // for a column of H2
        List<CompletableFuture<AppendResult>> results = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            Payload data = i == 25 ? tooLarge : Payload.of("p" + i);
            results.add(store.log()
                    .append(new AppendRequest(channel, data, PublishOptions.none(), null, RULES, i + 1))
                    .toCompletableFuture());
        }

        long failed = results.stream()
                .filter(result ->
                        result.handle((done, failure) -> failure != null).join())
                .count();

        assertThat(failed).isEqualTo(1);
        assertThat(read(store).head().offset()).isEqualTo(50);
    }

    /** Whoever logs the failure must not log what somebody wrote. */
    @Test
    void aValueThatTheDatabaseRefusesIsNotQuoted() throws SQLException {
        JdbcStore store = store(Databases.h2Memory());
        append(store, "first");
        Payload tooLarge = Payload.of("private words".repeat(200_000));

        List<Throwable> failures = new ArrayList<>();
        failures.add(store.log()
                .append(new AppendRequest(channel, tooLarge, PublishOptions.none(), null, RULES, 1))
                .handle((done, failure) -> failure)
                .toCompletableFuture()
                .join());
        ChannelRules huge = ChannelRules.builder().maxMessageBytes(1 << 24).build();
        try (Outbox outbox = store.outbox(id -> huge);
                Connection connection = Databases.h2Memory().getConnection()) {
            connection.setAutoCommit(false);
            failures.add(catchThrowable(() -> outbox.publishIn(connection, channel, tooLarge, PublishOptions.none())));
            connection.rollback();
        }

        assertThat(failures)
                .hasSize(2)
                .allSatisfy(failure -> assertThat(Throwables.getStackTrace(failure))
                        .contains("22001")
                        .doesNotContain("private words")
                        .doesNotContainIgnoringCase("7072697661746520776f726473")); // the same in hex
    }

    @Test
    void anUnansweredCommitIsToldByTheDedupKey() {
        FlakyDataSource flaky = new FlakyDataSource(Databases.postgres());
        JdbcStore store = store(flaky);
        append(store, "first");
        AppendRequest keyed = request("a", PublishOptions.dedupKey("k"), RULES);

        flaky.loseReplyToNextCommit();
        assertThatThrownBy(() -> store.log().append(keyed).toCompletableFuture().join())
                .cause()
                .isInstanceOfSatisfying(
                        StoreException.class,
                        failure -> assertThat(failure.isRetryable()).isTrue())
                .hasMessageContaining("unknown");
        AppendResult repeat = store.log().append(keyed).toCompletableFuture().join();

        assertThat(repeat).isInstanceOf(AppendResult.Repeated.class);
        assertThat(read(store).head().offset()).isEqualTo(2);
    }

    @Test
    void aConnectionThatBreaksBeforeTheCommitIsNotNoticed() {
        FlakyDataSource flaky = new FlakyDataSource(Databases.postgres());
        JdbcStore store = store(flaky);
        append(store, "first");

        flaky.breakBeforeNextCommit();
        Publication second = append(store, "a");

        assertThat(second.offset()).isEqualTo(2);
        assertThat(read(store).publications()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"40001", "40P01"})
    void aTransactionThatWasInTheWayOfOthersIsRunAgain(String state) {
        FlakyDataSource flaky = new FlakyDataSource(Databases.postgres());
        JdbcStore store = store(flaky);
        append(store, "first");

        flaky.failBeforeNextCommit(state);
        Publication second = append(store, "a");

        assertThat(second.offset()).isEqualTo(2);
        assertThat(read(store).publications()).hasSize(2);
    }

    /** Two hosts have each read what the other changes: PostgreSQL lets one of them commit. */
    @Test
    void aHostWhoseTransactionConflictsIsToldToRepeatIt() throws SQLException {
        JdbcStore store = store(Databases.postgres());
        String table = "skew_" + channel.value().substring(5);
        try (Outbox outbox = store.outbox(id -> RULES);
                Connection one = Databases.postgres().getConnection();
                Connection other = Databases.postgres().getConnection()) {
            Dialect.execute(one, "CREATE TABLE " + table + " AS SELECT 1 AS id, 0 AS n UNION SELECT 2, 0");
            for (Connection each : List.of(one, other)) {
                each.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                each.setAutoCommit(false);
                Dialect.execute(each, "SELECT sum(n) FROM " + table);
            }
            Dialect.execute(one, "UPDATE " + table + " SET n = 1 WHERE id = 1");
            Dialect.execute(other, "UPDATE " + table + " SET n = 1 WHERE id = 2");
            other.commit();

            assertThatThrownBy(() -> outbox.publishIn(one, channel, Payload.of("a"), PublishOptions.none()))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            failure -> assertThat(failure.isRetryable()).isTrue())
                    .cause()
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            cause -> assertThat(cause.getSQLState()).isEqualTo("40001"));
            one.rollback();
            outbox.publishIn(one, channel, Payload.of("a"), PublishOptions.none());
            one.commit();
            await().until(() -> read(store).head().offset() == 1);
        }
    }

    @Test
    void aHostWhoseConnectionIsGoneIsToldToRepeatItsTransaction() throws SQLException {
        JdbcStore store = store(Databases.postgres());
        try (Outbox outbox = store.outbox(id -> RULES);
                Connection gone = Databases.postgres().getConnection()) {
            gone.setAutoCommit(false);
            outbox.publishIn(gone, channel, Payload.of("a"), PublishOptions.none());
            gone.abort(Runnable::run);

            assertThatThrownBy(() -> outbox.publishIn(gone, channel, Payload.of("b"), PublishOptions.none()))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            failure -> assertThat(failure.isRetryable()).isTrue());
        }
    }

    /** With an older snapshot, all that was waited for would be a conflict. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatThePoolSaysOfIsolationIsForTheHost(boolean isPostgres) throws SQLException {
        List<Integer> isolations = new CopyOnWriteArrayList<>();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(isPostgres ? PostgresServer.shared().url() : "jdbc:h2:mem:strict");
        config.setTransactionIsolation("TRANSACTION_SERIALIZABLE");
        try (HikariDataSource strict = new HikariDataSource(config)) {
            JdbcStore store = store(noting(strict, isolations));
            append(store, "first");
            append(store, "second");
            stores.remove(store);
            store.close();

            assertThat(isolations).isNotEmpty().containsOnly(Connection.TRANSACTION_READ_COMMITTED);
            try (Connection connection = strict.getConnection()) {
                assertThat(connection.getTransactionIsolation()).isEqualTo(Connection.TRANSACTION_SERIALIZABLE);
            }
        }
    }

    /** Notes how each transaction was isolated that is committed. */
    private static DataSource noting(DataSource inner, List<Integer> isolations) {
        ClassLoader loader = JdbcStoreTest.class.getClassLoader();
        return (DataSource) Proxy.newProxyInstance(loader, new Class<?>[] {DataSource.class}, (pool, asked, with) -> {
            Connection connection = inner.getConnection();
            return Proxy.newProxyInstance(loader, new Class<?>[] {Connection.class}, (lent, method, arguments) -> {
                if (method.getName().equals("commit")) {
                    isolations.add(connection.getTransactionIsolation());
                }
                try {
                    return method.invoke(connection, arguments);
                } catch (InvocationTargetException failure) {
                    throw failure.getCause();
                }
            });
        });
    }

    /** As teams do that run their own migrations. */
    @Test
    void theFilesInTheJarMakeTheTables() throws Exception {
        try (Connection connection = Databases.postgres().getConnection()) {
            for (String file : List.of("V1__channels.sql", "V2__outbox.sql")) {
                try (InputStream text = JdbcStore.class.getResourceAsStream("postgresql/" + file)) {
                    Dialect.execute(
                            connection,
                            new String(text.readAllBytes(), StandardCharsets.UTF_8).replace("fanfare_", "byhand_"));
                }
            }
        }
        JdbcStore store =
                JdbcStore.builder(Databases.postgres()).tablePrefix("byhand_").build();
        stores.add(store);

        assertThat(append(store, "a").offset()).isEqualTo(1);
        try (Outbox outbox = store.outbox(id -> RULES);
                Connection connection = Databases.postgres().getConnection()) {
            connection.setAutoCommit(false);
            outbox.publishIn(connection, channel, Payload.of("b"), PublishOptions.none());
            connection.commit();
            await().until(() -> read(store).head().offset() == 2);
        }
    }

    @Test
    void tablesOfTheVersionBeforeAreBroughtToThisOne() throws SQLException {
        JdbcStore store =
                JdbcStore.builder(Databases.postgres()).tablePrefix("older_").build();
        stores.add(store);
        append(store.migrate(), "kept");
        try (Connection connection = Databases.postgres().getConnection()) {
            Dialect.execute(connection, "DROP TABLE older_outbox, older_partition, older_outbox_dead");
            Dialect.execute(connection, "DELETE FROM older_schema WHERE version = 2");
        }

        store.migrate();

        try (Outbox outbox = store.outbox(id -> RULES);
                Connection connection = Databases.postgres().getConnection()) {
            connection.setAutoCommit(false);
            outbox.publishIn(connection, channel, Payload.of("new"), PublishOptions.none());
            connection.commit();
            await().until(() -> read(store).head().offset() == 2);
        }
    }

    @Test
    void whileOtherNodesCannotBeHeardItIsNotHealthy() {
        FlakyDataSource flaky = new FlakyDataSource(Databases.h2Memory());
        JdbcStore store = store(flaky);
        store.bus()
                .watch(channel, new Bus.Watcher() {
                    @Override
                    public void announced(Announcement announcement) {}

                    @Override
                    public void interrupted() {}
                })
                .toCompletableFuture()
                .join();
        await().until(() -> store.health().isUp());

        flaky.cutOff("fanfare-jdbc-bus");
        await().untilAsserted(() -> assertThat(store.health().reasons())
                .containsExactly("jdbc: other nodes cannot be heard, as it cannot be reached"));
        assertThat(store.bus().health()).isEqualTo(store.health());
        append(store, "a");

        flaky.cutOff("");
        await().until(() -> store.health().isUp());
        assertThat(store.bus().health().isUp()).isTrue();
    }

    /** What MySQL's driver says when the connection breaks while it reads the reply to a batch. */
    @Test
    void aStatementThatWasClosedUnderneathIsALostConnection() {
        SQLException closed = new SQLException("No operations allowed after statement closed.", "S1009");

        assertThat(new MariaDialect().judge(closed)).isEqualTo(Dialect.Failure.DISCONNECTED);
    }

    @Test
    void onPostgresChannelsThatAreThereAreAppendedToInOneStatement() throws SQLException {
        try (CarelessPool pool = new CarelessPool(PostgresServer.shared().url())) {
            JdbcStore store = store(pool.dataSource());
            append(store, "first");
            pool.statements.clear();

            store.log()
                    .append(request("a", PublishOptions.dedupKey("k"), RULES))
                    .toCompletableFuture()
                    .join();
            List<String> statements = List.copyOf(pool.statements);
            stores.remove(store);
            store.close();

            assertThat(statements)
                    .filteredOn(statement -> statement.contains("INSERT INTO fanfare_log"))
                    .hasSize(1);
            assertThat(statements).noneMatch(statement -> statement.contains("FOR UPDATE"));
        }
    }

    /** New channels, known ones, repeats, changed rules and channels without a log, all in the same batches. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nodesThatAppendTheSameAtOnceAppendItOnce(boolean isPostgres) {
        DataSource database = isPostgres ? Databases.postgres() : Databases.h2Memory();
        List<JdbcStore> nodes = List.of(store(database), store(database));
        ChannelRules longer =
                ChannelRules.builder().retain(2000, Duration.ofHours(2)).build();
        List<CompletableFuture<AppendResult>> results = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            ChannelRules rules = i % 50 == 0 ? ChannelRules.builder().build() : i % 200 < 100 ? RULES : longer;
            for (int node = 0; node < 2; node++) {
                AppendRequest request = new AppendRequest(
                        ChannelId.of(channel + "-" + i % 7),
                        Payload.of("p" + i),
                        PublishOptions.dedupKey("k" + i),
                        null,
                        rules,
                        2 * i + node + 1);
                results.add(nodes.get(node).log().append(request).toCompletableFuture());
            }
        }
        CompletableFuture.allOf(results.toArray(CompletableFuture[]::new)).join();

        for (int i = 0; i < results.size(); i += 2) {
            assertThat(List.of(results.get(i).join(), results.get(i + 1).join()))
                    .as("k" + i / 2)
                    .hasAtLeastOneElementOfType(AppendResult.Appended.class)
                    .hasAtLeastOneElementOfType(AppendResult.Repeated.class);
        }
        for (int i = 0; i < 7; i++) {
            List<Publication> log = nodes.get(0)
                    .log()
                    .read(LogRead.after(ChannelId.of(channel + "-" + i), 0, 1000))
                    .toCompletableFuture()
                    .join()
                    .publications();
            assertThat(log).extracting(Publication::data).doesNotHaveDuplicates();
            for (int j = 1; j < log.size(); j++) {
                assertThat(log.get(j).follows(log.get(j - 1).cursor())).isTrue();
            }
        }
    }

    @Test
    void aConnectionThatBreaksWhileItListensIsNotGivenToOthers() throws SQLException {
        try (CarelessPool pool = new CarelessPool(PostgresServer.shared().url())) {
            int before = pool.silence();
            JdbcStore store = store(pool.dataSource());
            CompletableFuture<Void> heardAgain = new CompletableFuture<>();
            store.bus()
                    .watch(channel, new Bus.Watcher() {
                        @Override
                        public void announced(Announcement announcement) {}

                        @Override
                        public void interrupted() {
                            heardAgain.complete(null);
                        }
                    })
                    .toCompletableFuture()
                    .join();

            await().until(PostgresStoreTest::endListeners);
            heardAgain.orTimeout(20, TimeUnit.SECONDS).join();
            stores.remove(store);
            store.close();

            assertThat(pool.idle).isNotEmpty().allSatisfy(each -> {
                assertThat(each.isValid(5)).as("alive").isTrue();
                assertThat(each.getNetworkTimeout()).as("time-out").isEqualTo(before);
            });
        }
    }

    private JdbcStore store(DataSource dataSource) {
        JdbcStore store =
                JdbcStore.builder(dataSource).clockShift(shift::get).build().migrate();
        stores.add(store);
        return store;
    }

    @CanIgnoreReturnValue
    private Publication append(JdbcStore store, String text) {
        return append(store, text, RULES);
    }

    @CanIgnoreReturnValue
    private Publication append(JdbcStore store, String text, ChannelRules rules) {
        AppendResult result = store.log()
                .append(request(text, PublishOptions.none(), rules))
                .toCompletableFuture()
                .join();
        return ((AppendResult.Appended) result).publication();
    }

    private AppendRequest request(String text, PublishOptions options, ChannelRules rules) {
        long tag = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
        return new AppendRequest(channel, Payload.of(text), options, null, rules, tag);
    }

    private LogPage read(JdbcStore store) {
        return store.log()
                .read(LogRead.after(channel, 0, 2000))
                .toCompletableFuture()
                .join();
    }

    private void awaitRows(DataSource dataSource, long least, long most) {
        await().untilAsserted(() -> assertThat(count(
                        dataSource, "log WHERE life = (SELECT id FROM fanfare_channel WHERE name = '" + channel + "')"))
                .isBetween(least, most));
    }

    private static long count(DataSource dataSource, String what) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                var select = connection.prepareStatement("SELECT count(*) FROM fanfare_" + what);
                var row = select.executeQuery()) {
            row.next();
            return row.getLong(1);
        }
    }
}
