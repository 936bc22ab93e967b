package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.StateAt;
import dev.fanfare.StateCache.Source;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Has the host load states, unless another node has done so at the same position or later: nodes give each other what they
 * loaded.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Bounds.</i> Those who ask; each load has the time-out of all calls of the host's.
 */
final class StateLoader {

    private final Calls calls;
    private final TimeSource time;
    private final EventLog log;
    private final LatestValues values;
    private final String key;
    private final Function<ChannelId, ? extends CompletionStage<Payload>> loader;
    private final Duration timeToLive;

    StateLoader(Calls calls, TimeSource time, EventLog log, LatestValues values, StateCacheBuilder wanted) {
        this.calls = calls;
        this.time = time;
        this.log = log;
        this.values = values;
        this.key = wanted.key;
        this.loader = wanted.loader;
        this.timeToLive = wanted.timeToLive;
    }

    /**
     * What was loaded.
     *
     * @param source by this node or another
     * @param timeLeft for how long it is good
     */
    record Loaded(StateAt<Payload> state, Source source, Duration timeLeft) {}

    /** Returns a state that is not behind a position. */
    CompletionStage<Loaded> load(ChannelId channel, Cursor from) {
        return shared(channel, from)
                .thenCompose(found ->
                        found == null ? loadHere(channel, from) : CompletableFuture.completedStage(loadedThere(found)));
    }

    /** Looks for what another node loaded; if it cannot, there is none. */
    private CompletionStage<@Nullable Publication> shared(ChannelId channel, Cursor from) {
        return calls.<@Nullable Publication>store("state of " + channel, () -> values.get(channel, key))
                .handle((found, failure) -> found != null && covers(found.cursor(), from) ? found : null);
    }

    private Loaded loadedThere(Publication found) {
        Duration age = Duration.ofMillis(time.millis() - found.timeMillis());
        return new Loaded(
                new StateAt<>(found.cursor(), found.data()),
                Source.SHARED,
                age.isNegative() ? timeToLive : timeToLive.minus(age));
    }

    private CompletionStage<Loaded> loadHere(ChannelId channel, Cursor from) {
        return calls.host(() -> loader.apply(channel)).thenApply(state -> {
            share(channel, from, state);
            return new Loaded(new StateAt<>(from, state), Source.LOADED, timeToLive);
        });
    }

    /** Lets other nodes have it; a channel that was never written has no position that orders states. */
    private void share(ChannelId channel, Cursor at, Payload state) {
        if (at.offset() > 0) {
            Publication value = Publication.builder(state)
                    .position(at.epoch(), at.offset(), at.tag(), Cursor.NO_TAG)
                    .timeMillis(time.millis())
                    .build();
            calls.store("state of " + channel, () -> values.put(channel, key, value, timeToLive))
                    .whenComplete((kept, failure) -> {
                        if (failure != null) {
                            log.sharingFailed(channel, failure);
                        }
                    });
        }
    }

    /** Tells whether a state that was loaded at one position is good at another. */
    static boolean covers(Cursor state, Cursor position) {
        return state.epoch().equals(position.epoch())
                && (state.offset() > position.offset()
                        || (state.offset() == position.offset() && state.tag() == position.tag()));
    }
}
