package dev.fanfare.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.StoreException;
import dev.fanfare.spi.LogLine;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Subscribes lines to pub/sub channels over one connection, which it makes anew when it is lost. */
final class EventLink {

    /*
     * State: the subscriptions, which know the session while there is one, and what the newest probe found.
     *
     * Each second, what the server refused after a reconnect is subscribed again, since its lines were told that it is.
     * While there is no connection lines are told each second that they were interrupted, a thousand at a time, so that a log that lives
     * elsewhere keeps its subscribers going meanwhile.
     *
     * Threads: thread-safe. Connecting goes from callback to callback, one attempt at a time; pauses are spent on the
     * timer.
     */

    private static final LogLine LOST = LogLine.warn(EventLink.class, "The pub/sub connection to Redis is lost");
    private static final LogLine BACK = LogLine.warn(EventLink.class, "The pub/sub connection to Redis is back");
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);
    private static final Duration POLL_PAUSE = Duration.ofSeconds(1);
    private static final int POLLED_AT_ONCE = 1000;

    private final Connector connector;
    private final Relay relay;
    private final Counters counters;
    private final Subscriptions subscriptions;
    private final CompletableFuture<Void> firstReady = new CompletableFuture<>();
    private volatile boolean hasFailedProbe;
    private volatile boolean isClosed;

    /**
     * Makes one.
     *
     * @param onStray as {@link Subscriptions} says
     */
    EventLink(Connector connector, Relay relay, Counters counters, Consumer<Line> onStray) {
        this.connector = connector;
        this.relay = relay;
        this.counters = counters;
        this.subscriptions = new Subscriptions(connector.address(), relay, onStray);
    }

    /** Begins to connect; completes with the first success. */
    CompletionStage<Void> start() {
        connect(FIRST_PAUSE);
        connector.later(POLL_PAUSE, () -> poll(List.of()));
        return firstReady;
    }

    boolean isUp() {
        return subscriptions.session() != null;
    }

    /** Tells whether messages get through: there is a connection, and the newest probe, if there was one, came back. */
    boolean isGood() {
        return isUp() && !hasFailedProbe;
    }

    /** Learns whether a probe came back. */
    void probed(boolean isBack) {
        hasFailedProbe = !isBack;
    }

    /** Tells whether a line hears what is published, and was told of what it did not hear. */
    boolean isHeard(Line line) {
        return !hasFailedProbe && subscriptions.isHeard(line);
    }

    /** Subscribes a line, as {@link Subscriptions#want} says. */
    CompletionStage<Void> want(Line line, boolean hasMissed) {
        return subscriptions.want(line, hasMissed);
    }

    /** Gives up the subscription of a line, unless another line of the same name has taken it over. */
    void unwant(Line line) {
        subscriptions.unwant(line);
    }

    // ---- connecting

    private void connect(Duration pause) {
        if (isClosed) {
            return;
        }
        connector.connectPubSub().whenComplete((fresh, failure) -> {
            if (fresh == null) {
                firstReady.completeExceptionally(new StoreException("Redis cannot be reached", failure, true));
                Duration longer = pause.multipliedBy(2);
                connector.later(pause, () -> connect(longer.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : longer));
            } else {
                connected(fresh);
            }
        });
    }

    private void connected(StatefulRedisPubSubConnection<String, byte[]> connection) {
        if (isClosed) {
            connection.closeAsync();
            return;
        }
        PubSubSession fresh = new PubSubSession(connection, connector.pubSubLoop(), subscriptions);
        connection.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
                lost(fresh);
            }
        });
        subscriptions.begin(fresh);
        if (!firstReady.complete(null)) {
            counters.reconnects.increment();
            BACK.log("redis", connector.address());
        }
        if (!fresh.isOpen()) {
            lost(fresh);
        }
    }

    @CanIgnoreReturnValue
    private CompletionStage<Void> lost(PubSubSession broken) {
        if (!subscriptions.end(broken)) {
            return CompletableFuture.completedStage(null);
        }
        if (!isClosed) {
            LOST.log("redis", connector.address());
            connector.later(FIRST_PAUSE, () -> connect(FIRST_PAUSE));
        }
        return broken.close();
    }

    /** Returns the present connection; null if there is none. */
    @Nullable
    PubSubSession session() {
        return subscriptions.session();
    }

    /** Gives up a connection through which nothing comes, unless there is another by now, and makes another. */
    void rebuild(PubSubSession silent) {
        lost(silent);
    }

    /** Sends lines to the log while nothing is announced to them: the next thousand of those left of this round. */
    private void poll(List<Line> left) {
        if (isClosed) {
            return;
        }
        subscriptions.tryAgain();
        List<Line> rest = left;
        if (!isUp()) {
            rest = rest.isEmpty() ? subscriptions.lines() : rest;
            int some = Math.min(rest.size(), POLLED_AT_ONCE);
            rest.subList(0, some).forEach(relay::interrupt);
            rest = rest.subList(some, rest.size());
        }
        List<Line> next = List.copyOf(rest);
        connector.later(POLL_PAUSE, () -> poll(next));
    }

    /** Closes for good; completes when the connection is closed. */
    CompletionStage<Void> close() {
        isClosed = true;
        PubSubSession current = subscriptions.session();
        return current == null ? CompletableFuture.completedStage(null) : lost(current);
    }
}
