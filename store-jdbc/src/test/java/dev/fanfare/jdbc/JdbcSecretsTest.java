package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.faults.LogWatch;
import java.sql.Connection;
import java.time.Duration;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whatever goes wrong with the database, and however much is logged: neither its password is, nor a payload. */
class JdbcSecretsTest {

    private static final String PASSWORD = "Zx81password";
    private static final String PAYLOAD = "Zx81payload";

    private final LogWatch log = LogWatch.ofEverything();

    @AfterEach
    void goAway() {
        log.close();
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

        assertThat(log.lines()).noneMatch(line -> line.contains(PASSWORD) || line.contains(PAYLOAD));
    }

    private void awaitLine(String sentence) {
        await().atMost(Duration.ofSeconds(20)).until(() -> log.has(sentence));
    }

    private static void publish(Fanfare fanfare) {
        fanfare.publish(ChannelId.of("a"), Payload.of(PAYLOAD), PublishOptions.none())
                .toCompletableFuture()
                .join();
    }
}
