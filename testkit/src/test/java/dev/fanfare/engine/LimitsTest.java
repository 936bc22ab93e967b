package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.ClientLimits;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.FanfareListener;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Rate;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.Rejection;
import dev.fanfare.StartAt;
import dev.fanfare.SubscriptionAuthenticator.Granted;
import dev.fanfare.faults.LogWatch;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Connection.PresenceResult;
import dev.fanfare.spi.Connection.RpcResult;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How much clients may ask for in how short a time. */
class LimitsTest {

    private static final ChannelId CHANNEL = ChannelId.of("log:a");

    private static final Set<Object> TOO_MANY_REQUESTS = Set.of(
            new HistoryResult.Refused(Refusal.TOO_MANY_REQUESTS),
            new PresenceResult.Refused(Refusal.TOO_MANY_REQUESTS),
            new RpcResult.Refused(Refusal.TOO_MANY_REQUESTS));

    private final ManualTime time = new ManualTime();
    private final Refusals refusals = new Refusals();

    private ManualNode node(ClientLimits limits) {
        return ManualNode.open(
                MemoryStore.create(time),
                time,
                builder -> builder.limits(limits)
                        .listener(refusals)
                        .namespace("log", rules -> rules.retain(1_000, Duration.ofHours(1))));
    }

    /** Publishes so often at once, and tells how often in vain. */
    private static int publish(ManualNode node, Connection connection, int count) {
        List<PublishResult> results = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            connection.publish(CHANNEL, Payload.of("" + i), PublishOptions.none(), results::add);
        }
        node.settle();
        assertThat(results).hasSize(count);
        return (int) results.stream()
                .filter(new PublishResult.Refused(Refusal.TOO_MANY_REQUESTS)::equals)
                .count();
    }

    /** Subscribes to so many channels, and tells how many are refused. */
    private static int subscribe(ManualNode node, RecordingOutlet outlet, int from, int count) {
        for (int i = from; i < from + count; i++) {
            outlet.subscribe("log:" + i, StartAt.live());
        }
        node.settle();
        return (int) outlet.takeEvents().stream()
                .filter(event -> event instanceof Answered answered
                        && answered.result().equals(new SubscribeResult.Refused(Refusal.TOO_MANY_REQUESTS)))
                .count();
    }

    @Test
    void aClientMayPublishThirtyTimesAtOnceAndThenTenTimesASecond() {
        try (ManualNode node = node(ClientLimits.standard())) {
            Connection connection = node.connect("ada").connection();

            assertThat(publish(node, connection, 35)).isEqualTo(5);
            time.advance(Duration.ofSeconds(1));
            assertThat(publish(node, connection, 12)).isEqualTo(2);
            assertThat(refusals.reasons).containsOnly(Refusal.TOO_MANY_REQUESTS).hasSize(7);
        }
    }

    @Test
    void oneClientThatPublishesTooOftenDelaysNoOther() {
        try (ManualNode node = node(ClientLimits.standard())) {
            publish(node, node.connect("ada").connection(), 100);

            assertThat(publish(node, node.connect("bob").connection(), 30)).isZero();
        }
    }

    @Test
    void allConnectionsOfAUserShareTheUsersPublishes() {
        ClientLimits limits = ClientLimits.standard().withPublishesPerUser(Rate.of(1, 40));
        try (ManualNode node = node(limits)) {
            RecordingOutlet one = node.connect("ada");
            RecordingOutlet other = node.connect("ada");

            assertThat(publish(node, one.connection(), 30)).isZero();
            assertThat(publish(node, other.connection(), 30)).isEqualTo(20);
        }
    }

    @Test
    void whoConnectsAnewGetsNoNewAllowance() {
        ClientLimits limits = ClientLimits.standard().withPublishesPerUser(Rate.of(1, 40));
        try (ManualNode node = node(limits)) {
            Connection first = node.connect("ada").connection();
            assertThat(publish(node, first, 30)).isZero();

            first.closed(DisconnectReason.BY_CLIENT);
            node.pass(Duration.ofSeconds(5));

            assertThat(publish(node, node.connect("ada").connection(), 30)).isEqualTo(15);
        }
    }

    @Test
    void whoWasAwayLongEnoughMayDoAsMuchAsAtFirst() {
        ClientLimits limits = ClientLimits.standard().withPublishesPerUser(Rate.of(1, 40));
        try (ManualNode node = node(limits)) {
            Connection first = node.connect("ada").connection();
            publish(node, first, 30);
            first.closed(DisconnectReason.BY_CLIENT);

            node.pass(Duration.ofSeconds(31));

            assertThat(publish(node, node.connect("ada").connection(), 30)).isZero();
            assertThat(publish(node, node.connect("ada").connection(), 30)).isEqualTo(20);
        }
    }

    @Test
    void anonymousClientsAreNotOneUser() {
        ClientLimits limits =
                ClientLimits.standard().withPublishesPerUser(Rate.of(1, 1)).withConnectionsPerUser(1);
        try (ManualNode node = node(limits)) {
            assertThat(publish(node, node.connect().connection(), 30)).isZero();
            assertThat(publish(node, node.connect().connection(), 30)).isZero();
        }
    }

    @Test
    void theHostMayPublishAsMuchAsItLikes() {
        try (ManualNode node = node(ClientLimits.standard().withPublishesPerUser(Rate.of(1, 1)))) {
            node.publishMany("log:a", 1, 500);

            assertThat(refusals.reasons).isEmpty();
        }
    }

    @Test
    void subscribesAreLimitedPerConnectionAndComeBack() {
        try (ManualNode node = node(ClientLimits.standard().withSubscribes(Rate.of(10, 20)))) {
            RecordingOutlet outlet = node.connect("ada");

            assertThat(subscribe(node, outlet, 0, 25)).isEqualTo(5);
            time.advance(Duration.ofSeconds(1));
            assertThat(subscribe(node, outlet, 20, 10)).isZero();
        }
    }

    @Test
    void subscribesAreLimitedPerUser() {
        try (ManualNode node = node(ClientLimits.standard().withSubscribesPerUser(Rate.of(1, 30)))) {
            assertThat(subscribe(node, node.connect("ada"), 0, 20)).isZero();
            assertThat(subscribe(node, node.connect("ada"), 0, 20)).isEqualTo(10);
        }
    }

    /** Reads or calls so often at once, each time in another way, and tells how often in vain. */
    private static int request(ManualNode node, Connection connection, int count) {
        List<Object> results = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            switch (i % 3) {
                case 0 -> connection.history(CHANNEL, new HistoryQuery(null, 10, false), 1_000, results::add);
                case 1 -> connection.presence(CHANNEL, 10, results::add);
                default -> connection.rpc("method", Payload.of("1"), results::add);
            }
        }
        node.settle();
        assertThat(results).hasSize(count);
        return (int) results.stream().filter(TOO_MANY_REQUESTS::contains).count();
    }

    @Test
    void aClientMayReadOrCallSoManyTimesAtOnceAndThenFiftyTimesASecond() {
        try (ManualNode node = node(ClientLimits.standard())) {
            Connection connection = node.connect().connection();

            assertThat(request(node, connection, 600)).isEqualTo(88);
            time.advance(Duration.ofSeconds(1));
            assertThat(request(node, connection, 60)).isEqualTo(10);
            assertThat(refusals.reasons.stream().filter(Refusal.TOO_MANY_REQUESTS::equals))
                    .hasSize(98);
            assertThat(publish(node, connection, 30)).isZero();
        }
    }

    @Test
    void allConnectionsOfAUserShareTheUsersRequests() {
        ClientLimits limits =
                ClientLimits.standard().withRequests(Rate.of(1, 30)).withRequestsPerUser(Rate.of(1, 40));
        try (ManualNode node = node(limits)) {
            Connection first = node.connect("ada").connection();
            assertThat(request(node, first, 30)).isZero();

            first.closed(DisconnectReason.BY_CLIENT);
            node.settle();

            assertThat(request(node, node.connect("ada").connection(), 30)).isEqualTo(20);
        }
    }

    @Test
    void whoComesBackWithAllItsChannelsIsNotRefused() {
        try (ManualNode node = node(ClientLimits.standard())) {
            assertThat(subscribe(node, node.connect("ada"), 0, 128)).isZero();
        }
    }

    @Test
    void aUserMayHaveSoManyConnectionsAndOneMoreWhenOneIsGone() {
        try (ManualNode node = node(ClientLimits.standard().withConnectionsPerUser(2))) {
            RecordingOutlet first = node.connect("ada");
            node.connect("ada");

            assertThatThrownBy(() -> node.connect("ada"))
                    .isInstanceOfSatisfying(
                            RefusedException.class,
                            refused -> assertThat(refused.reason()).isEqualTo(Refusal.LIMIT_EXCEEDED));
            assertThat(refusals.rejections).containsExactly(Rejection.USER_CONNECTION_LIMIT);
            node.connect("bob");
            first.vanish();
            node.settle();
            node.connect("ada");
            assertThat(node.fanfare.stats().connections()).isEqualTo(3);
        }
    }

    @Test
    void aNodeTakesOnlySoManyConnectionsAndOneMoreWhenOneIsGone() {
        try (ManualNode node = node(ClientLimits.standard().withConnections(2))) {
            RecordingOutlet first = node.connect("ada");
            node.connect();

            assertThatThrownBy(() -> node.connect("bob"))
                    .isInstanceOfSatisfying(
                            RefusedException.class,
                            refused -> assertThat(refused.reason()).isEqualTo(Refusal.TOO_MANY_REQUESTS));
            assertThat(refusals.rejections).containsExactly(Rejection.CONNECTION_LIMIT);
            first.vanish();
            node.settle();
            node.connect("bob");
            assertThat(node.fanfare.stats().connections()).isEqualTo(2);
        }
    }

    @Test
    void usersWhoAreGoneAreRememberedUpToABound() {
        ClientLimits limits = ClientLimits.standard().withPublishesPerUser(Rate.of(0.001, 1));
        try (ManualNode node = node(limits);
                LogWatch log = new LogWatch()) {
            for (int i = 0; i < 100_000; i++) {
                publishOnceAndGo(node, "user-" + i);
            }
            assertThat(log.lines()).isEmpty();
            publishOnceAndGo(node, "one too many");

            assertThat(log.lines()).singleElement().asString().contains("More users went than are remembered");
            assertThat(publish(node, node.connect("user-0").connection(), 1)).isEqualTo(1);
            assertThat(publish(node, node.connect("user-99999").connection(), 1))
                    .isEqualTo(1);
            assertThat(publish(node, node.connect("one too many").connection(), 1))
                    .isZero();
        }
    }

    private static void publishOnceAndGo(ManualNode node, String user) {
        RecordingOutlet outlet = RecordingOutlet.connect(node.fanfare, node.loop, node.format, user);
        assertThat(publish(node, outlet.connection(), 1)).isZero();
        outlet.vanish();
    }

    /** A subscribe that is taken back is over at once, but not the question whether it may be. */
    @ParameterizedTest
    @ValueSource(strings = {"", "token"})
    void whoSubscribesAndUnsubscribesInTurnLeavesOnlySoManyQuestionsWithTheHost(String token) {
        SubscribeRequest request = new SubscribeRequest(StartAt.live(), true, false, token, false, null, null);
        try (ManualNode node = new ManualNode(
                MemoryStore.create(time),
                time,
                builder -> builder.limits(ClientLimits.unlimited())
                        .listener(refusals)
                        .namespace("log", rules -> rules)
                        .subscriptionAuthenticator(shown -> CompletableFuture.completedFuture(Granted.forever()))
                        .authorizer((user, action, channel) -> true))) {
            RecordingOutlet outlet = node.connect("ada");
            node.settle();

            for (int i = 0; i < 1_000; i++) {
                outlet.subscribe("log:a", request);
                outlet.unsubscribe("log:a");
            }

            assertThat(node.host.waiting()).isEqualTo(256);
            assertThat(refusals.reasons).hasSize(1_000 - 256).containsOnly(Refusal.TOO_MANY_REQUESTS);
            node.settle();
            outlet.takeEvents();
            outlet.subscribe("log:a", request);
            node.settle();
            assertThat(outlet.takeEvents())
                    .singleElement()
                    .isInstanceOfSatisfying(
                            Answered.class,
                            answered -> assertThat(answered.result()).isInstanceOf(SubscribeResult.Subscribed.class));
        }
    }

    private static final class Refusals implements FanfareListener {
        final List<Refusal> reasons = new ArrayList<>();
        final List<Rejection> rejections = new ArrayList<>();

        @Override
        public void onRefuse(ConnectionInfo connection, @Nullable ChannelId channel, Refusal reason) {
            reasons.add(reason);
        }

        @Override
        public void onReject(Rejection reason) {
            rejections.add(reason);
        }
    }
}
