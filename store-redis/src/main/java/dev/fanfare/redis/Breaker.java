package dev.fanfare.redis;

import dev.fanfare.Health;
import dev.fanfare.spi.LogLine;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Stops publishing to a Redis that answers with nothing but failures: after five in a row it is open for a pause, then
 * lets one publish through, which decides. A new connection closes it, having shown that Redis is well again.
 *
 * <p>Whoever publishes asks {@link #isOpen} first: it also says whether this one is the one that may try.
 *
 * <p><i>Threads.</i> Thread-safe.
 */
final class Breaker {

    private static final LogLine TURNED =
            LogLine.warn(Breaker.class, "Publishing to Redis is switched off, or tried or on again");
    private static final int FAILURES = 5;

    private final CircuitBreaker circuit;
    private final Duration pause;
    private volatile long openedAt;

    Breaker(Duration pause) {
        this.pause = pause;
        this.circuit = CircuitBreaker.of(
                "fanfare-redis",
                CircuitBreakerConfig.custom()
                        .slidingWindow(FAILURES, FAILURES, SlidingWindowType.COUNT_BASED)
                        .failureRateThreshold(100)
                        .slowCallRateThreshold(100)
                        .slowCallDurationThreshold(Duration.ofHours(1))
                        .waitDurationInOpenState(pause)
                        .permittedNumberOfCallsInHalfOpenState(1)
                        .build());
        circuit.getEventPublisher()
                .onStateTransition(event -> changed(event.getStateTransition().getToState()));
    }

    private void changed(State state) {
        if (state == State.OPEN) {
            openedAt = System.nanoTime();
        }
        TURNED.log("state", state, "pause", pause);
    }

    /** Begins a publish; only after {@link #isOpen} said no. Returns what {@link #end} wants. */
    long begin() {
        return circuit.getCurrentTimestamp();
    }

    /** Judges by the outcome of a publish. */
    void end(long begun, @Nullable Throwable failure) {
        long took = circuit.getCurrentTimestamp() - begun;
        if (failure == null) {
            circuit.onSuccess(took, circuit.getTimestampUnit());
        } else {
            circuit.onError(took, circuit.getTimestampUnit(), failure);
        }
    }

    /** Tells whether publishing is off; if not, whoever asked publishes. */
    boolean isOpen() {
        return !circuit.tryAcquirePermission();
    }

    /** Returns when to try again, at most. */
    long retryMillis() {
        return pause.toMillis();
    }

    /** Learns that there is a new connection, through which commands get. */
    void reset() {
        if (circuit.getState() != State.CLOSED) {
            circuit.transitionToClosedState();
        }
    }

    /** Tells the state; after the pause it counts as half open, also before anybody has tried. */
    State state() {
        State state = circuit.getState();
        return state == State.OPEN && System.nanoTime() - openedAt >= pause.toNanos() ? State.HALF_OPEN : state;
    }

    Health health() {
        return state() == State.OPEN
                ? Health.down("redis: " + FAILURES + " publishes in a row failed, none is tried for a while")
                : Health.up();
    }
}
