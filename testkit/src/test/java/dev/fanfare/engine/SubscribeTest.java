package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.Subscriber;
import dev.fanfare.Subscription;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Subscriptions of the host itself. */
@ExtendWith(Quiet.class)
class SubscribeTest {

    private final ManualTime time = new ManualTime();
    private final ManualNode node = ManualNode.open(
            MemoryStore.create(time),
            time,
            builder -> builder.namespace("log", rules -> rules.retain(100, Duration.ofHours(1)))
                    .namespace("", rules -> rules));
    private final RecordingSubscriber subscriber = new RecordingSubscriber();

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void liveBeginsWithWhatIsPublishedNext() {
        node.publish("log:a", "before");

        node.subscribe("log:a", StartAt.live(), subscriber);
        node.settle();
        node.publish("log:a", "after");

        assertThat(subscriber.awaitReady()).isInstanceOf(Resume.Fresh.class);
        subscriber.assertNext("after");
        subscriber.assertExhausted();
    }

    @Test
    void latestBeginsWithTheNewestAndGoesOn() {
        node.publishMany("log:a", 1, 5);

        node.subscribe("log:a", StartAt.latest(2), subscriber);
        node.settle();
        node.publish("log:a", "6");

        assertThat(subscriber.awaitReady().position().offset()).isEqualTo(3);
        subscriber.assertNext("4", "5", "6");
        subscriber.assertExhausted();
    }

    @Test
    void latestOfMoreThanThereIsBringsAll() {
        node.publishMany("log:a", 1, 2);

        node.subscribe("log:a", StartAt.latest(10), subscriber);
        node.settle();

        subscriber.awaitReady();
        subscriber.assertNext("1", "2");
        subscriber.assertExhausted();
    }

    @Test
    void latestZeroIsLive() {
        node.publish("log:a", "before");

        node.subscribe("log:a", StartAt.latest(0), subscriber);
        node.settle();

        assertThat(subscriber.awaitReady()).isInstanceOf(Resume.Fresh.class);
        subscriber.assertExhausted();
    }

    @Test
    void afterAPositionBringsWhatFollowsIt() {
        node.publishMany("log:a", 1, 2);
        Cursor two = node.publish("log:a", "3").position().orElseThrow();
        node.publishMany("log:a", 4, 5);

        node.subscribe("log:a", StartAt.after(two), subscriber);
        node.settle();

        assertThat(subscriber.awaitReady()).isEqualTo(new Resume.Continued(two));
        subscriber.assertNext("4", "5");
        subscriber.assertExhausted();
    }

    @Test
    void aChannelThatRetainsNothingBeginsAnewWhateverThePosition() {
        node.subscribe("plain", StartAt.after(Cursor.of("e", 7)), subscriber);
        node.settle();
        node.publish("plain", "1");

        assertThat(subscriber.awaitReady()).isEqualTo(new Resume.Reset(ResetReason.TRIMMED, Cursor.ofUnknownEpoch(0)));
        subscriber.assertNext("1");
    }

    @Test
    void readyTellsHowItBegins() {
        Subscription subscription = node.subscribe("log:a", StartAt.live(), subscriber);

        Resume resume = node.await(subscription.ready());

        assertThat(resume).isEqualTo(subscriber.awaitReady());
    }

    @Test
    void theCursorFollowsWhatTheSubscriberGot() {
        List<Cursor> seen = new ArrayList<>();
        Subscription subscription = node.subscribe("log:a", StartAt.live(), publication -> {});
        node.settle();
        seen.add(subscription.cursor());

        Cursor published = node.publish("log:a", "1").position().orElseThrow();
        node.settle();
        seen.add(subscription.cursor());

        assertThat(seen).containsExactly(Cursor.of(published.epoch(), 0), published);
    }

    @Test
    void withinACallTheCursorIsThatOfThePublication() {
        List<Cursor> seen = new ArrayList<>();
        List<Subscription> holder = new ArrayList<>();
        holder.add(node.subscribe(
                "log:a", StartAt.live(), publication -> seen.add(holder.get(0).cursor())));
        node.settle();

        Cursor published = node.publish("log:a", "1").position().orElseThrow();
        node.settle();

        assertThat(seen).containsExactly(published);
    }

    @Test
    void anUnknownNamespaceIsRefused() {
        Subscription subscription = node.subscribe("nowhere:a", StartAt.live(), subscriber);

        assertThatThrownBy(() -> node.await(subscription.ready()))
                .cause()
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.reason()).isEqualTo(Refusal.UNKNOWN_NAMESPACE));
        subscriber.assertEnded(UnsubscribeReason.NOT_STARTED);
        subscriber.assertExhausted();
    }

    @Test
    void afterClosingNothingMoreComes() {
        Subscription subscription = node.subscribe("log:a", StartAt.live(), subscriber);
        node.settle();
        subscriber.awaitReady();

        subscription.close();
        node.settle();
        node.publish("log:a", "1");

        subscriber.assertEnded(UnsubscribeReason.BY_SUBSCRIBER);
        subscriber.assertExhausted();
    }

    @Test
    void closingTwiceEndsOnce() {
        Subscription subscription = node.subscribe("log:a", StartAt.live(), subscriber);
        node.settle();
        subscriber.awaitReady();

        subscription.close();
        subscription.close();
        node.settle();

        subscriber.assertEnded(UnsubscribeReason.BY_SUBSCRIBER);
        subscriber.assertExhausted();
    }

    @Test
    void closedBeforeItBeganItIsNeverReady() {
        Subscription subscription = node.subscribe("log:a", StartAt.live(), subscriber);

        subscription.close();

        assertThatThrownBy(() -> node.await(subscription.ready()))
                .cause()
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.reason()).isEqualTo(Refusal.CLOSED));
        subscriber.assertEnded(UnsubscribeReason.BY_SUBSCRIBER);
    }

    @Test
    void aSubscriberThatThrowsIsEndedAndOthersGoOn() {
        Thrower thrower = new Thrower("2");
        node.subscribe("log:a", StartAt.live(), thrower);
        node.subscribe("log:a", StartAt.live(), subscriber);
        node.settle();
        subscriber.awaitReady();

        node.publishMany("log:a", 1, 3);

        assertThat(thrower.seen).containsExactly("1", "2", "SUBSCRIBER_FAILED");
        subscriber.assertNext("1", "2", "3");
    }

    @Test
    void theCursorOfASubscriberThatThrewIsBeforeWhatItThrewAt() {
        Subscription subscription = node.subscribe("log:a", StartAt.live(), new Thrower("2"));
        node.settle();
        node.publishMany("log:a", 1, 3);

        node.subscribe("log:a", StartAt.after(subscription.cursor()), subscriber);
        node.settle();

        subscriber.awaitReady();
        subscriber.assertNext("2", "3");
    }

    @Test
    void aSubscriberThatThrewGetsNothingOfTheSameTurn() {
        Thrower thrower = new Thrower("2");
        node.subscribe("log:a", StartAt.live(), thrower);
        node.settle();

        for (int i = 1; i <= 4; i++) {
            var unused = node.fanfare.publish("log:a", Integer.toString(i));
        }
        node.settle();

        assertThat(thrower.seen).containsExactly("1", "2", "SUBSCRIBER_FAILED");
    }

    @Test
    void aSubscriberThatThrowsInItsMissedOnesGetsNoMoreOfThem() {
        node.publishMany("log:a", 1, 4);
        Thrower thrower = new Thrower("2");

        node.subscribe("log:a", StartAt.latest(4), thrower);
        node.settle();

        assertThat(thrower.seen).containsExactly("1", "2", "SUBSCRIBER_FAILED");
    }

    @Test
    void aSubscriberThatThrowsWhenReadyIsEnded() {
        RecordingSubscriber ended = new RecordingSubscriber();
        node.subscribe("log:a", StartAt.live(), new Subscriber() {
            @Override
            public void onReady(Resume resume) {
                throw new IllegalStateException("not today");
            }

            @Override
            public void onPublication(Publication publication) {
                ended.onPublication(publication);
            }

            @Override
            public void onEnded(UnsubscribeReason reason) {
                ended.onEnded(reason);
            }
        });
        node.settle();

        node.publish("log:a", "1");

        ended.assertEnded(UnsubscribeReason.SUBSCRIBER_FAILED);
        ended.assertExhausted();
    }

    @Test
    void aSubscriberMayPublishFromItsCall() {
        node.subscribe("log:a", StartAt.live(), publication -> {
            if (publication.offset() == 1) {
                var unused = node.fanfare.publish("log:a", "echo");
            }
        });
        node.subscribe("log:a", StartAt.live(), subscriber);
        node.settle();
        subscriber.awaitReady();

        node.publish("log:a", "1");
        node.settle();

        subscriber.assertNext("1", "echo");
    }

    @Test
    void everySubscriberGetsTheSameRun() {
        List<RecordingSubscriber> many = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            many.add(new RecordingSubscriber());
            node.subscribe("log:a", StartAt.live(), many.get(i));
        }
        node.settle();

        node.publishMany("log:a", 1, 3);

        assertThat(many).allSatisfy(each -> {
            each.awaitReady();
            each.assertNext("1", "2", "3");
            each.assertExhausted();
        });
    }

    /** Remembers the texts and throws at one of them. */
    private static final class Thrower implements Subscriber {
        final List<String> seen = new ArrayList<>();
        private final String last;

        Thrower(String last) {
            this.last = last;
        }

        @Override
        public void onPublication(Publication publication) {
            seen.add(publication.data().text());
            if (publication.data().text().equals(last)) {
                throw new IllegalStateException("not today");
            }
        }

        @Override
        public void onEnded(UnsubscribeReason reason) {
            seen.add(reason.name());
        }
    }
}
