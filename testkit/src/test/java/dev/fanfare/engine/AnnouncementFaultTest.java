package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DropReason;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.ResetTold;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A bus that loses, repeats, reorders and fails, over a log that is intact. */
@ExtendWith(Quiet.class)
class AnnouncementFaultTest {

    private static final String LOG = "log:a";
    private static final Duration PROBED = Duration.ofSeconds(90);

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final CountDownLatch repairing = new CountDownLatch(1);
    private final CountDownLatch mayGoOn = new CountDownLatch(1);
    private final Map<DropReason, Long> drops = new ConcurrentHashMap<>();
    private volatile boolean blocksInRepair;
    private final ManualNode node = ManualNode.open(store, time, this::settings);

    private FanfareBuilder settings(FanfareBuilder builder) {
        FanfareListener listener = new FanfareListener() {
            @Override
            public void onRepair(ChannelId channel, boolean reset) {
                if (blocksInRepair) {
                    blocksInRepair = false;
                    repairing.countDown();
                    awaitQuietly(mayGoOn);
                }
            }

            @Override
            public void onDrop(ChannelId channel, DropReason reason, long count) {
                drops.merge(reason, count, Long::sum);
            }
        };
        return builder.listener(listener)
                .namespace("log", rules -> rules.retain(100_000, Duration.ofHours(1)))
                .namespace("short", rules -> rules.retain(2, Duration.ofHours(1)));
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void aLostAnnouncementIsFoundWithTheNext() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 2);

        lose(1);
        deliverAll();

        assertThat(client.texts(LOG)).containsExactly("1", "2");
    }

    @Test
    void aLostLastAnnouncementIsFoundByTheTailProbe() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publish(LOG, "1");
        lose(1);
        node.settle();
        List<String> before = client.texts(LOG);

        node.pass(PROBED);

        assertThat(before).isEmpty();
        assertThat(client.texts(LOG)).containsExactly("1");
    }

    @Test
    void joinsAndLeavesDoNotPutTheTailProbeOff() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publish(LOG, "1");
        lose(1);
        store.holdsHints = false;

        for (int i = 0; i < 90; i++) {
            announceJoin();
            node.pass(Duration.ofSeconds(1));
        }

        assertThat(client.texts(LOG)).containsExactly("1");
    }

    @Test
    void newsThatComeLateDoNotPutTheTailProbeOff() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 200);
        node.pass(Duration.ofSeconds(10));

        for (int i = 0; i < 80; i++) {
            store.watching.get(0).deliver();
            node.pass(Duration.ofSeconds(1));
        }

        assertThat(client.texts(LOG)).containsExactlyElementsOf(numbers(1, 200));
    }

    @Test
    void aNodeWhoseClockIsAheadDoesNotProbeABusyChannelMoreThanOthersDo() {
        store.clockBehind = Duration.ofMinutes(1);
        node.subscribed(LOG, StartAt.live());
        store.readsAsked.clear();

        for (int i = 0; i < 300; i++) {
            node.publish(LOG, Integer.toString(i));
            node.pass(Duration.ofSeconds(1));
        }

        assertThat(store.readsAsked).isEmpty();
    }

    @Test
    void aQuietChannelIsProbedAgainAndAgain() {
        node.subscribed(LOG, StartAt.live());
        store.readsAsked.clear();

        node.pass(Duration.ofMinutes(5));

        assertThat(store.readsAsked).hasSizeBetween(5, 12);
    }

    @Test
    void aQuietChannelCostsOneReadPerProbe() {
        node.subscribed(LOG, StartAt.live());
        node.publishMany(LOG, 1, 3);
        node.pass(Duration.ofSeconds(6));
        store.readsAsked.clear();

        node.pass(Duration.ofMinutes(5));

        assertThat(store.readsAsked).hasSizeBetween(5, 12);
    }

    @Test
    void whatIsLostOfAChannelThatWasPublishedToBeforeIsFoundByTheTailProbeToo() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        node.publish(LOG, "1");
        store.holdsHints = true;
        node.publish(LOG, "2");
        lose(1);

        node.pass(PROBED);

        assertThat(client.texts(LOG)).containsExactly("1", "2");
    }

    @Test
    void aProbeThatCannotReadTheLogIsMadeAgainSoon() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        node.publish(LOG, "1");
        store.holdsHints = true;
        node.publish(LOG, "2");
        lose(1);
        store.failsReads = true;
        node.pass(PROBED);

        store.failsReads = false;
        node.pass(Duration.ofSeconds(2));

        assertThat(client.texts(LOG)).containsExactly("1", "2");
    }

    @Test
    void aProbeLeavesToWhoResumesWhatTheNodeHasNotReadYet() {
        node.publishMany(LOG, 1, 5);
        Cursor second = new Cursor(store.head(LOG).epoch(), 2, Cursor.NO_TAG);
        node.subscribed(LOG, StartAt.live());
        node.publish(LOG, "6");
        node.pass(PROBED);
        store.readsAsked.clear();

        RecordingOutlet first = node.connect().subscribe(LOG, StartAt.after(second));
        node.settle();
        RecordingOutlet next = node.connect().subscribe(LOG, StartAt.after(second));
        node.settle();

        assertThat(first.texts(LOG)).containsExactly("3", "4", "5", "6");
        assertThat(next.texts(LOG)).containsExactly("3", "4", "5", "6");
        assertThat(store.readsAsked).as("reads for both").hasSize(1);
    }

    @Test
    void aBusyChannelIsNotProbed() {
        node.subscribed(LOG, StartAt.live());
        store.readsAsked.clear();

        for (int i = 1; i <= 300; i++) {
            node.publish(LOG, Integer.toString(i));
            node.pass(Duration.ofSeconds(1));
        }

        assertThat(store.readsAsked).isEmpty();
    }

    @Test
    void anInterruptionMakesTheNodeLookAtOnce() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publish(LOG, "1");
        lose(1);

        store.interrupt();
        node.settle();

        assertThat(client.texts(LOG)).containsExactly("1");
    }

    @Test
    void aRepetitionIsDroppedWithoutAskingTheLog() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 3);
        List<Announcement> hints = store.watching.get(0).hints;
        hints.addAll(List.copyOf(hints));
        store.readsAsked.clear();

        deliverAll();

        assertThat(client.texts(LOG)).containsExactly("1", "2", "3");
        assertThat(store.readsAsked).isEmpty();
    }

    @Test
    void aLateRepetitionIsDropped() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publish(LOG, "1");
        Announcement first = store.watching.get(0).hints.get(0);
        deliverAll();
        store.holdsHints = false;
        node.publishMany(LOG, 2, 1000);

        store.watching.get(0).watcher.announced(first);
        node.settle();

        assertThat(client.texts(LOG)).hasSize(1000);
    }

    @Test
    void announcementsInAnyOrderComeInOrder() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 5);

        for (int index : new int[] {4, 2, 0, 1, 0}) {
            store.watching.get(0).deliver(index);
            node.settle();
        }

        assertThat(client.texts(LOG)).containsExactly("1", "2", "3", "4", "5");
    }

    @Test
    void oneHoleInABusyChannelCostsOneRead() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 2);
        lose(1);
        store.holdsHints = false;
        store.holdsReads = true;
        store.looksWhenAsked = true;
        store.readsAsked.clear();
        store.watching.get(0).deliver();

        node.publishMany(LOG, 3, 100);
        store.reads.remove(0).answer();
        node.publishMany(LOG, 101, 200);

        assertThat(client.texts(LOG)).isEqualTo(numbers(1, 200));
        assertThat(store.readsAsked).hasSize(1);
    }

    @Test
    void aHoleWithTooMuchBehindItIsReadInAnotherGo() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 2);
        lose(1);
        store.holdsHints = false;
        store.holdsReads = true;
        store.looksWhenAsked = true;
        store.readsAsked.clear();
        store.watching.get(0).deliver();

        node.publishMany(LOG, 3, 3000);
        store.holdsReads = false;
        store.answerAll();
        node.settle();

        assertThat(client.texts(LOG)).isEqualTo(numbers(1, 3000));
        assertThat(store.readsAsked).as("it was not all kept").hasSizeGreaterThan(1);
    }

    @Test
    void aHoleWithTooManyBytesBehindItIsReadInAnotherGo() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 2);
        lose(1);
        store.holdsHints = false;
        store.holdsReads = true;
        store.looksWhenAsked = true;
        store.readsAsked.clear();
        store.watching.get(0).deliver();

        for (int i = 3; i <= 60; i++) {
            node.publish(LOG, "x".repeat(60_000));
        }
        store.holdsReads = false;
        store.answerAll();
        node.settle();

        assertThat(client.texts(LOG)).hasSize(60);
        assertThat(store.readsAsked).as("it was not all kept").hasSizeGreaterThan(1);
    }

    @Test
    void aReferenceMakesTheNodeReadTheLog() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publish(LOG, "1");
        lose(1);

        store.watching.get(0).watcher.announced(new Announcement.Moved(ChannelId.of(LOG), store.head(LOG)));
        node.settle();

        assertThat(client.texts(LOG)).containsExactly("1");
    }

    @Test
    void aHoleThatTheLogHasForgottenIsReset() {
        RecordingOutlet client = node.subscribed("short:a", StartAt.live());
        store.holdsHints = true;
        node.publishMany("short:a", 1, 4);
        Cursor top = store.head("short:a");
        lose(3);

        deliverAll();
        store.holdsHints = false;
        node.publish("short:a", "5");

        assertThat(client.events())
                .element(0)
                .isEqualTo(new ResetTold("short:a", new Resume.Reset(ResetReason.TRIMMED, top)));
        assertThat(client.texts("short:a")).containsExactly("5");
    }

    @Test
    void aHoleThatAnnouncementsCloseMeanwhileIsNoneHoweverMuchTheLogHasForgotten() {
        RecordingOutlet client = node.subscribed("short:a", StartAt.live());
        store.holdsHints = true;
        node.publishMany("short:a", 1, 4);
        store.holdsReads = true;
        store.interrupt();

        while (store.watching.get(0).deliver()) {}
        store.holdsReads = false;
        store.answerAll();
        node.settle();

        assertThat(client.events()).noneMatch(ResetTold.class::isInstance);
        assertThat(client.texts("short:a")).containsExactly("1", "2", "3", "4");
    }

    @Test
    void aLogThatCannotBeReadIsAskedOnceASecondHoweverMuchIsAnnounced() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publish(LOG, "1");
        lose(1);
        store.holdsHints = false;
        store.failsReads = true;
        store.readsAsked.clear();
        for (int i = 2; i <= 101; i++) {
            node.publish(LOG, Integer.toString(i));
            node.pass(Duration.ofMillis(100));
        }
        int reads = store.readsAsked.size();

        store.failsReads = false;
        node.pass(Duration.ofSeconds(2));

        assertThat(reads).as("in ten seconds").isLessThan(15);
        assertThat(client.texts(LOG)).isEqualTo(numbers(1, 101));
    }

    @Test
    void tooManyAnnouncementsAtATimeAreReadFromTheLog() throws InterruptedException {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 6000);
        List<Announcement> hints = List.copyOf(store.watching.get(0).hints);
        store.watching.get(0).hints.clear();
        blocksInRepair = true;
        Thread stuck = new Thread(() -> store.watching.get(0).watcher.announced(hints.get(1)));
        stuck.start();
        awaitQuietly(repairing);

        hints.forEach(store.watching.get(0).watcher::announced);
        mayGoOn.countDown();
        stuck.join(TimeUnit.SECONDS.toMillis(10));
        awaitTexts(client, 6000);

        assertThat(client.texts(LOG)).isEqualTo(numbers(1, 6000));
    }

    @Test
    void theLastOfTooManyAnnouncementsAtATimeAreReadFromTheLogToo() throws InterruptedException {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 2);
        Bus.Watcher watcher = store.watching.get(0).watcher;
        blocksInRepair = true;
        Thread stuck = new Thread(() -> deliverTo(watcher, 1));
        stuck.start();
        awaitQuietly(repairing);

        // What it has read is of before these, and nothing comes after them that would not link.
        node.publishMany(LOG, 3, 6000);
        List.copyOf(store.watching.get(0).hints.subList(2, 6000)).forEach(watcher::announced);
        mayGoOn.countDown();
        stuck.join(TimeUnit.SECONDS.toMillis(10));
        awaitTexts(client, 6000);

        assertThat(client.texts(LOG)).isEqualTo(numbers(1, 6000));
    }

    @Test
    void largeAnnouncementsAreDroppedBeforeTheyFillTheHeapAndThatIsTold() throws InterruptedException {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 2);
        Bus.Watcher watcher = store.watching.get(0).watcher;
        blocksInRepair = true;
        Thread stuck = new Thread(() -> deliverTo(watcher, 1));
        stuck.start();
        awaitQuietly(repairing);

        Publication large = Publication.builder(Payload.of("x".repeat(4 << 20))).build();
        for (int i = 0; i < 10; i++) {
            watcher.announced(new Announcement.Published(ChannelId.of(LOG), large));
        }
        mayGoOn.countDown();
        stuck.join(TimeUnit.SECONDS.toMillis(10));
        awaitSkipped(client);

        assertThat(drops).containsExactly(Map.entry(DropReason.NOT_RETAINED, 2L));
        assertThat(client.events()).contains(new RecordingOutlet.Skipped(LOG, 2, 0));
    }

    @Test
    void whatWasDroppedTakesNoRoomAfterwards() throws InterruptedException {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        store.holdsHints = true;
        node.publishMany(LOG, 1, 2);
        Bus.Watcher watcher = store.watching.get(0).watcher;
        blocksInRepair = true;
        Thread stuck = new Thread(() -> deliverTo(watcher, 1));
        stuck.start();
        awaitQuietly(repairing);
        Announcement large = new Announcement.Published(
                ChannelId.of(LOG),
                Publication.builder(Payload.of("x".repeat(4 << 20))).build());
        for (int i = 0; i < 20; i++) {
            watcher.announced(large);
        }
        mayGoOn.countDown();
        stuck.join(TimeUnit.SECONDS.toMillis(10));
        awaitSkipped(client);

        watcher.announced(large);

        assertThat(drops).containsExactly(Map.entry(DropReason.NOT_RETAINED, 12L));
    }

    private void deliverTo(Bus.Watcher watcher, int hint) {
        watcher.announced(store.watching.get(0).hints.get(hint));
    }

    private void awaitSkipped(RecordingOutlet client) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (client.events().stream().noneMatch(RecordingOutlet.Skipped.class::isInstance)
                && System.nanoTime() < deadline) {
            node.settle();
            Thread.onSpinWait();
        }
    }

    /** The stripe may have handed the rest of its work to a thread of its own. */
    private void awaitTexts(RecordingOutlet client, int count) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (client.texts(LOG).size() < count && System.nanoTime() < deadline) {
            node.settle();
            Thread.onSpinWait();
        }
    }

    private void lose(int count) {
        store.watching.get(0).hints.subList(0, count).clear();
    }

    private void deliverAll() {
        store.answerAll();
        node.settle();
    }

    private void announceJoin() {
        PresenceEvent join = new PresenceEvent(PresenceEvent.Kind.JOIN, new Member("ann", "c", null));
        store.watching.get(0).watcher.announced(new Announcement.Presence(ChannelId.of(LOG), join));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static List<String> numbers(int from, int to) {
        return IntStream.rangeClosed(from, to).mapToObj(Integer::toString).toList();
    }
}
