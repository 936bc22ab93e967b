package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fanfare.Authenticator;
import dev.fanfare.Authenticator.Accepted;
import dev.fanfare.ChannelId;
import dev.fanfare.ClientLimits;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DeliveryClass;
import dev.fanfare.DisconnectReason;
import dev.fanfare.DropReason;
import dev.fanfare.Expiry;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.Refusal;
import dev.fanfare.Rejection;
import dev.fanfare.RpcHandler;
import dev.fanfare.SubscriptionAuthenticator;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.Parameter;

/**
 * What the cases of {@code docs/CONFORMANCE.md} share: one server per class and encoding, on a store that fails as it is
 * told and a time that stands still, and clients on real sockets. Cases use channels and users of their own.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ConformanceCases {

    private static final AtomicInteger NAMES = new AtomicInteger();
    private static final Duration LONG = Duration.ofMinutes(5);

    @Parameter
    Wire wire;

    final ManualTime time = new ManualTime();
    final FaultyStore store = FaultyStore.wrap(MemoryStore.create(time), time, 1);
    final Map<Object, Integer> counts = new ConcurrentHashMap<>();
    /** Answers of the judge of subscription tokens that wait, by their token. */
    final Map<String, CompletableFuture<SubscriptionAuthenticator.Answer>> judging = new ConcurrentHashMap<>();

    final Fanfare fanfare = Fanfare.builder()
            .store(store)
            .timeSource(time)
            .namespace("", rules -> rules.retain(100, LONG))
            .namespace("small", rules -> rules.retain(2, LONG))
            .namespace("few", rules -> rules.retain(100, LONG).recoveryLimit(3))
            .namespace("live", rules -> rules)
            .namespace("chat", rules -> rules.retain(100, LONG).presence())
            .namespace("tags", rules -> rules.retain(100, LONG).filters())
            .namespace("delta", rules -> rules.retain(100, LONG).deltas())
            .namespace("latest", rules -> rules.retain(5, LONG).recoveryLimit(1).resumeWithLatest())
            .namespace("sampled", rules -> rules.retain(100, LONG).delivery(DeliveryClass.sampled(1)))
            .namespace("secret", rules -> rules.retain(100, LONG))
            .namespace("large", rules -> rules.retain(100, LONG).maxMessageBytes(1024 * 1024))
            .authorizer((user, action, channel) -> !channel.namespace().equals("secret"))
            .subscriptionAuthenticator(this::judge)
            .rpcHandler(call -> CompletableFuture.completedFuture(
                    call.method().equals("echo")
                            ? new RpcHandler.Reply.Ok(call.data())
                            : RpcHandler.Reply.Unknown.METHOD))
            .listener(new Counter())
            .limits(ClientLimits.standard().withConnectionsPerUser(20))
            .maxChannelsPerConnection(8)
            .build();
    final NettyTransport transport = NettyTransport.builder(fanfare)
            .host("localhost")
            .port(0)
            .eventLoopThreads(2)
            .authenticator(this::authenticate)
            .openApi()
            .start();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void hangUp() throws Exception {
        store.heal();
        for (AutoCloseable each : opened) {
            each.close();
        }
        opened.clear();
        soon().until(() -> fanfare.stats().connections() == 0);
    }

    @AfterAll
    void end() {
        fanfare.close();
        transport.close();
    }

    /**
     * A token is a user, {@code user@seconds} or {@code user@seconds@host}; {@code user+a+b} gets channels. Of a user whose
     * name begins with {@code odd}, others are shown what is no JSON.
     */
    private CompletionStage<Authenticator.Answer> authenticate(Authenticator.Credentials shown) {
        String token = shown.token().isEmpty() ? shown.query().getOrDefault("user", "") : shown.token();
        Authenticator.Answer answer = token.isEmpty() ? Authenticator.Rejected.UNAUTHORIZED : rejection(token);
        if (answer != null) {
            return CompletableFuture.completedFuture(answer);
        }
        String[] channels = token.split("\\+");
        String[] parts = channels[0].split("@");
        return CompletableFuture.completedFuture(Accepted.user(parts[0])
                .withInfo(parts[0].startsWith("odd") ? Payload.of("no JSON") : null)
                .withExpiry(expiry(parts))
                .withChannels(List.of(channels).subList(1, channels.length).stream()
                        .map(ChannelId::of)
                        .toList()));
    }

    private static Authenticator.@Nullable Rejected rejection(String token) {
        for (Authenticator.Rejected each : Authenticator.Rejected.values()) {
            if (each.name().equals(token)) {
                return each;
            }
        }
        return null;
    }

    private CompletionStage<SubscriptionAuthenticator.Answer> judge(SubscriptionAuthenticator.Credentials shown) {
        for (SubscriptionAuthenticator.Rejected each : SubscriptionAuthenticator.Rejected.values()) {
            if (each.name().equals(shown.token())) {
                return CompletableFuture.completedFuture(each);
            }
        }
        if (shown.token().startsWith("later")) {
            return judging.computeIfAbsent(shown.token(), token -> new CompletableFuture<>());
        }
        Expiry expiry = expiry(shown.token().split("@"));
        return CompletableFuture.completedFuture(
                expiry == null
                        ? SubscriptionAuthenticator.Granted.forever()
                        : SubscriptionAuthenticator.Granted.until(expiry));
    }

    private @Nullable Expiry expiry(String[] parts) {
        return parts.length == 1 ? null : new Expiry(in(Long.parseLong(parts[1])), parts.length == 2);
    }

    Instant in(long seconds) {
        return Instant.ofEpochMilli(time.millis()).plusSeconds(seconds);
    }

    /** Returns a name that no other case uses. */
    static String fresh(String prefix) {
        return prefix + NAMES.incrementAndGet();
    }

    /** Opens a WebSocket, and says nothing. */
    ProtocolClient open() {
        return open("");
    }

    ProtocolClient open(String query) {
        return keep(new ProtocolClient(transport.port(), wire, query));
    }

    <T extends AutoCloseable> T keep(T each) {
        opened.add(each);
        return each;
    }

    ProtocolClient connected() {
        return connected(fresh("user"));
    }

    ProtocolClient connected(String token) {
        ProtocolClient client = open();
        assertThat(client.connect(token).has("connect")).isTrue();
        return client;
    }

    ProtocolClient subscribed(String channel) {
        ProtocolClient client = connected();
        assertThat(client.subscribe(channel).has("subscribe")).isTrue();
        return client;
    }

    /** Publishes that many: 1, 2, 3 … */
    void publish(String channel, int count) {
        publish(channel, 1, count);
    }

    void publish(String channel, int first, int last) {
        for (int i = first; i <= last; i++) {
            fanfare.publish(channel, String.valueOf(i)).toCompletableFuture().join();
        }
    }

    void publish(String channel, String data, PublishOptions options) {
        fanfare.publish(ChannelId.of(channel), Payload.of(data), options)
                .toCompletableFuture()
                .join();
    }

    /** Asserts that the client gets just these offsets next, as publications of the channel. */
    static void assertComes(ProtocolClient client, String channel, long first, long last) {
        for (long offset = first; offset <= last; offset++) {
            JsonNode push = client.next().path("push");
            assertThat(push.path("channel").asText()).as("%s", push).isEqualTo(channel);
            assertThat(push.path("pub").path("offset").asLong()).as("%s", push).isEqualTo(offset);
        }
    }

    /** Asserts that nothing was sent to the client that it has not read. */
    static void assertNothingCame(ProtocolClient client) {
        int id = client.begin("rpc", "{'method':'echo','data':0}");
        assertThat(client.next().path("id").asInt()).isEqualTo(id);
    }

    static List<Long> offsets(JsonNode publications) {
        List<Long> offsets = new ArrayList<>();
        publications.forEach(each -> offsets.add(each.path("offset").asLong()));
        return offsets;
    }

    static Long[] range(long first, long last) {
        return LongStream.rangeClosed(first, last).boxed().toArray(Long[]::new);
    }

    /** Waits as long as it takes, and no longer. */
    static ConditionFactory soon() {
        return await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(5));
    }

    int count(Object what) {
        return counts.getOrDefault(what, 0);
    }

    void awaitCount(Object what, int count) {
        soon().alias(what + " counted " + count + " times").until(() -> count(what) == count);
    }

    private final class Counter implements FanfareListener {
        @Override
        public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
            counts.merge(reason, 1, Integer::sum);
            counts.merge(connection.user(), 1, Integer::sum);
        }

        @Override
        public void onRefuse(ConnectionInfo connection, @Nullable ChannelId channel, Refusal reason) {
            counts.merge(reason, 1, Integer::sum);
        }

        @Override
        public void onDrop(ChannelId channel, DropReason reason, long count) {
            counts.merge(reason, (int) count, Integer::sum);
        }

        @Override
        public void onCatchUp(ChannelId channel) {
            counts.merge("behind in " + channel.value(), 1, Integer::sum);
        }

        @Override
        public void onReject(Rejection reason) {
            counts.merge(reason, 1, Integer::sum);
        }
    }
}
