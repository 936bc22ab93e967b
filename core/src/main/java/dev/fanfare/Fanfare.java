package dev.fanfare;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.Gateway;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Real-time fan-out: publish to channels, and every subscriber sees one unbroken, ordered run of
 * publications, each once, or is told why not.
 *
 * <pre>{@code
 * Fanfare fanfare = Fanfare.builder()
 *         .namespace("chat", rules -> rules.retain(50_000, Duration.ofDays(30)).presence())
 *         .build();
 * fanfare.subscribe(ChannelId.of("chat:lobby"), StartAt.live(), p -> show(p.data().text()));
 * fanfare.publish("chat:lobby", "{\"text\":\"hello\"}", PublishOptions.none());
 * }</pre>
 *
 * <p><b>Ordering:</b> one order per channel, the same for all subscribers on all nodes; none between
 * channels.
 *
 * <p><b>Lifecycle:</b> a plain object; several may live in one JVM. {@link #close} ends it.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks except {@link #close}. Stages complete on the
 * host executor, never on an event loop and never under a lock.
 */
public interface Fanfare extends AutoCloseable {

    /** Starts building one. */
    static FanfareBuilder builder() {
        return new FanfareBuilder();
    }

    /**
     * Publishes.
     *
     * @return what became of it: a refusal completes it normally, with {@link PublishResult.Refused}, so look at {@link
     *     PublishResult#isAccepted}; exceptionally a {@link StoreException} if nobody can tell, then repeat with the same
     *     dedup key
     */
    @CanIgnoreReturnValue
    CompletionStage<PublishResult> publish(ChannelId channel, Payload data, PublishOptions options);

    /**
     * Publishes a text, usually JSON.
     *
     * @throws IllegalArgumentException if the channel's name is not valid
     */
    @CanIgnoreReturnValue
    default CompletionStage<PublishResult> publish(String channel, String data, PublishOptions options) {
        return publish(ChannelId.of(channel), Payload.of(data), options);
    }

    /** Publishes a text, usually JSON, without further options. */
    @CanIgnoreReturnValue
    default CompletionStage<PublishResult> publish(String channel, String data) {
        return publish(channel, data, PublishOptions.none());
    }

    /** Publishes without further options. */
    @CanIgnoreReturnValue
    default CompletionStage<PublishResult> publish(ChannelId channel, Payload data) {
        return publish(channel, data, PublishOptions.none());
    }

    /**
     * Publishes the same to many channels. Each is a publish of its own, with its own outcome; at most 500 are under way
     * at a time, so that a store that pipelines does so. A dedup key counts per channel.
     *
     * @return what became of it per channel, in the order given; a channel given twice is published to once
     */
    @CanIgnoreReturnValue
    Map<ChannelId, CompletionStage<PublishResult>> broadcast(
            Collection<ChannelId> channels, Payload data, PublishOptions options);

    /** Reads a part of a channel's history. */
    CompletionStage<HistoryResult> history(ChannelId channel, HistoryQuery query);

    /**
     * Loads the application's own state together with the position from which to follow the channel, so that nothing
     * is missed in between: first the position, then the state.
     *
     * <pre>{@code
     * fanfare.stateAt(channel, () -> CompletableFuture.supplyAsync(() -> orders.open(region), blocking))
     *         .thenAccept(at -> reply(at.state(), at.cursor()));
     * }</pre>
     *
     * <p>What JDBC reads in one database can be of one snapshot; see {@code JdbcStore.stateAt}.
     *
     * @param loader called once the position is known, on the host executor; it may block only if that may
     * @return completes with a {@link RefusedException} if the channel has no history; with what the loader failed with
     */
    <T> CompletionStage<StateAt<T>> stateAt(ChannelId channel, Supplier<? extends CompletionStage<T>> loader);

    /**
     * Prepares a cache of the application's own state of channels, for pages that show a state and then its changes.
     *
     * @param key names this state among others of the same channels, 1 to 64 characters; nodes with the same key share
     * @param loader loads the state of one channel; called on the host executor, at most once at a time per channel and
     *     node; it may block only if that may, and must be done within ten seconds
     */
    StateCache.Builder stateCache(String key, Function<ChannelId, ? extends CompletionStage<Payload>> loader);

    /**
     * Reads a part of a channel's history.
     *
     * @throws IllegalArgumentException if the channel's name is not valid
     */
    default CompletionStage<HistoryResult> history(String channel, HistoryQuery query) {
        return history(ChannelId.of(channel), query);
    }

    /**
     * Removes a channel's history: its publications are not shown to anybody any more. The position stays, so
     * a subscriber that is at the top goes on, and who comes back from behind is told {@link
     * ResetReason#TRIMMED}. Completes with a {@link RefusedException} if the namespace retains nothing.
     */
    CompletionStage<Void> removeHistory(ChannelId channel);

    /**
     * Subscribes within this process, with the same guarantees that remote clients have.
     *
     * @return the subscription, which is live when its {@link Subscription#ready} completes
     */
    @CanIgnoreReturnValue
    Subscription subscribe(ChannelId channel, StartAt start, Subscriber subscriber);

    /**
     * Subscribes within this process, with the same guarantees that remote clients have.
     *
     * @throws IllegalArgumentException if the channel's name is not valid
     */
    @CanIgnoreReturnValue
    default Subscription subscribe(String channel, StartAt start, Subscriber subscriber) {
        return subscribe(ChannelId.of(channel), start, subscriber);
    }

    /**
     * Subscribes within this process to all channels whose names match, those that nobody has written yet included: live
     * only, without resume.
     *
     * <p>This costs no topic per channel, but every node with such a subscription is sent everything that is published in
     * matching channels, and every publish looks at every pattern. Where the bus only says that a channel has moved (SQL
     * databases, large payloads on Redis), each time costs a read of the log.
     *
     * @return the subscription; its {@link PatternSubscription#ready} fails with a {@link RefusedException} if the pattern
     *     names a namespace that has no rules ({@link Refusal#UNKNOWN_NAMESPACE}), or the bus cannot watch by pattern, as
     *     that of a Redis Cluster cannot ({@link Refusal#NOT_AVAILABLE})
     */
    @CanIgnoreReturnValue
    PatternSubscription subscribeMatching(ChannelPattern pattern, PatternSubscriber subscriber);

    /**
     * Subscribes to all channels whose names match.
     *
     * @throws IllegalArgumentException if the pattern is not valid
     */
    @CanIgnoreReturnValue
    default PatternSubscription subscribeMatching(String pattern, PatternSubscriber subscriber) {
        return subscribeMatching(ChannelPattern.of(pattern), subscriber);
    }

    /**
     * Looks who is in a channel, at most 10,000 members; completes with a {@link RefusedException} if
     * its namespace has no presence.
     */
    default CompletionStage<PresenceSnapshot> presence(ChannelId channel) {
        return presence(channel, 10_000);
    }

    /**
     * Looks who is in a channel, as {@link #presence(ChannelId)} does.
     *
     * @throws IllegalArgumentException if the channel's name is not valid
     */
    default CompletionStage<PresenceSnapshot> presence(String channel) {
        return presence(ChannelId.of(channel));
    }

    /**
     * Looks who is in a channel.
     *
     * @param limit how many members to name at most, 0 to 10,000; 0 to count them only
     */
    CompletionStage<PresenceSnapshot> presence(ChannelId channel, int limit);

    /**
     * Tells whether this node can do its work: it is open, and its store is up. For the readiness probe of a load
     * balancer; cheap, never blocks.
     */
    Health health();

    /** Counts what this node holds and what waits in it; for gauges. Cheap enough for every second. */
    Stats stats();

    /**
     * Prepares workers that share the logged publications of a channel as jobs, with those of the same group on all
     * nodes.
     *
     * @param group its name, 1 to 64 characters; each group gets every publication
     * @throws IllegalArgumentException if the channel's namespace is unknown, or retains nothing
     * @throws UnsupportedOperationException if the store has no work queues; the Redis store has
     */
    Workers.Builder workers(ChannelId channel, String group);

    /** Looks at and acts on the clients' connections. */
    Connections connections();

    /** Makes and takes one-time tickets, for clients that can show nothing else. */
    Tickets tickets();

    /** Returns the rules of the channel's namespace, or null if the namespace is unknown. */
    @Nullable
    ChannelRules rules(ChannelId channel);

    /** Returns where transports come in; hosts need it only to write one. */
    Gateway gateway();

    /**
     * Sends the clients away without hurry, so that this process can be stopped and nobody notices: {@link #health}
     * says "draining", new connections are refused, and those there are get {@link DisconnectReason#SHUTDOWN}, which
     * tells them to connect again at once, in random order and evenly spread over the window. Everything else goes
     * on: the host can publish, and clients that have not been sent away yet are served. There is no way back.
     *
     * <p>A client that is back on another node within the presence grace of its channels never left.
     *
     * @param window how long it takes, up to a day; zero sends everybody away at once
     * @return completes when nobody is left, or ten seconds (or another window, if that is longer) after the window;
     *     then {@link #close}. A second call returns the stage of the first
     */
    @CanIgnoreReturnValue
    CompletionStage<Void> drain(Duration window);

    /**
     * Closes all connections with {@link DisconnectReason#SHUTDOWN} and ends all subscriptions. The
     * store stays open; whoever made it closes it. Waits at most ten seconds.
     *
     * @throws IllegalStateException if called from a callback of this Fanfare
     */
    @Override
    void close();
}
