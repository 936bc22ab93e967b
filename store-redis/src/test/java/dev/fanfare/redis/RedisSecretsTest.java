package dev.fanfare.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.StoreException;
import dev.fanfare.faults.LogWatch;
import dev.fanfare.servers.RedisServer;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whatever goes wrong with Redis, and however much is logged: neither its password is, nor a payload. */
class RedisSecretsTest {

    private static final String PASSWORD = "Zx81password";
    private static final String PAYLOAD = "Zx81payload";

    private final LogWatch log = LogWatch.ofEverything();

    @AfterEach
    void goAway() {
        log.close();
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

        assertThat(log.lines()).noneMatch(line -> line.contains(PASSWORD) || line.contains(PAYLOAD));
    }

    @Test
    void aPasswordThatIsRefusedIsNotSaid() {
        try (RedisServer server = RedisServer.start("--requirepass", "another one", "--save", "")) {
            assertThatThrownBy(() -> RedisStore.of("redis://default:" + PASSWORD + "@127.0.0.1:" + server.port()))
                    .isInstanceOf(StoreException.class)
                    .satisfies(failure ->
                            assertThat(whole(failure)).contains("WRONGPASS").doesNotContain(PASSWORD));
        }

        assertThat(log.lines()).noneMatch(line -> line.contains(PASSWORD));
    }

    private static String whole(Throwable failure) {
        StringBuilder text = new StringBuilder();
        for (Throwable each = failure; each != null; each = each.getCause()) {
            text.append(each).append('\n');
        }
        return text.toString();
    }

    private void awaitLine(String sentence) {
        await().atMost(Duration.ofSeconds(20)).until(() -> log.has(sentence));
    }

    private static boolean isStored(Fanfare fanfare) {
        return fanfare.publish(ChannelId.of("a"), Payload.of(PAYLOAD), PublishOptions.none())
                .handle((result, failure) -> result instanceof PublishResult.Stored)
                .toCompletableFuture()
                .join();
    }
}
