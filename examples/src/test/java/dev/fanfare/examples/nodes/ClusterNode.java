package dev.fanfare.examples.nodes;

import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ClientLimits;
import dev.fanfare.Fanfare;
import dev.fanfare.Rate;
import dev.fanfare.StoreException;
import dev.fanfare.netty.HttpAnswer;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.redis.RedisStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** One node, as the main class of a process of its own. It says its port, and does what it reads until there is no more. */
final class ClusterNode {

    static final String LEASE_SECONDS = "fanfare.lease.seconds";
    static final Duration LEASE = Duration.ofSeconds(Integer.getInteger(LEASE_SECONDS, 4));
    static final Duration GRACE = Duration.ofSeconds(2);
    static final String PORT = "port ";
    static final String DRAIN = "drain ";

    private ClusterNode() {}

    /**
     * Runs a node.
     *
     * @param args the URI of Redis, and the address to listen on
     */
    public static void main(String[] args) throws IOException {
        try (RedisStore store = store(args[0]);
                Fanfare fanfare = fanfare(store);
                NettyTransport transport = NettyTransport.builder(fanfare)
                        .host(args[1])
                        .port(0)
                        .openApi()
                        .connectRate(Rate.unlimited())
                        .authenticator(who -> CompletableFuture.completedFuture(
                                Authenticator.Accepted.user(who.query().getOrDefault("user", ""))))
                        .route(
                                "GET",
                                "/reads",
                                call -> CompletableFuture.completedFuture(HttpAnswer.text(
                                        200, Long.toString(fanfare.stats().logReads()))))
                        .start()) {
            System.out.println(PORT + transport.port());
            BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String order = orders.readLine(); order != null; order = orders.readLine()) {
                if (order.startsWith(DRAIN)) {
                    long millis = Long.parseLong(order.substring(DRAIN.length()));
                    fanfare.drain(Duration.ofMillis(millis))
                            .toCompletableFuture()
                            .join();
                    return;
                }
            }
        }
    }

    /** Makes a Fanfare as the nodes have them. */
    static Fanfare fanfare(RedisStore store) {
        return Fanfare.builder()
                .store(store)
                .presenceLease(LEASE)
                .limits(ClientLimits.unlimited())
                .authorizer(Authorizer.allowAll())
                .namespace(
                        "chat",
                        rules -> rules.retain(20_000, Duration.ofHours(1))
                                .recoveryLimit(10_000)
                                .presence()
                                .presenceGrace(GRACE))
                .namespace(
                        "feed",
                        rules -> rules.retain(20_000, Duration.ofHours(1)).recoveryLimit(10_000))
                .build();
    }

    /** A machine that starts many nodes at once may be too busy for a first word to Redis in so short a time. */
    private static RedisStore store(String uri) {
        for (int left = 5; ; left--) {
            try {
                return RedisStore.builder(uri)
                        .timeout(Duration.ofSeconds(2))
                        .probePause(Duration.ofSeconds(4))
                        .clientName("node")
                        .build();
            } catch (StoreException tooBusy) {
                if (left == 1) {
                    throw tooBusy;
                }
            }
        }
    }
}
