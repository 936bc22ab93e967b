package dev.fanfare.redis;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.StoreException;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterURIUtil;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Keeps everything in Redis, version 7 or newer: one server, with replicas if need be, or a Redis Cluster. All Fanfares
 * with the same Redis and prefix are nodes of one cluster.
 *
 * <pre>{@code
 * RedisStore store = RedisStore.of("redis://localhost:6379");
 * Fanfare fanfare = Fanfare.builder().store(store).build();
 * }</pre>
 *
 * <p><b>What accepted means:</b> the primary has it in memory. How long it lasts is for Redis to say: with {@code
 * appendonly yes} and {@code appendfsync everysec} a crash may take the last second, with replicas a failover what they
 * had not got yet ({@code min-replicas-to-write} narrows that). Such losses do not go unnoticed: by default every epoch
 * ends when the primary was promoted or restarted, so that nobody is told to have everything who has not.
 *
 * <p><b>Memory:</b> Redis must not evict: {@code maxmemory-policy noeviction}. Per channel that was published to there
 * are about 200 bytes beside its publications, until 30 days after the head is over; a channel that is only read leaves
 * no trace.
 *
 * <p><b>While Redis is away</b> appends are refused, with a time to try again, all else fails; nothing waits in a
 * queue, and nothing is sent twice. Connections are made anew without end.
 *
 * <p><b>Connections:</b> two per store and primary, whatever the number of channels.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks but {@link Builder#build}, {@link #of} and {@link #close}.
 */
public final class RedisStore implements Store, AutoCloseable {

    private final Threads threads;
    private final Topology redis;
    private final Relay relay;
    private final Counters counters = new Counters();
    private final RedisLog log;
    private final RedisBus bus;
    private final RedisPresence presence;
    private final RedisControl control;
    private final RedisLatest latestValues;

    private RedisStore(Builder builder) {
        Keys keys = new Keys(builder.keyPrefix);
        this.threads = new Threads(builder.timeout);
        this.relay = new Relay(Math.max(2, Math.min(8, Runtime.getRuntime().availableProcessors())), counters);
        Primary.Parts parts = new Primary.Parts(
                keys, relay, counters, builder.isEpochEndedByFailover, builder.probePause, builder.breakerPause);
        this.redis = topology(builder, parts);
        this.bus = new RedisBus(keys, redis, counters, builder.maxInlineBytes);
        this.log = new RedisLog(keys, redis, bus, counters, builder.maxInlineBytes);
        this.presence = new RedisPresence(keys, redis);
        this.control = new RedisControl(keys, redis, threads, counters);
        this.latestValues = new RedisLatest(keys, redis);
    }

    private Topology topology(Builder builder, Primary.Parts parts) {
        for (RedisURI uri : builder.uris) {
            uri.setClientName(builder.clientName);
            uri.setTimeout(builder.timeout);
        }
        return builder.isCluster
                ? new Cluster(threads, relay, builder.uris, uri -> new Connector(threads, uri, builder.trusted), parts)
                : new Standalone(new Connector(threads, builder.uris.get(0), builder.trusted), parts);
    }

    /**
     * Connects to the Redis of that URI, with default options.
     *
     * @throws StoreException if it cannot be reached
     * @see #builder
     */
    public static RedisStore of(String uri) {
        return builder(uri).build();
    }

    /**
     * Starts from a URI: {@code redis://[user:password@]host[:port][/database]}, {@code rediss://…} for TLS, {@code
     * redis-sentinel://[password@]host[:port][,host2[:port2]][/database]#primary} to ask Sentinel for the primary, {@code
     * redis-cluster://[user:password@]host[:port][,host2[:port2]]}, or {@code rediss-cluster://…} for TLS, for a Redis
     * Cluster of which some servers are named.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static Builder builder(String uri) {
        return new Builder(uri);
    }

    private RedisStore start(Duration timeout) {
        try {
            redis.start()
                    .toCompletableFuture()
                    .orTimeout(2 * timeout.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
        } catch (CompletionException failure) {
            close();
            throw CommandLink.asStoreFailure(failure);
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
        control.start();
        return this;
    }

    @Override
    public ChannelLog log() {
        return log;
    }

    @Override
    public Bus bus() {
        return bus;
    }

    @Override
    public PresenceStore presence() {
        return presence;
    }

    @Override
    public ControlBus control() {
        return control;
    }

    @Override
    public LatestValues latestValues() {
        return latestValues;
    }

    /** Tells in detail how it is doing, with counts of what went wrong. */
    public RedisHealth state() {
        return new RedisHealth(
                redis.primaries().stream().allMatch(primary -> primary.commands.isServing()),
                redis.primaries().stream().allMatch(primary -> primary.events.isGood()),
                counters.reconnects.sum(),
                counters.interruptions.sum(),
                counters.overflows.sum(),
                counters.malformed.sum(),
                counters.failovers.sum(),
                counters.refusals.sum(),
                counters.dropped.sum(),
                Breaker.worst(redis.primaries()).name().toLowerCase(Locale.ROOT));
    }

    /** Lets Redis believe that it is so much later; for tests. */
    CompletionStage<Void> shiftTime(Duration shift) {
        return CompletableFuture.allOf(redis.primaries().stream()
                .map(primary -> primary.commands.shiftTime(shift).toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new));
    }

    /** Closes the connections; close the Fanfares that use it first. Waits at most twice the time-out. */
    @Override
    public void close() {
        redis.close()
                .toCompletableFuture()
                .completeOnTimeout(null, 1, TimeUnit.SECONDS)
                .join();
        relay.close();
        threads.close();
    }

    /**
     * Builds {@link RedisStore}; each setter checks its argument at once.
     *
     * <p><b>Threading:</b> not thread-safe.
     */
    public static final class Builder {
        private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9_.:-]{1,64}");
        private static final Pattern CLIENT_NAME = Pattern.compile("[!-~]{1,128}");
        private static final Pattern CLUSTER = Pattern.compile("(rediss?)-cluster:");
        private static final int DEFAULT_INLINE_BYTES = 16 * 1024;

        private final boolean isCluster;
        private final List<RedisURI> uris;
        private String keyPrefix = "fanfare";
        private String clientName = "fanfare";
        private Duration timeout = Duration.ofSeconds(5);
        private @Nullable Path trusted;
        private Duration probePause = Duration.ofSeconds(10);
        private Duration breakerPause = Duration.ofSeconds(30);
        private int maxInlineBytes = DEFAULT_INLINE_BYTES;
        private boolean isEpochEndedByFailover = true;

        private Builder(String uri) {
            Matcher cluster = CLUSTER.matcher(requireNonNull(uri, "uri"));
            this.isCluster = cluster.lookingAt();
            this.uris = isCluster
                    ? RedisClusterURIUtil.toRedisURIs(URI.create(cluster.replaceFirst("$1:")))
                    : List.of(RedisURI.create(uri));
        }

        /** Sets what all keys and pub/sub channels begin with; default {@code fanfare}. */
        @CanIgnoreReturnValue
        public Builder keyPrefix(String prefix) {
            this.keyPrefix = matching(PREFIX, prefix, "prefix");
            return this;
        }

        /** Sets the name that {@code CLIENT LIST} shows; default {@code fanfare}. */
        @CanIgnoreReturnValue
        public Builder clientName(String name) {
            this.clientName = matching(CLIENT_NAME, name, "name");
            return this;
        }

        /**
         * Sets the certificates, in one PEM file, to which that of a server must lead ({@code rediss://}); default: those
         * that Java trusts. The name in it must be that of the host.
         */
        @CanIgnoreReturnValue
        public Builder trustedCertificates(Path pem) {
            if (!Files.isReadable(pem)) {
                throw new IllegalArgumentException("pem must be a file that can be read: " + pem);
            }
            this.trusted = pem;
            return this;
        }

        /** Sets how long connecting may take, 10 ms to 1 minute; default 5 seconds. */
        @CanIgnoreReturnValue
        public Builder timeout(Duration timeout) {
            this.timeout = between(timeout, Duration.ofMillis(10), Duration.ofMinutes(1), "timeout");
            return this;
        }

        /**
         * Sets how often the connections are tested from end to end, 100 ms to 1 minute; default 10 seconds. One that
         * fails is made anew.
         */
        @CanIgnoreReturnValue
        public Builder probePause(Duration pause) {
            this.probePause = between(pause, Duration.ofMillis(100), Duration.ofMinutes(1), "pause");
            return this;
        }

        /**
         * Sets for how long nothing is published after five publishes in a row failed, 100 ms to 10 minutes; default 30
         * seconds. Then one is tried. Meanwhile what is logged is refused, and what is not is dropped and counted. In a
         * Redis Cluster this is so for each server, and what a server does not run since a slot moves or the cluster is
         * down does not count.
         */
        @CanIgnoreReturnValue
        public Builder breakerPause(Duration pause) {
            this.breakerPause = between(pause, Duration.ofMillis(100), Duration.ofMinutes(10), "pause");
            return this;
        }

        /**
         * Sets up to which size a logged publication is announced whole, 0 to 1 MiB; default 16 KiB. Of a larger one
         * nodes only learn that it is there, and each reads it from the log once.
         */
        @CanIgnoreReturnValue
        public Builder maxInlineBytes(int bytes) {
            if (bytes < 0 || bytes > 1 << 20) {
                throw new IllegalArgumentException("bytes must be in [0, 1048576]: " + bytes);
            }
            this.maxInlineBytes = bytes;
            return this;
        }

        /**
         * Sets whether all epochs end when the primary was promoted or restarted; default true.
         *
         * <p>A promoted replica may lack publications that the former primary had acknowledged, and so may one that was
         * restarted. Cursors with a tag notice; those without, as the Centrifuge protocol has them, cannot. If epochs
         * end, all of them are reset, those that had lost nothing too. With false nobody is reset in vain, but a client
         * without tags may be told that it has everything when it has not.
         */
        @CanIgnoreReturnValue
        public Builder epochsEndOnFailover(boolean isEnded) {
            this.isEpochEndedByFailover = isEnded;
            return this;
        }

        /**
         * Connects. Waits for that at most three times the time-out.
         *
         * @throws StoreException if Redis cannot be reached
         */
        public RedisStore build() {
            return new RedisStore(this).start(timeout);
        }

        private static String matching(Pattern pattern, String text, String name) {
            if (!pattern.matcher(text).matches()) {
                throw new IllegalArgumentException(name + " must match " + pattern + ": " + text);
            }
            return text;
        }

        private static Duration between(Duration duration, Duration least, Duration most, String name) {
            if (duration.compareTo(least) < 0 || duration.compareTo(most) > 0) {
                throw new IllegalArgumentException(name + " must be in [" + least + ", " + most + "]: " + duration);
            }
            return duration;
        }
    }
}
