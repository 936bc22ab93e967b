package dev.fanfare.internal;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.StateCache;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** What the host asked for when it starts a cache. Not thread-safe. */
final class StateCacheBuilder implements StateCache.Builder {

    private static final int MOST_CHANNELS = 1_000_000;

    private final Engine engine;
    final String key;
    final Function<ChannelId, ? extends CompletionStage<Payload>> loader;
    Duration timeToLive = Duration.ofMinutes(5);
    int maxChannels = 10_000;

    StateCacheBuilder(Engine engine, String key, Function<ChannelId, ? extends CompletionStage<Payload>> loader) {
        this.engine = engine;
        this.key = key;
        this.loader = loader;
    }

    @Override
    @CanIgnoreReturnValue
    public StateCacheBuilder timeToLive(Duration time) {
        if (time.compareTo(Duration.ofMillis(100)) < 0 || time.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException("time must be in [PT0.1S, PT24H]: " + time);
        }
        this.timeToLive = time;
        return this;
    }

    @Override
    @CanIgnoreReturnValue
    public StateCacheBuilder maxChannels(int count) {
        if (count < 1 || count > MOST_CHANNELS) {
            throw new IllegalArgumentException("count must be in [1, " + MOST_CHANNELS + "]: " + count);
        }
        this.maxChannels = count;
        return this;
    }

    @Override
    public StateCache start() {
        return engine.start(this);
    }
}
