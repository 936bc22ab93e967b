package dev.fanfare.redis;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.Health;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.LogLine;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Announces over pub/sub. */
final class RedisBus implements Bus {

    /*
     * State: per watched channel one line with its watchers, copied on each change inside ConcurrentHashMap's compute,
     * which runs none but our code. Per watched pattern likewise.
     *
     * Threads: thread-safe. Watchers are called by the relay's worker of the channel, or of the pattern.
     *
     * Ordering: the connection for commands keeps the order of announce(), Redis keeps it per pub/sub channel, and the
     * relay hands on in order.
     */

    private static final LogLine MALFORMED =
            LogLine.warn(RedisBus.class, "An announcement cannot be read; looking at the log instead");

    private final Keys keys;
    private final Topology redis;
    private final Counters counters;
    private final int maxInlineBytes;
    private final ConcurrentHashMap<ChannelId, BusLine> lines = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<ChannelPattern, BusLine> patterns = new ConcurrentHashMap<>();

    RedisBus(Keys keys, Topology redis, Counters counters, int maxInlineBytes) {
        this.keys = keys;
        this.redis = redis;
        this.counters = counters;
        this.maxInlineBytes = maxInlineBytes;
    }

    @Override
    public CompletionStage<Watch> watch(ChannelId channel, Watcher watcher) {
        requireNonNull(channel, "channel");
        return watch(lines, channel, watcher, () -> new ChannelLine(channel));
    }

    @Override
    public CompletionStage<Watch> watchMatching(ChannelPattern pattern, Watcher watcher) {
        requireNonNull(pattern, "pattern");
        if (redis.pubSub() == PubSub.SHARDED) {
            return CompletableFuture.failedFuture(
                    new UnsupportedOperationException("A Redis Cluster cannot watch channels by pattern"));
        }
        return watch(patterns, pattern, watcher, () -> new PatternLine(pattern));
    }

    private <K> CompletionStage<Watch> watch(
            ConcurrentHashMap<K, BusLine> all, K key, Watcher watcher, Supplier<BusLine> fresh) {
        Registration registration = new Registration(requireNonNull(watcher, "watcher"));
        BusLine line =
                all.compute(key, (same, present) -> (present == null ? fresh.get() : present).with(registration));
        Watch watch = new Watch() {
            @Override
            public boolean isEffective() {
                return redis.isHeard(line);
            }

            @Override
            public void close() {
                registration.isClosed = true;
                all.computeIfPresent(key, (same, present) -> {
                    BusLine rest = present.without(registration);
                    if (rest == null) {
                        redis.unwant(present);
                    }
                    return rest;
                });
            }
        };
        return redis.want(line).handle((effective, failure) -> {
            if (failure != null) {
                watch.close();
                throw CommandLink.asStoreFailure(failure);
            }
            return watch;
        });
    }

    @Override
    public CompletionStage<Void> announce(Announcement announcement) {
        byte[] name = keys.bus(Keys.place(announcement.channel()));
        byte[] frame = BusFrame.of(announcement, maxInlineBytes);
        return redis.run(Request.publish(redis.pubSub(), name, frame).guarded()).handle((heard, failure) -> {
            if (failure == null) {
                return null;
            }
            boolean isDropped = SwitchedOffException.of(failure) != null || NotSentException.isCauseOf(failure);
            if (isDropped) {
                counters.dropped.increment();
            }
            if (isDropped && isKeptNowhere(announcement)) {
                return null; // as in a namespace of a RedisStore that retains nothing
            }
            throw CommandLink.asStoreFailure(failure);
        });
    }

    private static boolean isKeptNowhere(Announcement announcement) {
        return announcement instanceof Announcement.Published published
                && !published.publication().isLogged();
    }

    @Override
    public Health health() {
        return redis.primaries().stream().allMatch(primary -> primary.events.isGood())
                ? Health.up()
                : Health.down("redis: announcements do not get through");
    }

    /** A pub/sub channel, or a pattern of some, and those who watch it. */
    private abstract class BusLine extends Line {
        private volatile Registration[] registrations = {};

        BusLine(PubSub kind, String name) {
            super(kind, name);
        }

        BusLine with(Registration added) {
            Registration[] more = Arrays.copyOf(registrations, registrations.length + 1);
            more[more.length - 1] = added;
            registrations = more;
            return this;
        }

        @Nullable
        BusLine without(Registration removed) {
            registrations = Arrays.stream(registrations)
                    .filter(registration -> registration != removed)
                    .toArray(Registration[]::new);
            return registrations.length == 0 ? null : this;
        }

        void hear(ChannelId channel, byte[] bytes) {
            Announcement announcement;
            try {
                announcement = BusFrame.read(channel, bytes);
            } catch (MalformedException malformed) {
                counters.malformed.increment();
                MALFORMED.log("channel", channel, "failure", malformed.getMessage());
                interrupted();
                return;
            }
            for (Registration registration : registrations) {
                if (!registration.isClosed) {
                    registration.watcher.announced(announcement);
                }
            }
        }

        @Override
        void interrupted() {
            for (Registration registration : registrations) {
                if (!registration.isClosed) {
                    registration.watcher.interrupted();
                }
            }
        }
    }

    private final class ChannelLine extends BusLine {
        private final ChannelId channel;

        ChannelLine(ChannelId channel) {
            super(redis.pubSub(), keys.bus(channel));
            this.channel = channel;
        }

        @Override
        void message(byte[] bytes) {
            hear(channel, bytes);
        }
    }

    private final class PatternLine extends BusLine {
        private final ChannelPattern pattern;

        PatternLine(ChannelPattern pattern) {
            super(PubSub.PATTERN, keys.bus(pattern));
            this.pattern = pattern;
        }

        @Override
        void message(byte[] bytes) {
            throw new IllegalStateException("A pattern's messages come with the names of their channels");
        }

        @Override
        void message(String from, byte[] bytes) {
            ChannelId channel = keys.channel(from);
            if (channel != null && pattern.matches(channel)) {
                hear(channel, bytes);
            }
        }
    }

    private static final class Registration {
        private final Watcher watcher;
        private volatile boolean isClosed;

        Registration(Watcher watcher) {
            this.watcher = watcher;
        }
    }
}
