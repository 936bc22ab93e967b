package dev.fanfare.redis;

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
import dev.fanfare.PublishResult;
import dev.fanfare.StoreException;
import dev.fanfare.servers.RedisServer;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Whatever goes wrong with Redis, and however much is logged: neither its password is, nor a payload. */
class RedisSecretsTest {

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
    void nothingThatIsSecretIsLoggedWhenRedisGoes() {
        try (RedisServer server = RedisServer.start("--requirepass", PASSWORD, "--save", "");
                RedisStore store = RedisStore.of("redis://default:" + PASSWORD + "@127.0.0.1:" + server.port());
                Fanfare fanfare = Fanfare.builder()
                        .store(store)
                        .namespace("", rules -> rules.retain(10, Duration.ofMinutes(5)))
                        .build()) {
            assertThat(isStored(fanfare)).isTrue();

            server.kill();
            awaitLine("The connection to Redis is lost");
            awaitLine("The pub/sub connection to Redis is lost");
            awaitLine("cannot be reached now");
            assertThat(isStored(fanfare)).isFalse();
        }

        assertThat(lines).noneMatch(line -> line.contains(PASSWORD) || line.contains(PAYLOAD));
    }

    @Test
    void aPasswordThatIsRefusedIsNotSaid() {
        try (RedisServer server = RedisServer.start("--requirepass", "another one", "--save", "")) {
            assertThatThrownBy(() -> RedisStore.of("redis://default:" + PASSWORD + "@127.0.0.1:" + server.port()))
                    .isInstanceOf(StoreException.class)
                    .satisfies(failure ->
                            assertThat(whole(failure)).contains("WRONGPASS").doesNotContain(PASSWORD));
        }

        assertThat(lines).noneMatch(line -> line.contains(PASSWORD));
    }

    private static String whole(Throwable failure) {
        StringBuilder text = new StringBuilder();
        for (Throwable each = failure; each != null; each = each.getCause()) {
            text.append(each).append('\n');
        }
        return text.toString();
    }

    private void awaitLine(String sentence) {
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(lines).anyMatch(line -> line.contains(sentence)));
    }

    private static boolean isStored(Fanfare fanfare) {
        return fanfare.publish(ChannelId.of("a"), Payload.of(PAYLOAD), PublishOptions.none())
                .handle((result, failure) -> result instanceof PublishResult.Stored)
                .toCompletableFuture()
                .join();
    }
}
