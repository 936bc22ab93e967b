package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Cursor;
import dev.fanfare.DeliveryClass;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.Refusal;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.Connection.SubscribeResult.Subscribed;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import java.time.Duration;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Subscriptions that want some publications only: the others count as seen. */
class FilterTest {

    private static final Predicate<Publication> ODD =
            publication -> "odd".equals(publication.headers().get("is"));

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final ManualNode node = ManualNode.open(store, time, FilterTest::namespaces);

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace(
                        "log",
                        rules -> rules.retain(100_000, Duration.ofHours(1))
                                .filters()
                                .recoveryLimit(10))
                .namespace("live", rules -> rules.filters())
                .namespace(
                        "state",
                        rules -> rules.retain(1000, Duration.ofHours(1))
                                .filters()
                                .delivery(DeliveryClass.state()))
                .namespace(
                        "latest",
                        rules -> rules.retain(10, Duration.ofHours(1)).filters().resumeWithLatest())
                .namespace("all", rules -> rules.retain(1000, Duration.ofHours(1)));
    }

    @AfterEach
    void close() {
        node.close();
        assertThat(node.format.unreleased()).as("frames not released").isZero();
    }

    @Test
    void onlyWhatIsWantedIsWritten() {
        RecordingOutlet filtered = subscribed("log:a", StartAt.live());
        RecordingOutlet all = node.subscribed("log:a", StartAt.live());

        publish("log:a", 1, 5);

        assertThat(filtered.texts("log:a")).containsExactly("1", "3", "5");
        assertThat(all.texts("log:a")).containsExactly("1", "2", "3", "4", "5");
        assertThat(filtered.violations()).isEmpty();
    }

    @Test
    void whereNothingIsRetainedTheSameHolds() {
        RecordingOutlet filtered = subscribed("live:a", StartAt.live());

        publish("live:a", 1, 5);

        assertThat(filtered.texts("live:a")).containsExactly("1", "3", "5");
    }

    @Test
    void aNamespaceThatDoesNotAllowItRefuses() {
        RecordingOutlet client = subscribed("all:a", StartAt.live());

        assertThat(client.events())
                .containsExactly(new Answered("all:a", new SubscribeResult.Refused(Refusal.BAD_REQUEST)));
    }

    @Test
    void aResumeBringsWhatIsWantedAndMovesOverTheRest() {
        publish("log:a", 1, 6);

        RecordingOutlet client = subscribed("log:a", StartAt.after(Cursor.ofUnknownEpoch(1)));
        publish("log:a", 7, 7);

        Subscribed start = start(client);
        assertThat(start.resume()).isInstanceOf(Resume.Continued.class);
        assertThat(start.position().offset()).isEqualTo(6);
        assertThat(client.texts("log:a")).containsExactly("3", "5", "7");
    }

    @Test
    void aResumeOfWhichNothingIsWantedIsContinuedAtTheTop() {
        publish("log:a", 1, 2);

        RecordingOutlet client = subscribed("log:a", StartAt.after(Cursor.ofUnknownEpoch(1)));

        assertThat(start(client).resume()).isInstanceOf(Resume.Continued.class);
        assertThat(start(client).missed()).isEmpty();
        assertThat(start(client).position()).isEqualTo(store.head("log:a"));
    }

    @Test
    void aCursorOfAPublicationThatWasNotWantedIsAsGoodAsAny() {
        publish("log:a", 1, 2);
        Cursor ofAnEvenOne = store.head("log:a");
        publish("log:a", 3, 4);

        RecordingOutlet client = subscribed("log:a", StartAt.after(ofAnEvenOne));

        assertThat(client.texts("log:a")).containsExactly("3");
    }

    @Test
    void whatIsNotWantedCountsWhereAResumeIsTooFar() {
        publish("log:a", 1, 12);

        RecordingOutlet client = subscribed("log:a", StartAt.after(Cursor.ofUnknownEpoch(1)));

        assertThat(start(client).resume()).isInstanceOf(Resume.Reset.class);
    }

    @Test
    void whoCatchesUpPassesOverWhatIsNotWanted() {
        RecordingOutlet slow = subscribed("log:a", StartAt.live());
        slow.takeOnly(1);
        publish("log:a", 1, 9);

        slow.drain();
        node.settle();
        publish("log:a", 10, 11);

        assertThat(slow.texts("log:a")).containsExactly("1", "3", "5", "7", "9", "11");
        assertThat(slow.violations()).isEmpty();
    }

    @Test
    void aFullSocketIsNoMatterForWhatIsNotWanted() {
        RecordingOutlet slow = subscribed("log:a", StartAt.live());
        store.readsAsked.clear();
        slow.takeOnly(0);

        publishOne("log:a", 2);
        publishOne("log:a", 4);
        slow.drain();
        node.settle();
        publishOne("log:a", 5);

        assertThat(slow.texts("log:a")).containsExactly("5");
        assertThat(store.readsAsked).isEmpty();
    }

    @Test
    void whatIsNotWantedReplacesNothing() {
        RecordingOutlet slow = subscribed("state:a", StartAt.live());
        slow.takeOnly(0);
        publish("state:a", 1, 2);

        slow.drain();
        node.settle();

        assertThat(slow.texts("state:a")).containsExactly("1");
    }

    @Test
    void theNewestAloneIsNotBroughtEitherIfItIsNotWanted() {
        publish("latest:a", 1, 2);

        RecordingOutlet client = subscribed("latest:a", StartAt.after(Cursor.ofUnknownEpoch(0)));
        publish("latest:a", 3, 3);

        assertThat(start(client).missed()).isEmpty();
        assertThat(client.texts("latest:a")).containsExactly("3");
    }

    @Test
    void whereAFilterThrowsNothingIsLost() {
        RecordingOutlet broken = node.connect();
        broken.subscribe("log:a", request(StartAt.live(), publication -> {
            throw new IllegalStateException("broken");
        }));
        RecordingOutlet all = node.subscribed("log:a", StartAt.live());

        publish("log:a", 1, 2);

        assertThat(broken.texts("log:a")).containsExactly("1", "2");
        assertThat(all.texts("log:a")).containsExactly("1", "2");
    }

    private RecordingOutlet subscribed(String channel, StartAt start) {
        RecordingOutlet client = node.connect().subscribe(channel, request(start, ODD));
        node.settle();
        return client;
    }

    private static SubscribeRequest request(StartAt start, Predicate<Publication> filter) {
        return new SubscribeRequest(start, false, false, "", false, filter, null);
    }

    private void publish(String channel, int from, int to) {
        for (int i = from; i <= to; i++) {
            publishOne(channel, i);
        }
    }

    private void publishOne(String channel, int number) {
        node.publish(
                channel,
                Integer.toString(number),
                PublishOptions.none().withHeader("is", number % 2 == 0 ? "even" : "odd"));
    }

    private static Subscribed start(RecordingOutlet client) {
        return (Subscribed) ((Answered) client.events().get(0)).result();
    }
}
