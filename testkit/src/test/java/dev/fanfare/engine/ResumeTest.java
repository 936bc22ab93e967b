package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Cursor;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.Connection.SubscribeResult.Refused;
import dev.fanfare.spi.Connection.SubscribeResult.Subscribed;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a client is answered that names a position. */
class ResumeTest {

    private static final String LOG = "log:a";
    private static final String SHORT = "short:a";

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final ManualNode node = ManualNode.open(store, time, ResumeTest::namespaces);

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace(
                        "log", rules -> rules.retain(100, Duration.ofHours(1)).recoveryLimit(10))
                .namespace("short", rules -> rules.retain(3, Duration.ofMinutes(1)))
                .maxChannelsPerConnection(2);
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void whoMissedNothingContinuesWithNothing() {
        Cursor top = publish(LOG, 3);

        Subscribed answer = resume(LOG, top);

        assertThat(answer.resume()).isEqualTo(new Resume.Continued(top));
        assertThat(answer.missed()).isEmpty();
        assertThat(answer.position()).isEqualTo(top);
        assertThat(answer.isRetained()).isTrue();
    }

    @Test
    void whoMissedSomeContinuesWithThose() {
        Cursor had = publish(LOG, 2);
        Cursor top = publish(LOG, 3);

        Subscribed answer = resume(LOG, had);

        assertThat(answer.resume()).isEqualTo(new Resume.Continued(had));
        assertThat(offsets(answer)).containsExactly(3L, 4L, 5L);
        assertThat(answer.position()).isEqualTo(top);
    }

    @Test
    void fromTheBeginningOfAnEpochEverythingWasMissed() {
        Cursor top = publish(LOG, 2);

        Subscribed answer = resume(LOG, Cursor.of(top.epoch(), 0));

        assertThat(answer.resume()).isInstanceOf(Resume.Continued.class);
        assertThat(offsets(answer)).containsExactly(1L, 2L);
    }

    @Test
    void exactlyTheRecoveryLimitContinues() {
        Cursor had = publish(LOG, 2);
        publish(LOG, 10);

        Subscribed answer = resume(LOG, had);

        assertThat(answer.resume()).isInstanceOf(Resume.Continued.class);
        assertThat(answer.missed()).hasSize(10);
    }

    @Test
    void oneMoreThanTheRecoveryLimitIsTooFar() {
        Cursor had = publish(LOG, 2);
        Cursor top = publish(LOG, 11);

        Subscribed answer = resume(LOG, had);

        assertThat(answer.resume()).isEqualTo(new Resume.Reset(ResetReason.TOO_FAR, top));
        assertThat(answer.missed()).isEmpty();
    }

    @Test
    void tooFarIsTooFarFromTheRingToo() {
        RecordingOutlet other = node.subscribed(LOG, StartAt.live());
        Cursor had = publish(LOG, 2);
        Cursor top = publish(LOG, 11);

        Subscribed answer = resume(LOG, had);

        assertThat(answer.resume()).isEqualTo(new Resume.Reset(ResetReason.TOO_FAR, top));
        assertThat(other.texts(LOG)).hasSize(13);
    }

    @Test
    void anotherEpochIsReset() {
        Cursor top = publish(LOG, 2);

        Subscribed answer = resume(LOG, new Cursor("other", 2, top.tag()));

        assertThat(answer.resume()).isEqualTo(new Resume.Reset(ResetReason.EPOCH, top));
    }

    @Test
    void aPositionBeforeWhatIsRetainedIsReset() {
        Cursor had = publish(SHORT, 1);
        Cursor top = publish(SHORT, 4);

        Subscribed answer = resume(SHORT, had);

        assertThat(answer.resume()).isEqualTo(new Resume.Reset(ResetReason.TRIMMED, top));
    }

    @Test
    void thePositionJustBeforeWhatIsRetainedContinues() {
        Cursor had = publish(SHORT, 1);
        publish(SHORT, 3);

        Subscribed answer = resume(SHORT, had);

        assertThat(answer.resume()).isEqualTo(new Resume.Continued(had));
        assertThat(offsets(answer)).containsExactly(2L, 3L, 4L);
    }

    @Test
    void theRingGivesNoMoreThanTheRulesRetain() {
        node.subscribed(SHORT, StartAt.live());
        Cursor had = publish(SHORT, 1);
        Cursor top = publish(SHORT, 4);

        Subscribed answer = resume(SHORT, had);

        assertThat(answer.resume()).isEqualTo(new Resume.Reset(ResetReason.TRIMMED, top));
    }

    @Test
    void theRingGivesNothingOlderThanTheRulesRetain() {
        node.subscribed(SHORT, StartAt.live());
        Cursor had = publish(SHORT, 1);
        Cursor top = publish(SHORT, 1);
        node.pass(Duration.ofMinutes(1));
        store.trimTo(SHORT, 0);

        Subscribed answer = resume(SHORT, had);

        assertThat(answer.resume()).isEqualTo(new Resume.Reset(ResetReason.TRIMMED, top));
    }

    @Test
    void atTheTopOfALogThatHasExpiredItContinues() {
        Cursor top = publish(SHORT, 2);
        store.trimTo(SHORT, 0);

        Subscribed answer = resume(SHORT, top);

        assertThat(answer.resume()).isEqualTo(new Resume.Continued(top));
    }

    @Test
    void beyondTheTopIsAnotherHistory() {
        Cursor top = publish(LOG, 2);

        Subscribed answer = resume(LOG, new Cursor(top.epoch(), 3, 7));

        assertThat(answer.resume()).isEqualTo(new Resume.Reset(ResetReason.DIVERGED, top));
    }

    @Test
    void theSameOffsetWithAnotherTagIsAnotherHistory() {
        publish(LOG, 2);
        Cursor lost = publish(LOG, 1);
        store.loseNewest(LOG, 1);
        Cursor top = publish(LOG, 1);

        Subscribed answer = resume(LOG, lost);

        assertThat(lost.offset()).isEqualTo(top.offset());
        assertThat(answer.resume()).isEqualTo(new Resume.Reset(ResetReason.DIVERGED, top));
    }

    @Test
    void anOlderPositionThatLeadsElsewhereIsAnotherHistory() {
        publish(LOG, 2);
        Cursor lost = publish(LOG, 1);
        store.loseNewest(LOG, 1);
        Cursor top = publish(LOG, 3);

        Subscribed answer = resume(LOG, lost);

        assertThat(answer.resume()).isEqualTo(new Resume.Reset(ResetReason.DIVERGED, top));
    }

    @Test
    void aPrefixThatSurvivedAFailoverContinues() {
        Cursor kept = publish(LOG, 2);
        publish(LOG, 1);
        store.loseNewest(LOG, 1);
        publish(LOG, 2);

        Subscribed answer = resume(LOG, kept);

        assertThat(answer.resume()).isEqualTo(new Resume.Continued(kept));
        assertThat(offsets(answer)).containsExactly(3L, 4L);
    }

    @Test
    void withoutATagTheOffsetCounts() {
        Cursor had = publish(LOG, 2);
        publish(LOG, 1);

        Subscribed answer = resume(LOG, Cursor.of(had.epoch(), 2));

        assertThat(answer.resume()).as("the log knows the tag").isEqualTo(new Resume.Continued(had));
        assertThat(offsets(answer)).containsExactly(3L);
    }

    @Test
    void withoutATagTheTopContinues() {
        Cursor top = publish(LOG, 2);

        Subscribed answer = resume(LOG, Cursor.of(top.epoch(), 2));

        assertThat(answer.resume()).isEqualTo(new Resume.Continued(top));
    }

    @Test
    void withoutAnEpochTheOffsetCounts() {
        Cursor had = publish(LOG, 2);
        publish(LOG, 1);

        Subscribed answer = resume(LOG, Cursor.ofUnknownEpoch(2));

        assertThat(answer.resume()).isEqualTo(new Resume.Continued(had));
        assertThat(offsets(answer)).containsExactly(3L);
    }

    @Test
    void withoutAnEpochTheRingServesToo() {
        node.subscribed(LOG, StartAt.live());
        Cursor had = publish(LOG, 2);
        publish(LOG, 1);
        store.readsAsked.clear();

        Subscribed answer = resume(LOG, Cursor.ofUnknownEpoch(2));

        assertThat(answer.resume()).isEqualTo(new Resume.Continued(had));
        assertThat(store.readsAsked).isEmpty();
    }

    @Test
    void withoutAnEpochAnOffsetBeyondTheTopIsReset() {
        Cursor top = publish(LOG, 2);

        Subscribed answer = resume(LOG, Cursor.ofUnknownEpoch(3));

        assertThat(answer.resume()).isEqualTo(new Resume.Reset(ResetReason.DIVERGED, top));
    }

    @Test
    void aChannelThatWasNeverWrittenContinuesAtItsBeginning() {
        Cursor nothing = store.head(LOG);

        Subscribed answer = resume(LOG, nothing);

        assertThat(answer.resume()).isEqualTo(new Resume.Continued(nothing));
    }

    @Test
    void whatComesAfterTheAnswerFollowsIt() {
        Cursor had = publish(LOG, 1);
        publish(LOG, 1);
        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.after(had));
        node.settle();

        publish(LOG, 2);

        assertThat(client.texts(LOG)).containsExactly("2", "3", "4");
    }

    @Test
    void aHerdOnOneCursorReadsTheLogOnce() {
        Cursor had = publish(LOG, 1);
        publish(LOG, 5);

        List<RecordingOutlet> herd = herd(200, had);

        assertThat(herd).allSatisfy(client -> assertThat(client.texts(LOG)).hasSize(5));
        assertThat(store.readsAsked).as("the head, and what was missed").hasSizeLessThanOrEqualTo(2);
    }

    @Test
    void aHerdOnDifferentCursorsReadsTheLogOnce() {
        Cursor top = publish(LOG, 9);
        store.holdsReads = true;

        List<RecordingOutlet> herd = herd(0, top);
        for (int offset = 1; offset <= 8; offset++) {
            RecordingOutlet client = node.connect();
            herd.add(client.subscribe(LOG, StartAt.after(Cursor.of(top.epoch(), offset))));
        }
        store.holdsReads = false;
        store.answerAll();
        node.settle();

        assertThat(herd).allSatisfy(client -> assertThat(client.texts(LOG)).endsWith("9"));
        assertThat(store.readsAsked).as("the head, and what was missed").hasSizeLessThanOrEqualTo(2);
    }

    @Test
    void aReadThatSomebodyElseAskedForEarlierProvesNothing() {
        node.subscribed(LOG, StartAt.live());
        Cursor five = publish(LOG, 5);
        store.holdsReads = true;
        store.looksWhenAsked = true;
        node.connect().subscribe(LOG, StartAt.after(new Cursor(five.epoch(), 6, 7)));
        node.settle();
        store.holdsHints = true;
        Cursor six = publish(LOG, 1);

        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.after(six));
        node.settle();
        store.holdsReads = false;
        store.holdsHints = false;
        do {
            node.settle();
        } while (store.answerAll());

        assertThat(client.events()).hasSize(1);
        Subscribed answer = (Subscribed) ((Answered) client.events().get(0)).result();
        assertThat(answer.resume()).isEqualTo(new Resume.Continued(six));
    }

    @Test
    void aSecondSubscriptionOfTheSameClientIsRefused() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());

        client.subscribe(LOG, StartAt.live());

        assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.ALREADY_SUBSCRIBED)));
    }

    @Test
    void beyondTheLimitOfChannelsAClientIsRefused() {
        RecordingOutlet client = node.subscribed("log:1", StartAt.live());
        client.subscribe("log:2", StartAt.live());
        node.settle();
        client.takeEvents();

        client.subscribe("log:3", StartAt.live());

        assertThat(client.events()).containsExactly(new Answered("log:3", new Refused(Refusal.LIMIT_EXCEEDED)));
    }

    @Test
    void afterUnsubscribingThereIsRoomForAnother() {
        RecordingOutlet client = node.subscribed("log:1", StartAt.live());
        client.subscribe("log:2", StartAt.live());
        node.settle();

        boolean was = client.unsubscribe("log:1");
        client.takeEvents();
        client.subscribe("log:3", StartAt.live());
        node.settle();

        assertThat(was).isTrue();
        assertThat(client.events())
                .singleElement()
                .satisfies(event -> assertThat(((Answered) event).result()).isInstanceOf(Subscribed.class));
    }

    @Test
    void unsubscribedBeforeItBeganIsAnsweredOnce() {
        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.live());

        client.unsubscribe(LOG);
        node.settle();

        assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.CLOSED)));
    }

    @Test
    void aClientThatVanishesBeforeItBeganIsAnsweredOnce() {
        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.live());

        client.vanish();
        node.settle();

        assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.CLOSED)));
    }

    private List<RecordingOutlet> herd(int size, Cursor had) {
        List<RecordingOutlet> herd = new java.util.ArrayList<>();
        store.holdsReads = true;
        store.readsAsked.clear();
        for (int i = 0; i < size; i++) {
            herd.add(node.connect().subscribe(LOG, StartAt.after(had)));
        }
        node.settle();
        store.holdsReads = false;
        while (store.answerAll()) {
            node.settle();
        }
        return herd;
    }

    /** Publishes so many, numbered by their offsets, and returns the position after them. */
    private Cursor publish(String channel, int count) {
        long top = store.head(channel).offset();
        node.publishMany(channel, (int) top + 1, (int) top + count);
        return store.head(channel);
    }

    private Subscribed resume(String channel, Cursor after) {
        RecordingOutlet client = node.connect().subscribe(channel, StartAt.after(after));
        node.settle();
        SubscribeResult result = ((Answered) client.events().get(0)).result();
        return (Subscribed) result;
    }

    private static List<Long> offsets(Subscribed answer) {
        return answer.missed().stream().map(Publication::offset).toList();
    }
}
