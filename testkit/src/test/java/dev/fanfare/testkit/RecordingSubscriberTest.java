package dev.fanfare.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.presence.PresenceEvent.Kind;
import org.junit.jupiter.api.Test;

class RecordingSubscriberTest {

    private static final Cursor START = new Cursor("e1", 0, 0);

    private final RecordingSubscriber subscriber = new RecordingSubscriber();

    @Test
    void takesEverythingInTheOrderInWhichItCame() {
        Resume.Reset reset = new Resume.Reset(ResetReason.TRIMMED, new Cursor("e1", 9, 9));
        subscriber.onReady(new Resume.Fresh(START));
        subscriber.onPublication(publication("a"));
        subscriber.onPublication(publication("b"));
        subscriber.onSkipped(3);
        subscriber.onPresenceSkipped(2);
        subscriber.onReset(reset);
        subscriber.onPresence(new PresenceEvent(Kind.JOIN, new Member("ana", "c1", null)));
        subscriber.onEnded(UnsubscribeReason.BY_HOST);

        assertThat(subscriber.awaitReady().position()).isEqualTo(START);
        subscriber.assertNext("a", "b");
        assertThat(subscriber.assertSkipped()).isEqualTo(3);
        assertThat(subscriber.assertPresenceSkipped()).isEqualTo(2);
        assertThat(subscriber.assertReset(ResetReason.TRIMMED)).isEqualTo(reset);
        assertThat(subscriber.assertPresence(Kind.JOIN, "ana").connection()).isEqualTo("c1");
        subscriber.assertEnded(UnsubscribeReason.BY_HOST);
        subscriber.assertExhausted();
    }

    @Test
    void waitsForWhatComesFromAnotherThread() {
        Thread publisher = new Thread(() -> subscriber.onPublication(publication("late")));
        publisher.start();

        subscriber.assertNext("late");
    }

    @Test
    void anotherEventThanExpectedIsToldWithAllThatCame() {
        subscriber.onReady(new Resume.Fresh(START));
        subscriber.onSkipped(3);
        subscriber.onEnded(UnsubscribeReason.BY_HOST);
        subscriber.awaitReady();

        assertThatThrownBy(subscriber::awaitPublication)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("Expected Published")
                .hasMessageContaining("Skipped[count=3]")
                .hasMessageContaining("Fresh")
                .hasMessageContaining("BY_HOST");
    }

    @Test
    void anotherTextReasonOrUserThanExpectedFails() {
        subscriber.onPublication(publication("a"));
        assertThatThrownBy(() -> subscriber.assertNext("b")).hasMessageContaining("\"a\"");

        subscriber.onReset(new Resume.Reset(ResetReason.EPOCH, START));
        assertThatThrownBy(() -> subscriber.assertReset(ResetReason.TRIMMED)).hasMessageContaining("EPOCH");

        subscriber.onPresence(new PresenceEvent(Kind.JOIN, new Member("ana", "c1", null)));
        assertThatThrownBy(() -> subscriber.assertPresence(Kind.LEAVE, "ana")).hasMessageContaining("JOIN");

        subscriber.onEnded(UnsubscribeReason.SHUTDOWN);
        assertThatThrownBy(() -> subscriber.assertEnded(UnsubscribeReason.BY_HOST))
                .hasMessageContaining("SHUTDOWN");
    }

    @Test
    void whatWasNotTakenIsNotExhausted() {
        subscriber.onPublication(publication("a"));

        assertThatThrownBy(subscriber::assertExhausted).hasMessageContaining("Expected nothing more");
    }

    @Test
    void tellsAHistoryCheckerWhatItGets() {
        HistoryChecker checker = new HistoryChecker();
        RecordingSubscriber watched = new RecordingSubscriber(checker.client("c", ChannelId.of("room")));
        watched.onReady(new Resume.Fresh(START));
        watched.onPublication(logged(1, 11, 0));
        watched.onPresenceSkipped(5);
        watched.onSkipped(1);
        watched.onPublication(logged(3, 13, 12));
        watched.onReset(new Resume.Reset(ResetReason.TRIMMED, new Cursor("e1", 7, 17)));
        watched.onPublication(logged(8, 18, 17));
        assertThat(checker.firstViolation()).isEmpty();

        watched.onPublication(logged(10, 20, 19));

        assertThat(checker.firstViolation())
                .hasValueSatisfying(what -> assertThat(what).contains("a hole"));
    }

    private static Publication publication(String text) {
        return Publication.builder(Payload.of(text)).build();
    }

    private static Publication logged(long offset, long tag, long previousTag) {
        return Publication.builder(Payload.of("p" + offset))
                .position("e1", offset, tag, previousTag)
                .build();
    }
}
