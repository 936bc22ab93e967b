package dev.fanfare.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When publishing is off, and when it is on again. */
class BreakerTest {

    private static final RuntimeException FAILURE = new IllegalStateException("on purpose");

    private final Breaker breaker = new Breaker("redis://here", Duration.ofMillis(50));

    private void publish(boolean isGood, int times) {
        for (int i = 0; i < times; i++) {
            publish(isGood ? null : FAILURE);
        }
    }

    private void publish(@Nullable RuntimeException failure) {
        assertThat(breaker.isOpen()).isFalse();
        breaker.end(failure);
    }

    @Test
    void fiveFailuresInARowOpenItHoweverManyPublishesWentWellBefore() {
        publish(true, 100);
        publish(false, 5);

        assertThat(breaker.isOpen()).isTrue();
    }

    @Test
    void oneThatGoesWellBetweenFailuresKeepsItClosed() {
        for (int i = 0; i < 10; i++) {
            publish(false, 4);
            publish(true, 1);
        }

        assertThat(breaker.state()).isEqualTo(State.CLOSED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "MOVED 4711 127.0.0.1:6379",
                "ASK 4711 127.0.0.1:6379",
                "TRYAGAIN Multiple keys request during rehashing of slot",
                "CLUSTERDOWN The cluster is down"
            })
    void whatTheServerDidNotRunIsNeitherAFailureNorASuccess(String answer) {
        publish(false, 4);
        for (int i = 0; i < 10; i++) {
            publish(new IllegalStateException(answer));
        }
        assertThat(breaker.state()).isEqualTo(State.CLOSED);

        publish(false, 1);

        assertThat(breaker.isOpen()).isTrue();
    }

    @Test
    void aTryThatTheServerDidNotRunLeavesItToTheNext() {
        publish(false, 5);
        await().until(() -> !breaker.isOpen());

        breaker.end(new IllegalStateException("CLUSTERDOWN The cluster is down"));

        assertThat(breaker.state()).isEqualTo(State.HALF_OPEN);
        publish(true, 3);
        assertThat(breaker.state()).isEqualTo(State.CLOSED);
    }

    @Test
    void afterThePauseOneDecides() {
        publish(false, 5);
        // Of a publish that was under way when it opened.
        breaker.end(null);
        await().until(() -> !breaker.isOpen());
        assertThat(breaker.isOpen()).as("one at a time").isTrue();

        breaker.end(null);

        publish(true, 3);
        assertThat(breaker.state()).isEqualTo(State.CLOSED);
    }

    @Test
    void aTryThatFailsOpensItAgain() {
        publish(false, 5);
        await().until(() -> !breaker.isOpen());

        breaker.end(FAILURE);

        assertThat(breaker.state()).isEqualTo(State.OPEN);
    }
}
