package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import dev.fanfare.testkit.RecordingOutlet.Event;
import dev.fanfare.testkit.RecordingOutlet.ResetTold;
import dev.fanfare.testkit.RecordingOutlet.Written;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A log that fails over to a stale replica, or begins anew, under live subscribers. */
class DivergenceTest {

    private static final String LOG = "log:a";
    private static final String OTHER = "log:b";

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final ManualNode node = ManualNode.open(store, time, DivergenceTest::namespaces);

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace("log", rules -> rules.retain(1000, Duration.ofHours(1)));
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void whoHasWhatTheLogLostIsTold() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 3);

        store.loseNewest(LOG, 1);
        node.publish(LOG, "3'");
        Cursor third = store.head(LOG);
        node.publish(LOG, "4'");

        assertThat(story(client)).containsExactly("1", "2", "3", "DIVERGED", "4'");
        assertThat(client.events()).contains(new ResetTold(LOG, new Resume.Reset(ResetReason.DIVERGED, third)));
    }

    @Test
    void aSilentLossIsFoundByTheTailProbe() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 3);

        store.loseNewest(LOG, 2);
        node.pass(Duration.ofSeconds(90));

        assertThat(story(client)).containsExactly("1", "2", "3", "DIVERGED");
    }

    @Test
    void aNewEpochIsToldOnce() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 3);

        store.beginAnew(LOG);
        node.publishMany(LOG, 4, 6);

        assertThat(story(client)).containsExactly("1", "2", "3", "EPOCH", "5", "6");
    }

    @Test
    void aSlowClientWhosePrefixIsIntactIsNotTold() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        RecordingOutlet fast = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(2);
        node.publishMany(LOG, 1, 5);

        store.loseNewest(LOG, 2);
        node.publishMany(LOG, 6, 8);
        slow.drain();
        node.settle();

        assertThat(story(fast)).containsExactly("1", "2", "3", "4", "5", "DIVERGED", "7", "8");
        assertThat(story(slow)).containsExactly("1", "2", "3", "6", "7", "8");
    }

    @Test
    void aSlowClientWhosePrefixIsLostIsTold() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(4);
        node.publishMany(LOG, 1, 5);

        store.loseNewest(LOG, 2);
        node.publishMany(LOG, 6, 8);
        slow.drain();
        node.settle();
        node.publish(LOG, "9");

        assertThat(story(slow)).startsWith("1", "2", "3", "4", "DIVERGED").endsWith("9");
    }

    @Test
    void aReplicaWithAShorterLogIsNotWaitedFor() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 5);

        store.loseNewest(LOG, 4);
        node.publish(LOG, "2'");

        assertThat(story(client)).containsExactly("1", "2", "3", "4", "5", "DIVERGED");
        node.publish(LOG, "3'");
        assertThat(story(client)).endsWith("DIVERGED", "3'");
    }

    @Test
    void aLossThatIsSeenWhileAnOlderAnnouncementArrivesIsToldAtOnce() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 2);
        store.holdsHints = true;
        node.publish(LOG, "3");
        store.loseNewest(LOG, 2);
        Cursor left = store.head(LOG);
        store.holdsReads = true;
        store.looksWhenAsked = true;
        store.interrupt();

        store.watching.get(0).deliver();
        store.holdsReads = false;
        store.answerAll();
        node.settle();

        assertThat(story(client)).containsExactly("1", "2", "3", "DIVERGED");
        assertThat(client.events()).contains(new ResetTold(LOG, new Resume.Reset(ResetReason.DIVERGED, left)));
    }

    @Test
    void whoSubscribesWhileTheNodeDoesNotKnowYetIsToldWithTheOthers() {
        RecordingOutlet old = node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 3);
        store.loseNewest(LOG, 2);
        store.holdsHints = true;
        node.publishMany(LOG, 4, 5);
        Cursor prefix = new Cursor(store.head(LOG).epoch(), 0, Cursor.NO_TAG);

        RecordingOutlet fresh = node.connect().subscribe(LOG, StartAt.after(prefix));
        node.settle();
        store.answerAll();
        node.settle();

        assertThat(fresh.texts(LOG)).containsExactly("1", "2", "3");
        assertThat(story(fresh)).containsExactly("DIVERGED");
        assertThat(story(old)).containsExactly("1", "2", "3", "DIVERGED");
    }

    @Test
    void whoComesBackWhileNothingIsAnnouncedIsJudgedByTheLog() {
        node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 2);
        Cursor second = store.head(LOG);
        node.publish(LOG, "3");
        Cursor third = store.head(LOG);
        store.holdsHints = true;
        store.isBusDown = true;
        store.loseNewest(LOG, 1);
        node.publishMany(LOG, 4, 5);

        RecordingOutlet returning = node.connect().subscribe(LOG, StartAt.after(third));
        RecordingOutlet intact = node.connect().subscribe(LOG, StartAt.after(second));
        node.settle();

        assertThat(resumed(returning)).isInstanceOf(Resume.Reset.class);
        assertThat(resumed(intact)).isInstanceOf(Resume.Continued.class);
        assertThat(intact.texts(LOG)).containsExactly("4", "5");
    }

    @Test
    void whoComesBackWhileTheLogIsLookedAtWaitsForOneLookAndNotForAllWhoComeLater() {
        node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 3);
        store.isBusDown = true;
        store.holdsReads = true;

        List<RecordingOutlet> returning = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            returning.add(node.connect().subscribe(LOG, StartAt.after(store.head(LOG))));
            node.settle();
            if (i > 0) { // one more came while the log was read for those before
                store.reads.remove(0).answer();
                node.settle();
            }
        }

        assertThat(returning.subList(0, 3))
                .allSatisfy(client -> assertThat(client.events()).isNotEmpty());
        assertThat(returning.get(3).events()).isEmpty();
    }

    @Test
    void whoComesBackWhileNeitherBusNorLogAnswerIsJudgedAsSoonAsTheLogDoes() {
        node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 3);
        store.isBusDown = true;
        store.failsReads = true;

        RecordingOutlet returning = node.connect().subscribe(LOG, StartAt.after(store.head(LOG)));
        node.settle();
        assertThat(returning.events()).isEmpty();
        store.failsReads = false;
        node.pass(Duration.ofSeconds(2));

        assertThat(resumed(returning)).isInstanceOf(Resume.Continued.class);
    }

    @Test
    void whoComesBackWhileTheLogDoesNotAnswerAtAllIsToComeAgain() {
        node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 3);
        store.isBusDown = true;
        store.failsReads = true;

        RecordingOutlet returning = node.connect().subscribe(LOG, StartAt.after(store.head(LOG)));
        node.pass(Duration.ofSeconds(10));

        assertThat(returning.events()).contains(new Answered(LOG, new SubscribeResult.Refused(Refusal.UNAVAILABLE)));
    }

    @Test
    void whoComesBackWhileALogThatKeepsWhatItAcceptedDoesNotAnswerGoesOnWithWhatTheNodeHas() {
        store.isDurable = true;
        node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 1);
        Cursor first = store.head(LOG);
        node.publishMany(LOG, 2, 3);
        store.isBusDown = true;
        store.failsReads = true;

        RecordingOutlet returning = node.connect().subscribe(LOG, StartAt.after(first));
        node.settle();

        assertThat(resumed(returning)).isInstanceOf(Resume.Continued.class);
        assertThat(answered(returning).missed())
                .extracting(publication -> publication.data().text())
                .containsExactly("2", "3");
    }

    @Test
    void whoComesBackAfterTheBusDidAndBeforeItsChannelWasComparedIsJudgedByTheLog() {
        node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 3);
        Cursor third = store.head(LOG);
        store.beginAnew(LOG);
        store.failsReads = true;
        store.interrupt(); // the bus is back, the log is not
        node.settle();
        store.failsReads = false;

        RecordingOutlet returning = node.connect().subscribe(LOG, StartAt.after(third));
        node.pass(Duration.ofSeconds(2));

        assertThat(resumed(returning)).isInstanceOf(Resume.Reset.class);
    }

    @Test
    void whoComesBackWhileItsChannelWaitsForItsComparisonIsJudgedByTheLog() {
        node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 3);
        Cursor third = store.head(LOG);
        store.loseNewest(LOG, 1);
        store.holdsReads = true;
        store.interrupt();

        RecordingOutlet returning = node.connect().subscribe(LOG, StartAt.after(third));
        node.settle();
        assertThat(returning.events()).isEmpty();
        store.holdsReads = false;
        store.answerAll();
        node.settle();

        assertThat(resumed(returning)).isInstanceOf(Resume.Reset.class);
    }

    @Test
    void whoComesBackBeforeItsLoopWasToldOfAResetIsJudgedByTheLog() {
        node.publishMany(LOG, 1, 3);
        Cursor third = store.head(LOG);
        store.holdsReads = true;
        store.looksWhenAsked = true;
        RecordingOutlet returning = node.connect().subscribe(LOG, StartAt.after(third));
        node.settle();

        store.interrupt();
        store.beginAnew(LOG);
        store.holdsReads = false;
        store.reads.remove(0).answer(); // the channel is open, and broken at once
        node.settle();

        assertThat(resumed(returning)).isInstanceOf(Resume.Reset.class);
    }

    @Test
    void whoComesBackToAChannelThatIsHeardIsNotHeldUpByOthersThatAreNot() {
        node.subscribed(LOG, StartAt.live());
        node.subscribed(OTHER, StartAt.live());
        node.publishMany(LOG, 1, 3);
        store.deaf.add(ChannelId.of(OTHER));
        store.readsAsked.clear();

        RecordingOutlet returning = node.connect().subscribe(LOG, StartAt.after(store.head(LOG)));
        node.settle();

        assertThat(resumed(returning)).isInstanceOf(Resume.Continued.class);
        assertThat(store.readsAsked).isEmpty();
    }

    private static Resume resumed(RecordingOutlet client) {
        return answered(client).resume();
    }

    private static SubscribeResult.Subscribed answered(RecordingOutlet client) {
        return client.events().stream()
                .filter(Answered.class::isInstance)
                .map(event -> (SubscribeResult.Subscribed) ((Answered) event).result())
                .findFirst()
                .orElseThrow();
    }

    private static List<String> story(RecordingOutlet client) {
        List<String> story = new ArrayList<>();
        for (Event event : client.events()) {
            if (event instanceof Written written) {
                story.add(written.publication().data().text());
            } else if (event instanceof ResetTold told) {
                story.add(told.reset().reason().name());
            }
        }
        return story;
    }
}
