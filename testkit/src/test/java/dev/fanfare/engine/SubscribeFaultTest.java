package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.Action;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.StartAt;
import dev.fanfare.Subscription;
import dev.fanfare.SubscriptionAuthenticator.Granted;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.Connection.SubscribeResult.Refused;
import dev.fanfare.spi.Connection.SubscribeResult.Subscribed;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Subscribes that meet a store or a host that fails. */
@ExtendWith(Quiet.class)
class SubscribeFaultTest {

    private static final String LOG = "log:a";

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final List<Refusal> refusals = new ArrayList<>();
    private final ManualNode node = ManualNode.open(store, time, this::settings);

    private FanfareBuilder settings(FanfareBuilder builder) {
        return builder.namespace("log", rules -> rules.retain(1000, Duration.ofHours(1)))
                .listener(new FanfareListener() {
                    @Override
                    public void onRefuse(ConnectionInfo connection, ChannelId channel, Refusal reason) {
                        refusals.add(reason);
                    }
                });
    }

    @AfterEach
    void close() {
        node.close();
    }

    // ---- the store

    @Test
    void aWatchThatFailsIsRefusedForNow() {
        store.failsWatches = true;

        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.live());
        node.settle();

        assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.UNAVAILABLE)));
        assertThat(refusals).containsExactly(Refusal.UNAVAILABLE);
    }

    @Test
    void afterAWatchThatFailedTheChannelCanBeSubscribed() {
        store.failsWatches = true;
        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.live());
        node.settle();
        client.takeEvents();
        store.failsWatches = false;

        client.subscribe(LOG, StartAt.live());
        node.settle();
        node.publish(LOG, "1");

        assertThat(client.texts(LOG)).containsExactly("1");
    }

    @Test
    void everybodyWhoWaitedForTheWatchIsTold() {
        store.holdsWatches = true;
        List<RecordingOutlet> clients = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            clients.add(node.connect().subscribe(LOG, StartAt.live()));
        }

        store.watches.remove(0).fail();
        node.settle();

        assertThat(clients)
                .allSatisfy(client -> assertThat(client.events())
                        .containsExactly(new Answered(LOG, new Refused(Refusal.UNAVAILABLE))));
    }

    @Test
    void anInProcessSubscriberLearnsThatTheWatchFailed() {
        store.failsWatches = true;

        Subscription subscription = node.subscribe(LOG, StartAt.live(), new RecordingSubscriber());

        assertThatThrownBy(() -> node.await(subscription.ready()))
                .cause()
                .isInstanceOfSatisfying(RefusedException.class, refused -> {
                    assertThat(refused.reason()).isEqualTo(Refusal.UNAVAILABLE);
                    assertThat(refused.isRetryable()).isTrue();
                });
    }

    @Test
    void aWatchThatNeverComesTimesOut() {
        store.holdsWatches = true;
        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.live());

        node.pass(Duration.ofSeconds(11));

        assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.UNAVAILABLE)));
    }

    @Test
    void aWatchThatComesTooLateIsClosed() {
        store.holdsWatches = true;
        node.connect().subscribe(LOG, StartAt.live());
        node.pass(Duration.ofSeconds(11));

        store.watches.remove(0).answer();
        node.settle();

        assertThat(store.watching).isEmpty();
    }

    @Test
    void aFanfareThatClosesWhileItWaitsForAWatchDoesNotKeepIt() {
        store.holdsWatches = true;
        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.live());
        node.close();

        store.watches.remove(0).answer();

        assertThat(store.watching).isEmpty();
        assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.CLOSED)));
    }

    @Test
    void aHeadThatCannotBeReadIsRefusedForNow() {
        store.failsReads = true;

        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.live());
        node.settle();

        assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.UNAVAILABLE)));
        assertThat(store.watching).isEmpty();
    }

    @Test
    void aResumeThatCannotBeReadIsRefusedForNow() {
        node.publishMany(LOG, 1, 3);
        node.subscribed(LOG, StartAt.live());
        store.failsReads = true;

        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.latest(2));
        node.settle();

        assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.UNAVAILABLE)));
    }

    @Test
    void aResumeThatIsNeverAnsweredTimesOut() {
        node.publishMany(LOG, 1, 3);
        node.subscribed(LOG, StartAt.live());
        store.holdsReads = true;

        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.latest(2));
        node.pass(Duration.ofSeconds(11));

        assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.UNAVAILABLE)));
    }

    @Test
    void whoMustWaitUntilNodeAndLogAgreeIsRefusedForNowIfTheLogCannotBeRead() {
        node.publish(LOG, "1");
        node.subscribed(LOG, StartAt.live());
        store.beginAnew(LOG);
        store.holdsReads = true;
        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.latest(2));
        node.settle();

        store.failsReads = true;
        store.answerAll();
        node.settle();

        assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.UNAVAILABLE)));
    }

    @Test
    void whoWasRefusedMaySubscribeFromWithinTheAnswer() {
        store.failsWatches = true;
        RecordingOutlet client = node.connect();
        List<SubscribeResult> results = new ArrayList<>();
        ChannelId channel = ChannelId.of(LOG);
        var request = new dev.fanfare.spi.Connection.SubscribeRequest(StartAt.live(), false, false);
        client.connection().subscribe(channel, request, first -> {
            results.add(first);
            store.failsWatches = false;
            client.connection().subscribe(channel, request, results::add);
        });

        node.settle();

        assertThat(results).hasSize(2);
        assertThat(results.get(0)).isEqualTo(new Refused(Refusal.UNAVAILABLE));
        assertThat(results.get(1)).isInstanceOf(Subscribed.class);
    }

    @Test
    void aChannelThatNobodyNeedsIsNoLongerWatched() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        client.unsubscribe(LOG);

        node.pass(Duration.ofSeconds(6));

        assertThat(store.watching).isEmpty();
    }

    @Test
    void aQuickReturnFindsTheChannelStillWatched() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        client.unsubscribe(LOG);
        node.pass(Duration.ofSeconds(4));
        client.subscribe(LOG, StartAt.live());
        node.pass(Duration.ofSeconds(4));

        node.publish(LOG, "1");

        assertThat(client.texts(LOG)).containsExactly("1");
        assertThat(store.watching).hasSize(1);
    }

    // ---- the authorizer

    @Test
    void anAuthorizerThatSaysNoRefuses() {
        assertThat(subscribeWith((user, action, channel) -> false)).containsExactly(notAllowed());
    }

    @Test
    void anAuthorizerThatThrowsRefusesForNow() {
        assertThat(subscribeWith((user, action, channel) -> {
                    throw new IllegalStateException("no database");
                }))
                .containsExactly(unavailable());
    }

    @Test
    void anAuthorizerThatAnswersNullRefusesForNow() {
        assertThat(subscribeWith(later(null))).containsExactly(unavailable());
    }

    @Test
    void anAuthorizerThatAnswersNullLaterRefusesForNow() {
        assertThat(subscribeWith(later(CompletableFuture.completedFuture(null))))
                .containsExactly(unavailable());
    }

    @Test
    void anAuthorizerThatFailsLaterRefusesForNow() {
        assertThat(subscribeWith(later(CompletableFuture.failedFuture(new IllegalStateException("no database")))))
                .containsExactly(unavailable());
    }

    @Test
    void anAuthorizerThatIsTooLateRefusesForNow() {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        try (ManualNode strict = strict(later(answer))) {
            RecordingOutlet client = strict.connect("ann").subscribe(LOG, StartAt.live());
            strict.pass(Duration.ofSeconds(11));

            answer.complete(true);
            strict.settle();

            assertThat(client.events()).containsExactly(new Answered(LOG, unavailable()));
        }
    }

    @Test
    void anAuthorizerThatSaysYesInTimeAllows() {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        try (ManualNode strict = strict(later(answer))) {
            RecordingOutlet client = strict.connect("ann").subscribe(LOG, StartAt.live());
            strict.pass(Duration.ofSeconds(9));

            answer.complete(true);
            strict.settle();

            assertThat(client.events()).hasSize(1);
            assertThat(((Answered) client.events().get(0)).result()).isInstanceOf(Subscribed.class);
        }
    }

    @Test
    void aYesForSomebodyWhoIsGoneChangesNothing() {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        try (ManualNode strict = strict(later(answer))) {
            RecordingOutlet client = strict.connect("ann").subscribe(LOG, StartAt.live());
            strict.settle();
            client.vanish();

            answer.complete(true);
            strict.settle();

            assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.CLOSED)));
            assertThat(store.watching).isEmpty();
        }
    }

    /** What a busy host is asked in vain keeps from others what they wait for. */
    @ParameterizedTest
    @ValueSource(strings = {"", "token"})
    void whatNobodyWaitsForAnyMoreIsNotPutToTheHost(String token) {
        List<String> asked = new ArrayList<>();
        try (ManualNode strict = new ManualNode(
                store,
                time,
                builder -> settings(builder)
                        .authorizer((user, action, channel) -> asked.add(channel.value()))
                        .subscriptionAuthenticator(shown -> {
                            asked.add(shown.channel().value());
                            return CompletableFuture.completedFuture(Granted.forever());
                        }))) {
            SubscribeRequest request = new SubscribeRequest(StartAt.live(), false, false, token, false, null, null);
            RecordingOutlet client = strict.connect("ann").subscribe("log:back", request);
            RecordingOutlet gone = strict.connect("bob").subscribe("log:gone", request);
            client.unsubscribe("log:back");
            client.subscribe("log:waits", request);
            gone.vanish();

            strict.settle();

            assertThat(asked).containsExactly("log:waits");
        }
    }

    @Test
    void whatIsTooLateBeforeItIsItsTurnIsNotPutToTheHost() {
        List<Action> asked = new ArrayList<>();
        List<PublishResult> results = new ArrayList<>();
        try (ManualNode strict = strict((user, action, channel) -> asked.add(action))) {
            RecordingOutlet client = strict.connect("ann");
            strict.settle();
            client.connection().publish(ChannelId.of(LOG), Payload.of("1"), PublishOptions.none(), results::add);
            time.advance(Duration.ofSeconds(11));

            strict.settle();

            assertThat(asked).isEmpty();
            assertThat(results).containsExactly(new PublishResult.Refused(Refusal.UNAVAILABLE));
        }
    }

    @Test
    void aHostExecutorThatIsFullRefusesForNow() {
        try (ManualNode strict = new ManualNode(
                store, time, builder -> settings(builder).authorizer((user, action, channel) -> true), task -> {
                    throw new RejectedExecutionException("full");
                })) {
            RecordingOutlet client = strict.connect("ann").subscribe(LOG, StartAt.live());
            strict.settle();

            assertThat(client.events()).containsExactly(new Answered(LOG, unavailable()));
        }
    }

    @Test
    void whatTheHostPermittedIsNotAsked() {
        try (ManualNode strict = strict((user, action, channel) -> false)) {
            RecordingOutlet client = strict.connect("ann");
            List<SubscribeResult> results = new ArrayList<>();

            client.connection()
                    .subscribe(
                            ChannelId.of(LOG),
                            new dev.fanfare.spi.Connection.SubscribeRequest(StartAt.live(), false, true),
                            results::add);
            strict.settle();

            assertThat(results).singleElement().isInstanceOf(Subscribed.class);
        }
    }

    // ---- the listener

    @Test
    void aListenerThatThrowsChangesNothing() {
        FanfareListener thrower = (FanfareListener) java.lang.reflect.Proxy.newProxyInstance(
                FanfareListener.class.getClassLoader(),
                new Class<?>[] {FanfareListener.class},
                (self, method, args) -> {
                    throw new IllegalStateException(method.getName());
                });
        try (ManualNode other = ManualNode.open(
                store,
                time,
                builder -> builder.listener(thrower)
                        .namespace(
                                "log",
                                rules -> rules.retain(10, Duration.ofHours(1)).presence()))) {
            RecordingOutlet client = other.connect("ann").subscribe(LOG, StartAt.live());
            other.settle();
            client.takeOnly(1);
            other.publishMany(LOG, 1, 3);
            client.drain();
            other.settle();
            client.unsubscribe(LOG);
            other.settle();

            assertThat(client.texts(LOG)).containsExactly("1", "2", "3");
        }
    }

    private List<SubscribeResult> subscribeWith(Authorizer authorizer) {
        try (ManualNode strict = strict(authorizer)) {
            RecordingOutlet client = strict.connect("ann").subscribe(LOG, StartAt.live());
            strict.settle();
            return client.events().stream()
                    .map(event -> ((Answered) event).result())
                    .toList();
        }
    }

    private ManualNode strict(Authorizer authorizer) {
        return new ManualNode(store, time, builder -> settings(builder).authorizer(authorizer));
    }

    private static Refused unavailable() {
        return new Refused(Refusal.UNAVAILABLE);
    }

    private static Refused notAllowed() {
        return new Refused(Refusal.NOT_ALLOWED);
    }

    private static Authorizer later(CompletionStage<Boolean> answer) {
        return new Authorizer() {
            @Override
            public boolean allows(String user, Action action, ChannelId channel) {
                throw new AssertionError("allowsLater is asked");
            }

            @Override
            public CompletionStage<Boolean> allowsLater(String user, Action action, ChannelId channel) {
                return answer;
            }
        };
    }
}
