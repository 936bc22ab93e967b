package dev.fanfare.redis;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.Health;
import dev.fanfare.StoreException;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Announces over pub/sub. */
final class RedisBus implements Bus {

    /*
     * State: per watched channel one line with its watchers, copied on each change inside ConcurrentHashMap's compute,
     * which runs none but our code.
     *
     * Threads: thread-safe. Watchers are called by the relay's worker of the channel.
     *
     * Ordering: the connection for commands keeps the order of announce(), Redis keeps it per pub/sub channel, and the
     * relay hands on in order.
     */

    private static final Logger LOG = LoggerFactory.getLogger(RedisBus.class);

    private final Keys keys;
    private final Topology redis;
    private final Breaker breaker;
    private final Counters counters;
    private final int maxInlineBytes;
    private final ConcurrentHashMap<ChannelId, ChannelLine> lines = new ConcurrentHashMap<>();

    RedisBus(Keys keys, Topology redis, Breaker breaker, Counters counters, int maxInlineBytes) {
        this.keys = keys;
        this.redis = redis;
        this.breaker = breaker;
        this.counters = counters;
        this.maxInlineBytes = maxInlineBytes;
    }

    @Override
    public CompletionStage<Watch> watch(ChannelId channel, Watcher watcher) {
        Registration registration = new Registration(channel, requireNonNull(watcher, "watcher"));
        ChannelLine line = lines.compute(
                requireNonNull(channel, "channel"),
                (id, present) -> (present == null ? new ChannelLine(id) : present).with(registration));
        return redis.want(line).handle((effective, failure) -> {
            if (failure != null) {
                registration.close();
                throw CommandLink.asStoreFailure(failure);
            }
            return registration;
        });
    }

    @Override
    public CompletionStage<Void> announce(Announcement announcement) {
        if (breaker.isOpen()) {
            counters.dropped.increment();
            return CompletableFuture.failedFuture(
                    new StoreException("Redis failed too often: nothing is announced for a while", null, true));
        }
        byte[] frame = BusFrame.of(announcement, maxInlineBytes);
        long begun = breaker.begin();
        return redis.run(Request.publish(redis.pubSub(), keys.bus(announcement.channel()), frame))
                .handle((heard, failure) -> {
                    breaker.end(begun, failure);
                    if (failure != null) {
                        throw CommandLink.asStoreFailure(failure);
                    }
                    return null;
                });
    }

    @Override
    public Health health() {
        return redis.primaries().stream().allMatch(primary -> primary.events.isGood())
                ? Health.up()
                : Health.down("redis: announcements do not get through");
    }

    private final class ChannelLine extends Line {
        private final ChannelId channel;
        private volatile Registration[] registrations = {};

        ChannelLine(ChannelId channel) {
            super(redis.pubSub(), keys.bus(channel));
            this.channel = channel;
        }

        ChannelLine with(Registration added) {
            Registration[] more = Arrays.copyOf(registrations, registrations.length + 1);
            more[more.length - 1] = added;
            registrations = more;
            return this;
        }

        @Nullable
        ChannelLine without(Registration removed) {
            registrations = Arrays.stream(registrations)
                    .filter(registration -> registration != removed)
                    .toArray(Registration[]::new);
            return registrations.length == 0 ? null : this;
        }

        @Override
        void message(byte[] bytes) {
            Announcement announcement;
            try {
                announcement = BusFrame.read(channel, bytes);
            } catch (MalformedException malformed) {
                counters.malformed.increment();
                LOG.warn(
                        "An announcement in channel {} cannot be read; looking at the log instead: {}",
                        channel,
                        malformed.getMessage());
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

    private final class Registration implements Watch {
        private final ChannelId channel;
        private final Watcher watcher;
        private volatile boolean isClosed;

        Registration(ChannelId channel, Watcher watcher) {
            this.channel = channel;
            this.watcher = watcher;
        }

        @Override
        public void close() {
            isClosed = true;
            lines.computeIfPresent(channel, (id, line) -> {
                ChannelLine rest = line.without(this);
                if (rest == null) {
                    redis.unwant(line);
                }
                return rest;
            });
        }
    }
}
