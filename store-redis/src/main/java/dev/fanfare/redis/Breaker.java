package dev.fanfare.redis;

import dev.fanfare.Health;
import dev.fanfare.spi.LogLine;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Stops publishing to a server that answers with nothing but failures: after five in a row it is open for a pause, then
 * lets one publish through, which decides. A new connection closes it, having shown that Redis is well again.
 *
 * <p>{@link CommandLink} asks {@link #isOpen} before it sends a publish: that also says whether this one is the one that
 * may try. In a Redis Cluster a publish may come to several servers, and to one of them several times. What a server did
 * not run, as the slot is elsewhere or moves, or the cluster is down, says nothing of it: so a publish counts once, where
 * it went well or failed.
 *
 * <p><i>Threads.</i> Thread-safe.
 */
final class Breaker {

    private static final LogLine OFF =
            LogLine.warn(Breaker.class, "Publishes to Redis failed, one after the other: none is tried for a while");
    private static final LogLine TRIED = LogLine.warn(Breaker.class, "One publish to Redis is tried");
    private static final LogLine ON = LogLine.warn(Breaker.class, "Publishing to Redis works again");
    private static final int FAILURES = 5;

    private final CircuitBreaker circuit;
    private final String address;
    private final Duration pause;
    private volatile boolean hasFailed;
    private volatile @Nullable String lastFailure;
    private volatile long openedAt;

    /**
     * Makes one.
     *
     * @param address of the Redis, for the log
     */
    Breaker(String address, Duration pause) {
        this.address = address;
        this.pause = pause;
        this.circuit = CircuitBreaker.of(
                "fanfare-redis",
                CircuitBreakerConfig.custom()
                        .slidingWindow(FAILURES, FAILURES, SlidingWindowType.COUNT_BASED)
                        .failureRateThreshold(100)
                        .waitDurationInOpenState(pause)
                        .permittedNumberOfCallsInHalfOpenState(1)
                        .build());
        circuit.getEventPublisher()
                .onStateTransition(event -> changed(event.getStateTransition().getToState()));
    }

    private void changed(State state) {
        if (state == State.OPEN) {
            openedAt = System.nanoTime();
            OFF.log("redis", address, "failures", FAILURES, "pause", pause, "failure", lastFailure);
        } else {
            (state == State.HALF_OPEN ? TRIED : ON).log("redis", address);
        }
    }

    /** Judges by what became of a publish here; only after {@link #isOpen} said no. */
    void end(@Nullable Throwable failure) {
        if (failure != null && Redirect.of(failure) != null) {
            // It was not run, which says nothing: whoever comes next decides.
            circuit.releasePermission();
        } else if (failure != null) {
            hasFailed = true;
            lastFailure = failure.getMessage();
            circuit.onError(0, TimeUnit.NANOSECONDS, failure);
        } else if (hasFailed || circuit.getState() != State.CLOSED) {
            // Of those in a row one is told, which is enough: each costs a good part of what a publish does.
            hasFailed = false;
            circuit.onSuccess(0, TimeUnit.NANOSECONDS);
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

    /** Tells the worst of the states of some. */
    static State worst(Collection<Primary> primaries) {
        Set<State> states =
                primaries.stream().map(primary -> primary.breaker.state()).collect(Collectors.toSet());
        return Stream.of(State.OPEN, State.HALF_OPEN)
                .filter(states::contains)
                .findFirst()
                .orElse(State.CLOSED);
    }

    /** Tells whether publishes go to all of them. */
    static Health health(Collection<Primary> primaries) {
        return worst(primaries) == State.OPEN
                ? Health.down("redis: " + FAILURES + " publishes in a row failed, none is tried for a while")
                : Health.up();
    }
}
