package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.Action;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ClosedException;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.PublishResult.Duplicate;
import dev.fanfare.PublishResult.Refused;
import dev.fanfare.PublishResult.Sent;
import dev.fanfare.PublishResult.Stored;
import dev.fanfare.Publisher;
import dev.fanfare.Refusal;
import dev.fanfare.StartAt;
import dev.fanfare.StoreException;
import dev.fanfare.Subscription;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a publisher is told, and what subscribers get of it. */
@ExtendWith(Quiet.class)
class PublishTest {

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final ManualNode node = ManualNode.open(store, time, PublishTest::namespaces);

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace("log", rules -> rules.retain(100, Duration.ofHours(1)))
                .namespace("", rules -> rules)
                .namespace("small", rules -> rules.maxMessageBytes(3));
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void storedTellsThePosition() {
        PublishResult first = node.publish("log:a", "1");
        PublishResult second = node.publish("log:a", "2");

        assertThat(first).isInstanceOf(Stored.class);
        assertThat(second.position())
                .hasValueSatisfying(position -> assertThat(position.offset()).isEqualTo(2));
        assertThat(second.position()).hasValue(store.head("log:a"));
    }

    @Test
    void aChannelThatRetainsNothingSendsWithoutPosition() {
        PublishResult result = node.publish("plain", "1");

        assertThat(result).isEqualTo(new Sent());
        assertThat(result.position()).isEmpty();
        assertThat(result.isAccepted()).isTrue();
    }

    @Test
    void aRepeatedKeyGetsTheFirstPositionAndIsDeliveredOnce() {
        RecordingOutlet client = node.subscribed("log:a", StartAt.live());
        PublishOptions key = PublishOptions.dedupKey("k");
        PublishResult first = node.publish("log:a", "1", key);

        PublishResult again = node.publish("log:a", "1", key);

        assertThat(again)
                .isEqualTo(new Duplicate(first.position().orElseThrow()))
                .extracting(PublishResult::isAccepted)
                .isEqualTo(true);
        assertThat(client.texts("log:a")).containsExactly("1");
    }

    @Test
    void aFullStoreRefusesAndSaysWhenToTryAgain() {
        store.isFull = true;

        PublishResult result = node.publish("log:a", "1");

        assertThat(result).isEqualTo(new Refused(Refusal.UNAVAILABLE, Duration.ofMillis(20)));
    }

    @Test
    void anUnknownNamespaceIsRefused() {
        PublishResult result = node.publish("nowhere:a", "1");

        assertThat(result).isEqualTo(new Refused(Refusal.UNKNOWN_NAMESPACE));
        assertThat(result.isAccepted()).isFalse();
    }

    @Test
    void aMessageOfTheLargestSizeIsTaken() {
        PublishResult result = node.publish("small:a", "123");

        assertThat(result).isEqualTo(new Sent());
    }

    @Test
    void aLargerMessageIsRefused() {
        PublishResult result = node.publish("small:a", "1234");

        assertThat(result).isEqualTo(new Refused(Refusal.TOO_LARGE));
    }

    @Test
    void subscribersGetWhatThePublisherSaidOfIt() {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        node.subscribe("log:a", StartAt.live(), subscriber);
        node.settle();
        subscriber.awaitReady();
        PublishOptions options =
                PublishOptions.none().withKey("k").withEventType("price").withHeader("h", "v");

        node.publish("log:a", "1", options);

        Publication publication = subscriber.awaitPublication();
        assertThat(publication.key()).isEqualTo("k");
        assertThat(publication.eventType()).isEqualTo("price");
        assertThat(publication.headers()).isEqualTo(Map.of("h", "v"));
        assertThat(publication.publisher()).isNull();
        assertThat(publication.timeMillis()).isEqualTo(time.millis());
    }

    @Test
    void aClientIsNamedAsThePublisher() {
        RecordingOutlet client = node.connect("ann");
        RecordingSubscriber subscriber = new RecordingSubscriber();
        node.subscribe("log:a", StartAt.live(), subscriber);
        node.settle();
        subscriber.awaitReady();

        List<PublishResult> results = publishBy(client, "log:a");

        assertThat(results).singleElement().isInstanceOf(Stored.class);
        assertThat(subscriber.awaitPublication().publisher())
                .isEqualTo(new Publisher("ann", client.connection().info().id(), null));
    }

    @Test
    void aClientThatMayNotIsRefused() {
        try (ManualNode strict = new ManualNode(
                store,
                time,
                builder -> namespaces(builder).authorizer((user, action, channel) -> user.equals("ann")))) {
            RecordingOutlet ann = strict.connect("ann");
            RecordingOutlet bob = strict.connect("bob");

            List<PublishResult> allowed = publishBy(strict, ann, "log:a");
            List<PublishResult> refused = publishBy(strict, bob, "log:a");

            assertThat(allowed).singleElement().isInstanceOf(Stored.class);
            assertThat(refused).containsExactly(new Refused(Refusal.NOT_ALLOWED));
        }
    }

    @Test
    void withoutAnAuthorizerClientsMayNotPublish() {
        try (ManualNode closed = new ManualNode(store, time, PublishTest::namespaces)) {
            RecordingOutlet client = closed.connect("ann");

            List<PublishResult> results = publishBy(closed, client, "log:a");

            assertThat(results).containsExactly(new Refused(Refusal.NOT_ALLOWED));
        }
    }

    @Test
    void aClientWhoseStoreFailsIsRefusedForNow() {
        RecordingOutlet client = node.connect("ann");
        store.failsAppends = true;

        List<PublishResult> results = publishBy(client, "log:a");

        assertThat(results).containsExactly(new Refused(Refusal.UNAVAILABLE));
    }

    @Test
    void aClientThatIsGoneIsRefused() {
        RecordingOutlet client = node.connect("ann");
        client.vanish();

        List<PublishResult> results = publishBy(client, "log:a");

        assertThat(results).containsExactly(new Refused(Refusal.CLOSED));
    }

    @Test
    void aStoreThatFailsLeavesTheOutcomeUnknown() {
        store.failsAppends = true;

        assertThatThrownBy(() -> node.publish("log:a", "1"))
                .cause()
                .isInstanceOfSatisfying(
                        StoreException.class,
                        failure -> assertThat(failure.isRetryable()).isTrue());
    }

    @Test
    void whatNoLogKeepsIsSentOnlyIfItWasAnnounced() {
        store.announcesItself = false;
        store.failsAnnouncements = true;
        try (ManualNode apart = ManualNode.open(store, time, PublishTest::namespaces)) {
            assertThatThrownBy(() -> apart.publish("plain", "1"))
                    .cause()
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            failure -> assertThat(failure.isRetryable()).isTrue());
        }
    }

    @Test
    void whatALogKeepsIsStoredAlsoIfItWasNotAnnounced() {
        store.announcesItself = false;
        store.failsAnnouncements = true;
        try (ManualNode apart = ManualNode.open(store, time, PublishTest::namespaces)) {
            assertThat(apart.publish("log:a", "1")).isInstanceOf(Stored.class);
        }
    }

    @Test
    void aStoreThatNeverAnswersTimesOut() {
        store.holdsAppends = true;
        var result = node.fanfare.publish("log:a", "1").toCompletableFuture();

        node.pass(Duration.ofSeconds(9));
        boolean wasPatient = !result.isDone();
        node.pass(Duration.ofSeconds(2));

        assertThat(wasPatient).isTrue();
        assertThat(result).isCompletedExceptionally();
    }

    @Test
    void repeatingWithTheSameKeyTellsWhatBecameOfALostAnswer() {
        PublishOptions key = PublishOptions.dedupKey("k");
        store.holdsAppends = true;
        var unknown = node.fanfare
                .publish(ChannelId.of("log:a"), Payload.of("1"), key)
                .toCompletableFuture();
        store.appends.get(0).look();
        node.pass(Duration.ofSeconds(11));
        store.holdsAppends = false;

        PublishResult result = node.publish("log:a", "1", key);

        assertThat(unknown).isCompletedExceptionally();
        assertThat(result).isEqualTo(new Duplicate(store.head("log:a")));
        assertThat(store.head("log:a").offset()).isEqualTo(1);
    }

    @Test
    void aClosedFanfareThrows() {
        node.close();

        assertThatThrownBy(() -> node.fanfare.publish("log:a", "1")).isInstanceOf(ClosedException.class);
    }

    private List<PublishResult> publishBy(RecordingOutlet client, String channel) {
        return publishBy(node, client, channel);
    }

    private static List<PublishResult> publishBy(ManualNode on, RecordingOutlet client, String channel) {
        List<PublishResult> results = new ArrayList<>();
        client.connection().publish(ChannelId.of(channel), Payload.of("1"), PublishOptions.none(), results::add);
        on.settle();
        return results;
    }

    @Test
    void aClientsPublishesKeepTheirOrderWhicheverIsAllowedFirst() {
        List<CompletableFuture<Boolean>> questions = new ArrayList<>();
        Authorizer slow = new Authorizer() {
            @Override
            public boolean allows(String user, Action action, ChannelId channel) {
                return false;
            }

            @Override
            public CompletionStage<Boolean> allowsLater(String user, Action action, ChannelId channel) {
                CompletableFuture<Boolean> question = new CompletableFuture<>();
                questions.add(question);
                return question;
            }
        };
        try (ManualNode asking =
                new ManualNode(store, time, builder -> namespaces(builder).authorizer(slow))) {
            RecordingOutlet client = asking.connect("ann");
            Subscription reader = asking.subscribe("log:a", StartAt.live(), new RecordingSubscriber());
            for (String text : List.of("1", "2", "3")) {
                client.connection()
                        .publish(ChannelId.of("log:a"), Payload.of(text), PublishOptions.none(), result -> {});
            }
            asking.settle();

            questions.get(2).complete(true);
            questions.get(1).complete(false);
            questions.get(0).complete(true);
            asking.settle();

            assertThat(texts(asking, reader.channel())).containsExactly("1", "3");
        }
    }

    private static List<String> texts(ManualNode node, ChannelId channel) {
        CompletableFuture<HistoryResult> read =
                node.fanfare.history(channel, HistoryQuery.first(10)).toCompletableFuture();
        node.settle();
        return ((HistoryResult.Page) read.join())
                .publications().stream().map(each -> each.data().text()).toList();
    }
}
