package dev.fanfare.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes connections to one address.
 *
 * <p>Lettuce's own reconnecting is off: it would send again what may have been executed already, and knows nothing of
 * what must be looked up before a new connection may be used.
 *
 * <p>It can make connections again and again, until it is closed.
 *
 * <p><i>Threads.</i> Thread-safe; each kind of connection is made one at a time.
 */
final class Connector {

    private static final RedisCodec<String, byte[]> PUBSUB_CODEC =
            RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE);

    private final Threads threads;
    private final RedisURI uri;
    private final Duration timeout;
    private final RedisClient commandClient;
    private final RedisClient pubSubClient;
    private final LoopFinder commandLoop = new LoopFinder();
    private final LoopFinder pubSubLoop = new LoopFinder();

    /**
     * Makes one.
     *
     * @param trusted certificates in PEM that servers' certificates must lead to; null for those that Java trusts
     */
    Connector(Threads threads, RedisURI uri, @Nullable Path trusted) {
        this.threads = threads;
        this.uri = uri;
        this.timeout = uri.getTimeout();
        this.commandClient = client(threads.resources(commandLoop), timeout, trusted);
        this.pubSubClient = client(threads.resources(pubSubLoop), timeout, trusted);
    }

    private static RedisClient client(ClientResources resources, Duration timeout, @Nullable Path trusted) {
        RedisClient client = RedisClient.create(resources);
        SslOptions.Builder ssl = SslOptions.builder().handshakeTimeout(timeout);
        if (trusted != null) {
            ssl.trustManager(trusted.toFile());
        }
        client.setOptions(ClientOptions.builder()
                .sslOptions(ssl.build())
                .autoReconnect(false)
                .maintNotificationsConfig(MaintNotificationsConfig.disabled())
                .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(timeout)
                        .keepAlive(true)
                        .build())
                .useHashIndexQueue(false)
                .build());
        return client;
    }

    /** Tells where Redis is, without user and password. */
    String address() {
        return uri.getSentinels().isEmpty()
                ? place(uri)
                : uri.getSentinelMasterId() + " by the Sentinels "
                        + uri.getSentinels().stream().map(Connector::place).collect(Collectors.joining(","));
    }

    private static String place(RedisURI one) {
        return one.getSocket() == null ? one.getHost() + ':' + one.getPort() : one.getSocket();
    }

    String host() {
        return uri.getHost();
    }

    Duration timeout() {
        return timeout;
    }

    boolean isTls() {
        return uri.isSsl();
    }

    CompletionStage<StatefulRedisConnection<byte[], byte[]>> connectCommands() {
        return commandClient.connectAsync(ByteArrayCodec.INSTANCE, uri);
    }

    CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> connectPubSub() {
        return pubSubClient.connectPubSubAsync(PUBSUB_CODEC, uri);
    }

    /** Returns the event loop of the newest connection for commands. */
    Executor commandLoop() {
        return commandLoop.loop;
    }

    /** Returns the event loop of the newest connection for pub/sub. */
    Executor pubSubLoop() {
        return pubSubLoop.loop;
    }

    /** Closes what connections there still are, and lets go of the threads. Does not wait. */
    void close() {
        for (RedisClient client : List.of(commandClient, pubSubClient)) {
            client.getResources().shutdown();
            client.shutdownAsync(0, timeout.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** Runs a short task after about that time. */
    void later(Duration pause, Runnable task) {
        threads.later(pause, task);
    }

    /** Learns on which event loop a connection is. */
    private static final class LoopFinder implements NettyCustomizer {
        private volatile Executor loop = Runnable::run;

        @Override
        public void afterChannelInitialized(Channel channel) {
            loop = channel.eventLoop();
        }
    }
}
