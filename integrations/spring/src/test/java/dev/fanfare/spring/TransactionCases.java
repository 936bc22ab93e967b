package dev.fanfare.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.RefusedException;
import dev.fanfare.jdbc.JdbcStore;
import dev.fanfare.jdbc.Outbox;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionTimedOutException;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Publishing in Spring's transactions, on each database. */
abstract class TransactionCases {

    private static final ChannelRules RULES =
            ChannelRules.builder().retain(1000, Duration.ofHours(1)).build();

    private final HikariDataSource dataSource = new HikariDataSource();
    private final DataSourceTransactionManager manager;
    private final JdbcStore store;
    private final Outbox outbox;
    private final TransactionalPublisher publisher;
    private final ChannelId channel =
            ChannelId.of("spring:" + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36));

    TransactionCases(String url) {
        dataSource.setJdbcUrl(url);
        dataSource.setMinimumIdle(1);
        dataSource.setMaximumPoolSize(20);
        this.manager = new DataSourceTransactionManager(dataSource);
        this.store = JdbcStore.of(dataSource).migrate();
        this.outbox = store.outbox(id -> RULES);
        this.publisher = TransactionalPublisher.of(outbox, dataSource);
    }

    @AfterEach
    void close() {
        outbox.close();
        store.close();
        dataSource.close();
    }

    @Test
    void whatIsCommittedAppearsAndWhatIsRolledBackDoesNot() {
        in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> {
            publish("a");
            publish("b");
        });
        assertThatThrownBy(() -> in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> {
                    publish("lost");
                    throw new IllegalArgumentException("no");
                }))
                .hasMessage("no");
        in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> publish("c"));

        awaitTexts("a", "b", "c");
    }

    @Test
    void nothingIsInsertedBeforeTheCommit() {
        in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> {
            TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                @Override
                public void beforeCommit(boolean readOnly) {
                    assertThat(waitingHere()).as("others come first").isZero();
                }

                @Override
                public void beforeCompletion() {
                    assertThat(waitingHere()).isEqualTo(1);
                }
            });
            publish("a");
            assertThat(waitingHere()).isZero();
        });

        awaitTexts("a");
    }

    @Test
    void whatIsRolledBackToASavepointIsNotPublished() {
        TransactionTemplate nested = propagation(TransactionDefinition.PROPAGATION_NESTED);
        in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> {
            nested.executeWithoutResult(status -> {
                publish("lost before anything else");
                status.setRollbackOnly();
            });
            publish("a");
            nested.executeWithoutResult(status -> publish("b"));
            nested.executeWithoutResult(status -> {
                publish("lost");
                nested.executeWithoutResult(inner -> publish("lost with what is around it"));
                status.setRollbackOnly();
            });
            publish("c");
        });

        awaitTexts("a", "b", "c");
    }

    @Test
    void aTransactionOfItsOwnGoesItsOwnWay() {
        TransactionTemplate own = propagation(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        assertThatThrownBy(() -> in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> {
                    publish("lost");
                    own.executeWithoutResult(status -> publish("a"));
                    publish("lost too");
                    throw new IllegalArgumentException("no");
                }))
                .hasMessage("no");
        in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> {
            own.executeWithoutResult(status -> {
                publish("lost");
                status.setRollbackOnly();
            });
            publish("b");
        });

        awaitTexts("a", "b");
    }

    @Test
    void aReadOnlyTransactionIsRefusedAtOnce() {
        TransactionTemplate readOnly = propagation(TransactionDefinition.PROPAGATION_REQUIRED);
        readOnly.setReadOnly(true);

        assertThatThrownBy(() -> in(readOnly, () -> publish("a")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("read-only");
    }

    @Test
    void aTransactionThatIsTooLateIsRolledBack() {
        TransactionTemplate brief = propagation(TransactionDefinition.PROPAGATION_REQUIRED);
        brief.setTimeout(1);

        assertThatThrownBy(() -> in(brief, () -> {
                    publish("lost");
                    long begin = System.nanoTime();
                    while (System.nanoTime() - begin < TimeUnit.MILLISECONDS.toNanos(1100)) {
                        Thread.onSpinWait();
                    }
                }))
                .isInstanceOf(TransactionTimedOutException.class);
        in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> publish("a"));

        awaitTexts("a");
    }

    @Test
    void aFailureToInsertRollsTheTransactionBack() {
        new JdbcTemplate(dataSource).execute("CREATE TABLE IF NOT EXISTS host_order (name varchar(80) PRIMARY KEY)");
        String order = channel.value();
        TransactionalPublisher broken = publisher.beforeInsert(() -> {
            throw new IllegalArgumentException("flush failed");
        });

        assertThatThrownBy(() -> in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> {
                    new JdbcTemplate(dataSource).update("INSERT INTO host_order VALUES (?)", order);
                    broken.publish(channel, Payload.of("lost"), PublishOptions.none());
                }))
                .hasMessage("flush failed");

        assertThat(new JdbcTemplate(dataSource)
                        .queryForObject("SELECT count(*) FROM host_order WHERE name = ?", Integer.class, order))
                .isZero();
    }

    @Test
    void aTransactionOfAnotherDatabaseIsRefused() {
        DataSourceTransactionManager other =
                new DataSourceTransactionManager(new DriverManagerDataSource("jdbc:h2:mem:other"));

        assertThatThrownBy(() -> in(new TransactionTemplate(other), () -> publish("a")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("DataSource");
    }

    @Test
    void withoutATransactionItIsDurableAtOnce() {
        publish("a");

        awaitTexts("a");
    }

    @Test
    void whatTheRulesDoNotTakeRollsTheTransactionBack() {
        Payload tooLarge = Payload.of("x".repeat(RULES.maxMessageBytes() + 1));
        String order = channel.value();
        JdbcTemplate jdbc = new JdbcTemplate(dataSource);
        jdbc.execute("CREATE TABLE IF NOT EXISTS host_order (name varchar(80) PRIMARY KEY)");

        assertThatThrownBy(() -> in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> {
                    jdbc.update("INSERT INTO host_order VALUES (?)", order);
                    publisher.publish(channel, tooLarge, PublishOptions.none());
                }))
                .isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> publisher.publish(channel, tooLarge, PublishOptions.none()))
                .isInstanceOf(RefusedException.class);

        assertThat(jdbc.queryForObject("SELECT count(*) FROM host_order WHERE name = ?", Integer.class, order))
                .isZero();
    }

    @Test
    void whatIsCommittedIsPublishedAlsoIfTheConnectionIsCutRightAfter() {
        publishThrough(new CutDataSource(dataSource, "setAutoCommit[true]"), Payload.of("a"));
        publishThrough(new CutDataSource(dataSource, "close"), Payload.of("b"));

        awaitTexts("a", "b");
    }

    @Test
    void aRefusalIsToldAlsoIfTheRollbackFails() {
        Payload tooLarge = Payload.of("x".repeat(RULES.maxMessageBytes() + 1));

        assertThatThrownBy(() -> publishThrough(new CutDataSource(dataSource, "rollback"), tooLarge))
                .isInstanceOf(RefusedException.class)
                .satisfies(refused -> assertThat(refused.getSuppressed())
                        .singleElement()
                        .asString()
                        .contains("cut at rollback"));
        assertThatThrownBy(() -> publishThrough(new CutDataSource(dataSource, "close"), tooLarge))
                .isInstanceOf(RefusedException.class);
    }

    private void publishThrough(DataSource other, Payload data) {
        TransactionalPublisher.of(outbox, other).publish(channel, data, PublishOptions.none());
    }

    /** The first transaction publishes first but changes the row second: the log says what happened. */
    @Test
    void theOrderIsThatOfTheLocksAndNotOfTheCalls() throws Exception {
        JdbcTemplate jdbc = new JdbcTemplate(dataSource);
        jdbc.execute("CREATE TABLE IF NOT EXISTS host_stock (name varchar(80) PRIMARY KEY, amount int)");
        jdbc.update("INSERT INTO host_stock VALUES (?, 10)", channel.value());
        String take = "UPDATE host_stock SET amount = amount - 1 WHERE name = ?";
        CountDownLatch published = new CountDownLatch(1);
        CountDownLatch locked = new CountDownLatch(1);
        CompletableFuture<Void> first =
                CompletableFuture.runAsync(() -> in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> {
                    publish("published first, changed second");
                    published.countDown();
                    join(locked);
                    jdbc.update(take, channel.value());
                }));
        in(propagation(TransactionDefinition.PROPAGATION_REQUIRED), () -> {
            jdbc.update(take, channel.value());
            locked.countDown();
            join(published);
            publish("published second, changed first");
        });
        first.get(10, TimeUnit.SECONDS);

        awaitTexts("published second, changed first", "published first, changed second");
    }

    private static void join(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private TransactionTemplate propagation(int propagation) {
        TransactionTemplate template = new TransactionTemplate(manager);
        template.setPropagationBehavior(propagation);
        return template;
    }

    private static void in(TransactionTemplate template, Runnable work) {
        template.executeWithoutResult(status -> work.run());
    }

    private void publish(String text) {
        publisher.publish(channel, Payload.of(text), PublishOptions.none());
    }

    /** Counts on the transaction's own connection, which sees what is not committed. */
    private int waitingHere() {
        try (var select = DataSourceUtils.getConnection(dataSource)
                .prepareStatement("SELECT count(*) FROM fanfare_outbox WHERE channel = ?")) {
            select.setString(1, channel.value());
            try (var row = select.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void awaitTexts(String... expected) {
        await().atMost(Duration.ofSeconds(20)).until(() -> texts().size() >= expected.length);
        assertThat(texts()).containsExactly(expected);
    }

    private List<String> texts() {
        return store.log().read(LogRead.after(channel, 0, 100)).toCompletableFuture().join().publications().stream()
                .map(publication -> publication.data().text())
                .toList();
    }
}
