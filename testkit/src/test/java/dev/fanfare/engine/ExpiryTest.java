package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Expiry;
import dev.fanfare.Refusal;
import dev.fanfare.StartAt;
import dev.fanfare.SubscriptionAuthenticator;
import dev.fanfare.SubscriptionAuthenticator.Answer;
import dev.fanfare.SubscriptionAuthenticator.Granted;
import dev.fanfare.SubscriptionAuthenticator.Rejected;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.Connection.ProlongResult;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Disconnected;
import dev.fanfare.testkit.RecordingOutlet.Ended;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Permissions that end: of connections and of subscriptions. */
@ExtendWith(Quiet.class)
class ExpiryTest {

    private static final String LOG = "log:a";
    private static final ChannelId CHANNEL = ChannelId.of(LOG);

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    /** The answers to come; when they are used up, the token itself says how many seconds it is good for. */
    private final Deque<CompletionStage<Answer>> answers = new ArrayDeque<>();

    private final ManualNode node = new ManualNode(
            store,
            time,
            builder -> builder.namespace("log", rules -> rules.retain(100, Duration.ofHours(1)))
                    .authorizer((user, action, channel) -> user.equals("bob"))
                    .subscriptionAuthenticator(this::judge));
    private final RecordingOutlet client = node.connect("ann");
    private final List<SubscribeResult> subscribed = new ArrayList<>();
    private final List<ProlongResult> prolonged = new ArrayList<>();

    private CompletionStage<Answer> judge(SubscriptionAuthenticator.Credentials shown) {
        if (!answers.isEmpty()) {
            return answers.remove();
        }
        return CompletableFuture.completedFuture(Granted.until(in(Integer.parseInt(shown.token()))));
    }

    private Expiry in(int seconds) {
        return Expiry.prolongedByClient(Instant.ofEpochMilli(time.millis()).plusSeconds(seconds));
    }

    private void answer(Answer answer) {
        answers.add(CompletableFuture.completedFuture(answer));
    }

    private void subscribe(String token) {
        client.connection()
                .subscribe(
                        CHANNEL,
                        new SubscribeRequest(StartAt.live(), false, false, token, false, null, null),
                        subscribed::add);
        node.settle();
    }

    private void prolong(String token) {
        client.connection().prolong(CHANNEL, token, prolonged::add);
        node.settle();
    }

    @AfterEach
    void close() {
        node.close();
    }

    // ---- connections

    @Test
    void aConnectionEndsWithItsPermissionAndTheGrace() {
        client.connection().expires(in(60));

        node.pass(Duration.ofSeconds(84));
        assertThat(client.events()).isEmpty();
        node.pass(Duration.ofSeconds(2));

        assertThat(client.events()).containsExactly(new Disconnected(DisconnectReason.EXPIRED));
    }

    @Test
    void aConnectionThatIsProlongedGoesOn() {
        client.connection().expires(in(60));
        node.pass(Duration.ofSeconds(80));

        client.connection().expires(in(60));
        node.pass(Duration.ofSeconds(80));
        assertThat(client.events()).isEmpty();
        client.connection().expires(null);
        node.pass(Duration.ofHours(1));

        assertThat(client.events()).isEmpty();
        assertThat(client.connection().expiry()).isNull();
    }

    @Test
    void aConnectionThatIsGoneLeavesNoTimer() {
        int before = time.pendingTimers();
        client.connection().expires(in(60));
        assertThat(time.pendingTimers()).isEqualTo(before + 1);

        client.vanish();
        node.settle();

        assertThat(time.pendingTimers()).isEqualTo(before);
    }

    @Test
    void aSubscriptionThatIsGoneLeavesNoTimer() {
        node.connect("bob").subscribe(LOG, StartAt.live());
        subscribe("60");
        int during = time.pendingTimers();

        client.unsubscribe(LOG);
        node.settle();

        assertThat(time.pendingTimers()).isEqualTo(during - 1);
    }

    // ---- subscriptions

    @Test
    void aTokenGrantsWhatTheAuthorizerWouldNot() {
        subscribe("60");

        assertThat(subscribed).singleElement().isInstanceOf(SubscribeResult.Subscribed.class);
        assertThat(client.connection().expiry(CHANNEL)).isEqualTo(in(60));
    }

    @Test
    void withoutATokenTheAuthorizerDecides() {
        subscribe("");

        assertThat(subscribed).containsExactly(new SubscribeResult.Refused(Refusal.NOT_ALLOWED));
    }

    @Test
    void aTokenDoesNotGrantHistory() {
        client.connection()
                .subscribe(
                        CHANNEL,
                        new SubscribeRequest(StartAt.latest(5), false, false, "60", false, null, null),
                        subscribed::add);
        node.settle();

        assertThat(subscribed).containsExactly(new SubscribeResult.Refused(Refusal.NOT_ALLOWED));
    }

    @Test
    void nobodyToJudgeTokensLeavesItToTheAuthorizer() {
        try (ManualNode plain = new ManualNode(store, time, builder -> builder.authorizer(Authorizer.allowAll()))) {
            RecordingOutlet other = plain.connect("ann");
            other.connection()
                    .subscribe(
                            ChannelId.of("a"),
                            new SubscribeRequest(StartAt.live(), false, false, "whatever", false, null, null),
                            subscribed::add);
            plain.settle();

            assertThat(subscribed).singleElement().isInstanceOf(SubscribeResult.Subscribed.class);
        }
    }

    @ParameterizedTest
    @CsvSource({"INVALID_TOKEN, NOT_ALLOWED", "EXPIRED_TOKEN, TOKEN_EXPIRED"})
    void aTokenThatIsNoGoodIsRefused(Rejected rejected, Refusal refusal) {
        answer(rejected);
        subscribe("x");

        assertThat(subscribed).containsExactly(new SubscribeResult.Refused(refusal));
        assertThat(client.events()).isEmpty();
        assertThat(client.connection().isSubscribed(CHANNEL)).isFalse();
    }

    @Test
    void aTokenOfSomebodyElseEndsTheConnection() {
        answer(Rejected.NOT_FOR_YOU);
        subscribe("x");

        assertThat(client.events()).containsExactly(new Disconnected(DisconnectReason.INVALID_TOKEN));
        assertThat(client.connection().isSubscribed(CHANNEL)).isFalse();
    }

    @Test
    void aGrantThatIsOverAlreadyIsNone() {
        answer(Granted.until(in(0)));
        subscribe("x");

        assertThat(subscribed).containsExactly(new SubscribeResult.Refused(Refusal.EXPIRED));
    }

    @Test
    void whoCannotJudgeMayBeAskedAgain() {
        answers.add(CompletableFuture.failedFuture(new IllegalStateException("no keys")));
        subscribe("x");
        subscribe("60");

        assertThat(subscribed.get(0)).isEqualTo(new SubscribeResult.Refused(Refusal.UNAVAILABLE));
        assertThat(subscribed.get(1)).isInstanceOf(SubscribeResult.Subscribed.class);
    }

    @Test
    void aSubscriptionEndsWithItsPermissionAndTheGrace() {
        subscribe("60");

        node.pass(Duration.ofSeconds(84));
        assertThat(client.events()).isEmpty();
        node.pass(Duration.ofSeconds(2));

        assertThat(client.events()).containsExactly(new Ended(LOG, UnsubscribeReason.EXPIRED));
        assertThat(client.connection().isSubscribed(CHANNEL)).isFalse();
        node.publish(LOG, "unseen");
        assertThat(client.texts(LOG)).isEmpty();
    }

    @Test
    void aSubscriptionThatIsProlongedGoesOn() {
        subscribe("60");
        node.pass(Duration.ofSeconds(80));

        prolong("60");
        node.pass(Duration.ofSeconds(80));
        node.publish(LOG, "seen");

        assertThat(prolonged).hasSize(1).first().isInstanceOf(ProlongResult.Prolonged.class);
        assertThat(client.texts(LOG)).containsExactly("seen");
    }

    @Test
    void aSubscriptionCanBeProlongedForGood() {
        subscribe("60");
        answer(Granted.forever());

        prolong("x");
        node.pass(Duration.ofHours(1));

        assertThat(prolonged).containsExactly(new ProlongResult.Prolonged(null));
        assertThat(client.events()).isEmpty();
    }

    @Test
    void onlyASubscriptionThatEndsCanBeProlonged() {
        prolong("60");
        answer(Granted.forever());
        subscribe("x");
        prolong("60");

        assertThat(prolonged)
                .containsExactly(
                        new ProlongResult.Refused(Refusal.NOT_ALLOWED),
                        new ProlongResult.Refused(Refusal.NOT_AVAILABLE));
    }

    @Test
    void aRefusedProlongingLeavesTheSubscriptionAsItWas() {
        subscribe("60");
        answer(Rejected.EXPIRED_TOKEN);
        prolong("x");
        answer(Granted.until(in(-1)));
        prolong("x");

        assertThat(prolonged)
                .containsExactly(
                        new ProlongResult.Refused(Refusal.EXPIRED), new ProlongResult.Refused(Refusal.EXPIRED));
        node.pass(Duration.ofSeconds(86));
        assertThat(client.events()).containsExactly(new Ended(LOG, UnsubscribeReason.EXPIRED));
    }

    /** The token was shown for the first subscription; the second has its own. */
    @Test
    void aLateAnswerDoesNotTouchANewerSubscription() {
        subscribe("60");
        CompletableFuture<Answer> late = new CompletableFuture<>();
        answers.add(late);
        prolong("x");
        client.unsubscribe(LOG);
        subscribe("30");

        late.complete(Granted.until(in(10_000)));
        node.settle();

        assertThat(prolonged).containsExactly(new ProlongResult.Refused(Refusal.NOT_ALLOWED));
        assertThat(client.connection().expiry(CHANNEL)).isEqualTo(in(30));
    }

    @Test
    void anUnsubscribeBeatsATokenThatIsStillJudged() {
        CompletableFuture<Answer> late = new CompletableFuture<>();
        answers.add(late);
        subscribe("x");
        client.unsubscribe(LOG);

        late.complete(Granted.until(in(60)));
        node.settle();

        assertThat(subscribed).containsExactly(new SubscribeResult.Refused(Refusal.CLOSED));
        assertThat(client.connection().isSubscribed(CHANNEL)).isFalse();
    }
}
