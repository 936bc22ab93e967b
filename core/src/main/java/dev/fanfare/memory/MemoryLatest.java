package dev.fanfare.memory;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.spi.LatestValues;
import java.time.Duration;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Keeps the newest value per channel and key on the heap. */
final class MemoryLatest implements LatestValues {

    /*
     * State: per channel a map of its values, the one put longest ago first; a channel without values
     * has none.
     *
     * Threads: thread-safe. A channel's map is touched only inside ConcurrentHashMap's compute methods, which
     * run none but our code.
     *
     * Bounds: one value per key put within its time to live. Values that are over are dropped from the old end
     * whenever their channel is touched, and in passing by the rounds.
     */

    private final Clock clock;
    private final ConcurrentHashMap<ChannelId, Values> channels = new ConcurrentHashMap<>();
    private final Rounds<ChannelId> rounds;

    MemoryLatest(Clock clock) {
        this.clock = clock;
        this.rounds = new Rounds<>(channels.keySet(), this::tidy, clock.now());
    }

    @Override
    public CompletionStage<Void> put(ChannelId channel, String key, Publication value, Duration timeToLive) {
        requireNonNull(key, "key");
        long now = clock.now();
        Value fresh = new Value(requireNonNull(value, "value"), now + Clock.nanosOf(timeToLive));
        channels.compute(channel, (id, present) -> {
            Values values = present == null ? new Values() : present;
            values.put(key, fresh, now);
            return values.orNull(now);
        });
        rounds.pass(now);
        return CompletableFuture.completedStage(null);
    }

    @Override
    public CompletionStage<@Nullable Publication> get(ChannelId channel, String key) {
        long now = clock.now();
        Object[] found = new Object[1];
        channels.computeIfPresent(channel, (id, values) -> {
            found[0] = values.get(key, now);
            return values.orNull(now);
        });
        return CompletableFuture.completedStage((Publication) found[0]);
    }

    @Override
    public CompletionStage<Map<String, Publication>> all(ChannelId channel, int limit) {
        long now = clock.now();
        Map<String, Publication> all = new LinkedHashMap<>();
        channels.computeIfPresent(channel, (id, values) -> {
            values.copyTo(all, limit, now);
            return values.orNull(now);
        });
        return CompletableFuture.completedStage(Collections.unmodifiableMap(all));
    }

    @Override
    public CompletionStage<Void> remove(ChannelId channel, String key) {
        channels.computeIfPresent(channel, (id, values) -> {
            values.byKey.remove(key);
            return values.orNull(clock.now());
        });
        return CompletableFuture.completedStage(null);
    }

    private void tidy(ChannelId channel) {
        long now = clock.now();
        channels.computeIfPresent(channel, (id, values) -> values.orNull(now));
    }

    private record Value(Publication publication, long endNanos) {

        boolean isOver(long now) {
            return now - endNanos >= 0;
        }

        boolean isOlderThan(Publication other) {
            return !(publication.isLogged()
                    && other.isLogged()
                    && publication.epoch().equals(other.epoch())
                    && publication.offset() > other.offset());
        }
    }

    /**
     * The values of one channel.
     *
     * <p><b>Threading:</b> not thread-safe; confined to the map's compute.
     */
    private static final class Values {
        private final LinkedHashMap<String, Value> byKey = new LinkedHashMap<>();

        void put(String key, Value fresh, long now) {
            Value present = byKey.get(key);
            if (present == null || present.isOver(now) || present.isOlderThan(fresh.publication())) {
                // Taken out first, so that it moves to the young end.
                byKey.remove(key);
                byKey.put(key, fresh);
            }
        }

        @Nullable
        Publication get(String key, long now) {
            Value value = byKey.get(key);
            return value == null || value.isOver(now) ? null : value.publication();
        }

        void copyTo(Map<String, Publication> target, int limit, long now) {
            for (Map.Entry<String, Value> entry : byKey.entrySet()) {
                if (target.size() >= limit) {
                    return;
                }
                if (!entry.getValue().isOver(now)) {
                    target.put(entry.getKey(), entry.getValue().publication());
                }
            }
        }

        /** Drops what is over from the old end; null if nothing is left. */
        @Nullable
        Values orNull(long now) {
            Iterator<Value> oldest = byKey.values().iterator();
            while (oldest.hasNext() && oldest.next().isOver(now)) {
                oldest.remove();
            }
            return byKey.isEmpty() ? null : this;
        }
    }
}
