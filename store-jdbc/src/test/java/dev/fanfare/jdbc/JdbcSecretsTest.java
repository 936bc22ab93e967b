package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import java.sql.Connection;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Whatever goes wrong with the database, and however much is logged: neither its password is, nor a payload. */
class JdbcSecretsTest {

    private static final String PASSWORD = "Zx81password";
    private static final String PAYLOAD = "Zx81payload";

    private final Logger logger = (Logger) LoggerFactory.getLogger("dev.fanfare");
    private final Queue<String> lines = new ConcurrentLinkedQueue<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            lines.add(event.getFormattedMessage() + " " + event.getKeyValuePairs()
                    + (event.getThrowableProxy() == null
                            ? ""
                            : ThrowableProxyUtil.asString(event.getThrowableProxy())));
        }
    };

    @BeforeEach
    void listen() {
        appender.start();
        logger.setLevel(Level.TRACE);
        logger.setAdditive(false);
        logger.addAppender(appender);
    }

    @AfterEach
    void goAway() {
        logger.detachAppender(appender);
        logger.setAdditive(true);
        logger.setLevel(null);
    }

    @Test
    void nothingThatIsSecretIsLoggedWhenTheDatabaseGoes() throws Exception {
        JdbcConnectionPool pool = JdbcConnectionPool.create(
                "jdbc:h2:mem:secrets;DB_CLOSE_DELAY=-1;USER=fan;PASSWORD=" + PASSWORD, "fan", PASSWORD);
        try (JdbcStore store = JdbcStore.of(pool)) {
            store.migrate();
            try (Fanfare fanfare = Fanfare.builder()
                    .store(store)
                    .namespace("", rules -> rules.retain(10, Duration.ofMinutes(5)))
                    .build()) {
                publish(fanfare);

                try (Connection connection = pool.getConnection()) {
                    connection.createStatement().execute("DROP ALL OBJECTS");
                }
                assertThatThrownBy(() -> publish(fanfare)).isNotNull();
                awaitLine("A publish failed, its outcome is unknown");
                awaitLine("The bus cannot be read");
            }
        } finally {
            pool.dispose();
        }

        assertThat(lines).noneMatch(line -> line.contains(PASSWORD) || line.contains(PAYLOAD));
    }

    private void awaitLine(String sentence) {
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(lines).anyMatch(line -> line.contains(sentence)));
    }

    private static void publish(Fanfare fanfare) {
        fanfare.publish(ChannelId.of("a"), Payload.of(PAYLOAD), PublishOptions.none())
                .toCompletableFuture()
                .join();
    }
}
