package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DropReason;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.FanfareListener;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.engine.Schedules.Chooser;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Announcement;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Event;
import dev.fanfare.testkit.RecordingOutlet.Presence;
import dev.fanfare.testkit.RecordingOutlet.ResetTold;
import dev.fanfare.testkit.RecordingOutlet.Skipped;
import dev.fanfare.testkit.RecordingOutlet.Written;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Connections that take less than there is. */
class SlowOutletTest {

    private static final String LOG = "log:a";
    private static final String SHORT = "short:a";
    private static final String UNLOGGED = "a";
    private static final Member CARL = new Member("carl", "c", null);

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final List<String> catchUps = new ArrayList<>();
    private final List<String> drops = new ArrayList<>();
    private final ManualNode node = ManualNode.open(store, time, this::settings);

    private FanfareBuilder settings(FanfareBuilder builder) {
        FanfareListener listener = new FanfareListener() {
            @Override
            public void onCatchUp(ChannelId channel) {
                catchUps.add(channel.value());
            }

            @Override
            public void onDrop(ChannelId channel, DropReason reason, long count) {
                drops.add(channel + " " + reason + " " + count);
            }
        };
        return builder.listener(listener)
                .namespace("log", rules -> rules.retain(100_000, Duration.ofHours(1)))
                .namespace("short", rules -> rules.retain(600, Duration.ofHours(1)))
                .namespace("room", rules -> rules.presence())
                .namespace("", rules -> rules);
    }

    @AfterEach
    void close() {
        node.close();
        assertThat(node.format.unreleased()).as("frames not released").isZero();
        assertThat(node.format.misused()).as("frames misused").isZero();
    }

    @Test
    void itDelaysNobodyElse() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        RecordingOutlet fast = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(0);

        node.publishMany(LOG, 1, 100);

        assertThat(fast.texts(LOG)).hasSize(100);
        assertThat(slow.events()).isEmpty();
    }

    @Test
    void whoIsFullOnlyBecauseNothingWasFlushedYetIsNotSlow() {
        RecordingOutlet reader = node.subscribed(LOG, StartAt.live());
        RecordingOutlet watcher = node.subscribed(UNLOGGED, StartAt.live());
        for (RecordingOutlet outlet : List.of(reader, watcher)) {
            outlet.takeOnly(10);
            outlet.onFlush(() -> outlet.drain(10));
        }

        node.publishAtOnce(LOG, 1, 95);
        node.publishAtOnce(UNLOGGED, 1, 95);

        assertThat(reader.texts(LOG)).isEqualTo(numbers(1, 95));
        assertThat(catchUps).isEmpty();
        assertThat(watcher.texts(UNLOGGED)).isEqualTo(numbers(1, 95));
        assertThat(watcher.events()).noneMatch(Skipped.class::isInstance);
    }

    @Test
    void manyThatFillUpAndDrainWithinOneTurnDoNotNest() {
        List<RecordingOutlet> outlets = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            RecordingOutlet outlet = node.subscribed(LOG, StartAt.live());
            outlet.takeOnly(1);
            outlet.onFlush(() -> outlet.drain(1));
            outlets.add(outlet);
        }

        node.publishAtOnce(LOG, 1, 7);

        assertThat(outlets).allSatisfy(outlet -> assertThat(outlet.texts(LOG)).isEqualTo(numbers(1, 7)));
    }

    @Test
    void itHoldsNoFrames() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(0);

        node.publishMany(LOG, 1, 100);

        assertThat(node.format.unreleased()).isZero();
    }

    @Test
    void itCatchesUpFromTheRingWithoutAskingTheStore() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(0);
        node.publishMany(LOG, 1, 500);
        store.readsAsked.clear();

        slow.drain();
        node.settle();

        assertThat(slow.texts(LOG)).isEqualTo(numbers(1, 500));
        assertThat(store.readsAsked).isEmpty();
    }

    @Test
    void itCatchesUpFromTheLogInPagesAndThenFromTheRing() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(0);
        node.publishMany(LOG, 1, 3000);
        store.readsAsked.clear();

        slow.drain();
        node.settle();

        assertThat(slow.texts(LOG)).isEqualTo(numbers(1, 3000));
        assertThat(store.readsAsked)
                .hasSizeBetween(20, 40)
                .allSatisfy(read -> assertThat(read.limit()).isLessThanOrEqualTo(1000));
    }

    @Test
    void itTakesNoMoreThanItHasRoomFor() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(0);
        node.publishMany(LOG, 1, 3000);

        slow.drain(7);
        node.settle();

        assertThat(slow.texts(LOG)).isEqualTo(numbers(1, 7));
        assertThat(slow.violations()).isEmpty();
    }

    @Test
    void aTrickleBringsEverythingInTheEnd() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(0);
        node.publishMany(LOG, 1, 1500);

        while (slow.events().size() < 1500) {
            slow.drain(3);
            node.settle();
        }

        assertThat(slow.texts(LOG)).isEqualTo(numbers(1, 1500));
    }

    @Test
    void onceItHasCaughtUpItIsPushedToAgain() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(1);
        node.publishMany(LOG, 1, 10);
        slow.drain();
        node.settle();
        int encodedBefore = node.format.encoded();
        RecordingOutlet other = node.subscribed(LOG, StartAt.live());

        node.publish(LOG, "11");

        assertThat(slow.texts(LOG)).isEqualTo(numbers(1, 11));
        assertThat(other.texts(LOG)).containsExactly("11");
        assertThat(node.format.encoded() - encodedBefore).as("shared again").isEqualTo(1);
    }

    @Test
    void whatIsPublishedWhileItReadsComesInOrder() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(0);
        node.publishMany(LOG, 1, 1000);
        store.holdsReads = true;
        slow.drain();
        node.settle();

        node.publishMany(LOG, 1001, 1010);
        store.holdsReads = false;
        store.answerAll();
        node.settle();

        assertThat(slow.texts(LOG)).isEqualTo(numbers(1, 1010));
    }

    @Test
    void beyondWhatIsRetainedItIsToldSoAndGoesOn() {
        RecordingOutlet slow = node.subscribed(SHORT, StartAt.live());
        slow.takeOnly(1);
        node.publishMany(SHORT, 1, 2000);
        Cursor top = store.head(SHORT);

        slow.drain();
        node.settle();
        node.publish(SHORT, "2001");

        List<Event> events = slow.events();
        assertThat(events).hasSize(3);
        assertThat(events.get(1)).isEqualTo(new ResetTold(SHORT, new Resume.Reset(ResetReason.TRIMMED, top)));
        assertThat(((Written) events.get(2)).publication().follows(top)).isTrue();
    }

    @Test
    void aClientThatSubscribesAnewAfterAResetIsEnded() {
        RecordingOutlet slow = node.subscribed(SHORT, StartAt.live());
        slow.endOnReset();
        slow.takeOnly(1);
        node.publishMany(SHORT, 1, 2000);

        slow.drain();
        node.settle();
        node.publish(SHORT, "2001");

        assertThat(slow.events()).hasSize(2).element(1).isInstanceOf(ResetTold.class);
        assertThat(slow.unsubscribe(SHORT)).isFalse();
    }

    @Test
    void aLogThatCannotBeReadIsTriedAgain() {
        RecordingOutlet slow = node.subscribed(LOG, StartAt.live());
        slow.takeOnly(0);
        node.publishMany(LOG, 1, 1000);
        store.failsReads = true;
        slow.drain();
        node.settle();

        node.pass(Duration.ofSeconds(5));
        store.failsReads = false;
        node.pass(Duration.ofSeconds(2));

        assertThat(slow.texts(LOG)).isEqualTo(numbers(1, 1000));
    }

    @Test
    void aChannelThatRetainsNothingSkipsAndSaysHowMany() {
        RecordingOutlet slow = node.subscribed("plain", StartAt.live());
        slow.takeOnly(1);
        node.publishMany("plain", 1, 69);

        slow.drain();
        node.settle();
        node.publish("plain", "70");

        assertThat(slow.texts("plain"))
                .startsWith("1", "6", "7")
                .endsWith("69", "70")
                .hasSize(66);
        assertThat(slow.events()).element(1).isEqualTo(new Skipped("plain", 4, 0));
    }

    @Test
    void whatWasSkippedIsToldBeforeTheNext() {
        RecordingOutlet slow = node.subscribed("plain", StartAt.live());
        slow.takeOnly(0);
        node.publishMany("plain", 1, 69);

        slow.drain(2);
        node.settle();
        node.publishMany("plain", 70, 72);
        slow.drain();
        node.publish("plain", "73");

        assertThat(slow.texts("plain"))
                .startsWith("6", "9", "10")
                .endsWith("72", "73")
                .hasSize(66);
        assertThat(slow.events().get(0)).isEqualTo(new Skipped("plain", 5, 0));
        assertThat(slow.events().get(2)).isEqualTo(new Skipped("plain", 2, 0));
    }

    @Test
    void aLoopThatStandsStillCatchesUpComplete() {
        ManualLoop still = node.newLoop();
        RecordingOutlet behind = node.connect("", still, node.format).subscribe(LOG, StartAt.live());
        RecordingOutlet other = node.subscribed(LOG, StartAt.live());

        for (int i = 1; i <= 20_000; i++) {
            assertThat(node.fanfare.publish(LOG, Integer.toString(i))).isCompleted();
            node.loop.runAll();
        }
        assertThat(other.texts(LOG)).hasSize(20_000);
        still.runAll();
        node.settle();

        assertThat(behind.texts(LOG)).isEqualTo(numbers(1, 20_000));
    }

    @Test
    void aLoopThatStandsStillHoldsABoundedNumberOfBytes() {
        RecordingOutlet behind = node.subscribed(LOG, StartAt.live());
        String large = "x".repeat(60_000);

        for (int i = 1; i <= 2000; i++) {
            assertThat(node.fanfare.publish(LOG, large)).isCompleted();
        }
        node.settle();

        assertThat(catchUps).as("it was not all kept for it").containsExactly(LOG);
        assertThat(behind.texts(LOG)).hasSize(2000);
    }

    @Test
    void aLoopThatStandsStillWithoutRetentionSaysHowManyWereMissed() {
        RecordingOutlet behind = node.subscribed("plain", StartAt.live());

        for (int i = 1; i <= 20_000; i++) {
            assertThat(node.fanfare.publish("plain", Integer.toString(i))).isCompleted();
        }
        node.settle();
        node.publish("plain", "last");

        long skipped = behind.events().stream()
                .filter(Skipped.class::isInstance)
                .mapToLong(event -> ((Skipped) event).publications())
                .sum();
        assertThat(behind.texts("plain").size() + skipped).isEqualTo(20_001);
        assertThat(behind.texts("plain")).endsWith("last");
        assertThat(skipped).isPositive();
    }

    @Test
    void aLoopThatStandsStillSaysHowManyJoinsAndLeavesWereMissed() {
        ManualLoop still = node.newLoop();
        RecordingOutlet ann = subscribed("ann", still, "room:a");
        RecordingOutlet bob = subscribed("bob", still, "room:a");
        RecordingOutlet eve = subscribed("eve", node.loop, "room:a");
        subscribed("", still, UNLOGGED);
        List.of(ann, bob, eve).forEach(RecordingOutlet::takeEvents);
        for (int i = 1; i <= 17_000; i++) {
            assertThat(node.fanfare.publish(UNLOGGED, Integer.toString(i))).isCompleted();
        }
        drops.clear();

        announce("room:a", new PresenceEvent(PresenceEvent.Kind.JOIN, CARL));
        announce("room:a", new PresenceEvent(PresenceEvent.Kind.LEAVE, CARL));
        node.settle();
        announce("room:a", new PresenceEvent(PresenceEvent.Kind.JOIN, CARL));
        node.settle();

        assertThat(drops).containsExactly("room:a PRESENCE 2", "room:a PRESENCE 2");
        assertThat(eve.events()).hasSize(3).allMatch(Presence.class::isInstance);
        for (RecordingOutlet each : List.of(ann, bob)) {
            assertThat(each.events())
                    .containsExactly(
                            new Skipped("room:a", 0, 2),
                            new Presence("room:a", new PresenceEvent(PresenceEvent.Kind.JOIN, CARL)));
        }
    }

    private RecordingOutlet subscribed(String user, ManualLoop on, String channel) {
        RecordingOutlet client = node.connect(user, on, node.format).subscribe(channel, StartAt.live());
        node.settle();
        return client;
    }

    private void announce(String channel, PresenceEvent event) {
        store.watching.stream()
                .filter(each -> each.channel.value().equals(channel))
                .forEach(each -> each.watcher.announced(new Announcement.Presence(each.channel, event)));
    }

    @Test
    void whoSubscribesWhileItsLoopStandsStillMissesNothing() {
        ManualLoop still = node.newLoop();
        RecordingOutlet first = node.connect("", still, node.format).subscribe(LOG, StartAt.live());
        node.settle();
        for (int i = 1; i <= 17_000; i++) {
            assertThat(node.fanfare.publish(LOG, Integer.toString(i))).isCompleted();
        }

        RecordingOutlet second = node.connect("", still, node.format).subscribe(LOG, StartAt.live());
        assertThat(node.fanfare.publish(LOG, "17001")).isCompleted();
        node.settle();

        assertThat(first.texts(LOG)).isEqualTo(numbers(1, 17_001));
        assertThat(second.texts(LOG)).endsWith("17001");
    }

    @Test
    void writabilityMayFlapAtAnyPoint() {
        Schedules.sample(1, 300, this::flap);
    }

    /** Publishes to three channels of one connection, which has room and has none as chance wills. */
    private void flap(Chooser chance) {
        List<String> channels = List.of("log:1", "log:2", "log:3");
        List<Integer> published = new ArrayList<>(List.of(0, 0, 0));
        RecordingOutlet client = node.connect();
        channels.forEach(channel -> client.subscribe(channel, StartAt.live()));
        node.settle();
        client.takeEvents();
        Runnable flapping = () -> {
            if (chance.choose(3) == 0) {
                client.drain(chance.choose(4));
            }
        };
        client.onWrite(flapping);
        client.onFlush(flapping);

        for (int step = 0; step < 60; step++) {
            switch (chance.choose(4)) {
                case 0, 1 -> {
                    int i = chance.choose(3);
                    published.set(i, published.get(i) + 1);
                    assertThat(node.fanfare.publish(
                                    channels.get(i), published.get(i).toString()))
                            .isCompleted();
                }
                case 2 -> client.drain(chance.choose(3));
                default -> node.loop.runOne();
            }
        }
        client.onWrite(() -> {});
        client.onFlush(() -> {});
        client.drain();
        node.settle();

        for (int i = 0; i < 3; i++) {
            assertThat(client.texts(channels.get(i))).isEqualTo(numbers(1, published.get(i)));
        }
        assertThat(client.violations()).isEmpty();
        client.vanish();
        node.settle();
    }

    private static List<String> numbers(int from, int to) {
        return IntStream.rangeClosed(from, to).mapToObj(Integer::toString).toList();
    }

    @Test
    void aLargeResumeBeginsWithWhatFitsAndGoesOnAsThereIsRoom() {
        node.publish(LOG, "first");
        Cursor start = store.head(LOG);
        for (int i = 0; i < 30; i++) {
            node.publish(LOG, i + "x".repeat(60_000));
        }
        RecordingOutlet client = node.connect();
        client.takeOnly(0);

        client.subscribe(LOG, StartAt.after(start));
        node.settle();
        int atFirst = client.texts(LOG).size();
        client.drain();
        node.settle();
        node.publish(LOG, "last");

        assertThat(atFirst).isBetween(1, 10);
        assertThat(client.texts(LOG)).hasSize(31).last().isEqualTo("last");
        assertThat(client.violations()).isEmpty();
    }
}
