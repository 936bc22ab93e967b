package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.DeliveryClass;
import dev.fanfare.DropReason;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.spi.Connection.SubscribeResult.Subscribed;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import dev.fanfare.testkit.RecordingOutlet.Event;
import dev.fanfare.testkit.RecordingOutlet.Skipped;
import dev.fanfare.testkit.RecordingOutlet.Written;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is left out for subscribers that lag, by delivery class. */
class DeliveryClassTest {

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final Map<DropReason, Long> drops = new HashMap<>();
    private final ManualNode node = ManualNode.open(store, time, this::settings);

    private FanfareBuilder settings(FanfareBuilder builder) {
        return builder.listener(new FanfareListener() {
                    @Override
                    public void onDrop(ChannelId channel, DropReason reason, long count) {
                        drops.merge(reason, count, Long::sum);
                    }
                })
                .namespace(
                        "typing",
                        rules -> rules.retain(100_000, Duration.ofHours(1)).delivery(DeliveryClass.ephemeral()))
                .namespace(
                        "state",
                        rules -> rules.retain(100_000, Duration.ofHours(1)).delivery(DeliveryClass.state()))
                .namespace(
                        "sampled",
                        rules -> rules.retain(100_000, Duration.ofHours(1)).delivery(DeliveryClass.sampled(2)))
                .namespace("plain", rules -> rules)
                .namespace("gauge", rules -> rules.delivery(DeliveryClass.sampled(2)))
                .namespace(
                        "room", rules -> rules.retain(100, Duration.ofHours(1)).presence());
    }

    @AfterEach
    void close() {
        node.close();
        assertThat(node.format.unreleased()).as("frames not released").isZero();
    }

    // ---- joins and leaves

    @Test
    void joinsThatFindNoRoomAreCountedAndTold() {
        RecordingOutlet slow = node.subscribed("room:a", StartAt.live());
        slow.takeOnly(0);
        node.connect("ann").subscribe("room:a", StartAt.live());
        node.connect("bob").subscribe("room:a", StartAt.live());
        node.settle();

        slow.drain();
        node.settle();
        node.publish("room:a", "1");
        node.settle();

        assertThat(story(slow)).containsExactly("skipped presence 2", "1");
        assertThat(drops).containsExactly(Map.entry(DropReason.PRESENCE, 2L));
    }

    @Test
    void joinsThatFoundNoRoomAreToldAlsoIfPublicationsAreReset() {
        RecordingOutlet slow = node.subscribed("room:a", StartAt.live());
        slow.takeOnly(0);
        node.connect("ann").subscribe("room:a", StartAt.live());
        node.settle();

        store.beginAnew("room:a");
        node.publish("room:a", "1");
        slow.drain();
        node.settle();

        assertThat(story(slow)).containsExactly("reset EPOCH", "skipped presence 1");
    }

    // ---- EPHEMERAL

    @Test
    void ephemeralDropsTheOldestThatDoesNotFitAndSaysHowMany() {
        RecordingOutlet slow = node.subscribed("typing:a", StartAt.live());
        slow.takeOnly(1);
        node.publishMany("typing:a", 1, 70);

        slow.drain();
        node.settle();
        node.publish("typing:a", "71");

        assertThat(story(slow))
                .startsWith("1", "skipped 5", "7", "8")
                .endsWith("70", "71")
                .hasSize(67);
        assertThat(drops).containsExactly(Map.entry(DropReason.EPHEMERAL, 5L));
    }

    @Test
    void ephemeralDropsNothingWhileThereIsRoomToWait() {
        RecordingOutlet slow = node.subscribed("typing:a", StartAt.live());
        slow.takeOnly(0);
        node.publishMany("typing:a", 1, 64);

        slow.drain();
        node.settle();

        assertThat(story(slow)).hasSize(64).startsWith("1", "2").endsWith("64");
        assertThat(drops).isEmpty();
    }

    @Test
    void ephemeralCountsBytesToo() {
        RecordingOutlet slow = node.subscribed("typing:a", StartAt.live());
        slow.takeOnly(0);
        for (int i = 1; i <= 5; i++) {
            node.publish("typing:a", Integer.toString(i).repeat(20_000));
        }
        node.publish("typing:a", "6");

        slow.drain();
        node.settle();

        assertThat(story(slow).stream().map(text -> text.substring(0, Math.min(9, text.length()))))
                .containsExactly("skipped 2", "333333333", "444444444", "555555555", "6");
    }

    @Test
    void ephemeralKeepsTheNewestHoweverLargeItIs() {
        RecordingOutlet slow = node.subscribed("typing:a", StartAt.live());
        slow.takeOnly(0);
        node.publish("typing:a", "1");
        String large = "2".repeat(65_536);
        node.publish("typing:a", large);

        slow.drain();
        node.settle();

        assertThat(story(slow)).containsExactly("skipped 1", large);
    }

    @Test
    void ephemeralTellsOfEveryHoleWhereItIs() {
        RecordingOutlet slow = node.subscribed("typing:a", StartAt.live());
        slow.takeOnly(0);
        node.publishMany("typing:a", 1, 65);
        slow.drain(3);
        node.settle();
        node.publishMany("typing:a", 66, 69);

        slow.drain();
        node.settle();

        assertThat(story(slow))
                .startsWith("skipped 1", "2", "3", "skipped 2", "6", "7")
                .endsWith("69");
        assertThat(offsets(slow)).isSorted().doesNotHaveDuplicates();
        assertThat(slow.violations()).isEmpty();
    }

    @Test
    void whatIsNotRetainedWaitsInTheSameWay() {
        RecordingOutlet slow = node.subscribed("plain:a", StartAt.live());
        slow.takeOnly(0);
        node.publishMany("plain:a", 1, 66);

        slow.drain();
        node.settle();

        assertThat(story(slow)).startsWith("skipped 2", "3").endsWith("66").hasSize(65);
        assertThat(drops).containsExactly(Map.entry(DropReason.NOT_RETAINED, 2L));
    }

    @Test
    void ephemeralReadsNothingFromTheLog() {
        RecordingOutlet slow = node.subscribed("typing:a", StartAt.live());
        store.readsAsked.clear();
        slow.takeOnly(1);
        node.publishMany("typing:a", 1, 1000);

        slow.drain();
        node.settle();

        assertThat(store.readsAsked).isEmpty();
    }

    @Test
    void ephemeralResumesWhatItMissedWhileAway() {
        RecordingOutlet client = node.subscribed("typing:a", StartAt.live());
        node.publish("typing:a", "1");
        Publication had = ((Written) client.events().get(0)).publication();
        client.unsubscribe("typing:a");
        node.publishMany("typing:a", 2, 3);
        client.takeEvents();

        client.subscribe("typing:a", StartAt.after(had.cursor()));
        node.settle();

        assertThat(client.texts("typing:a")).containsExactly("2", "3");
    }

    @Test
    void ephemeralOnAnOverloadedLoopTellsOfTheHoleAndReadsNothing() {
        RecordingOutlet slow = node.subscribed("typing:a", StartAt.live());
        slow.takeOnly(0);
        node.publishMany("typing:a", 1, 3);
        for (int i = 4; i <= 17_000; i++) {
            assertThat(node.fanfare.publish("typing:a", Integer.toString(i))).isCompleted();
        }

        store.readsAsked.clear();

        slow.drain();
        node.settle();
        List<String> story = story(slow);
        node.publish("typing:a", "last");

        assertThat(story).startsWith("1", "2", "3", "4").last().asString().startsWith("skipped ");
        assertThat(story.size() - 1 + skips(slow))
                .as("what is missing was told")
                .isEqualTo(17_000);
        assertThat(drops).containsExactly(Map.entry(DropReason.EPHEMERAL, skips(slow)));
        assertThat(story(slow)).endsWith("last");
        assertThat(store.readsAsked).isEmpty();
    }

    @Test
    void ephemeralOnAnOverloadedLoopLeavesOutWhatWaitsBeforeTheHole() {
        RecordingOutlet slow = node.subscribed("typing:a", StartAt.live());
        slow.takeOnly(0);
        for (int i = 1; i <= 17_000; i++) {
            assertThat(node.fanfare.publish("typing:a", Integer.toString(i))).isCompleted();
        }
        node.settle();
        node.publish("typing:a", "last");

        slow.drain();
        node.settle();

        assertThat(story(slow)).containsExactly("skipped 17000", "last");
        assertThat(drops).containsExactly(Map.entry(DropReason.EPHEMERAL, 17_000L));
    }

    // ---- STATE

    @Test
    void stateSendsEverythingWhileThereIsRoom() {
        RecordingOutlet client = node.subscribed("state:a", StartAt.live());

        set("state:a", "x", 1);
        set("state:a", "x", 2);

        assertThat(story(client)).containsExactly("x=1", "x=2");
    }

    @Test
    void stateKeepsTheNewestPerKeyInTheOrderOfOffsets() {
        RecordingOutlet slow = node.subscribed("state:a", StartAt.live());
        slow.takeOnly(0);
        set("state:a", "x", 1);
        set("state:a", "y", 1);
        set("state:a", "x", 2);
        set("state:a", "z", 1);
        set("state:a", "y", 2);

        slow.drain();
        node.settle();

        assertThat(story(slow)).containsExactly("skipped 2", "x=2", "z=1", "y=2");
        assertThat(offsets(slow)).isSorted();
        assertThat(drops).containsExactly(Map.entry(DropReason.CONFLATED, 2L));
    }

    @Test
    void stateWithoutAKeyKeepsTheNewest() {
        RecordingOutlet slow = node.subscribed("state:a", StartAt.live());
        slow.takeOnly(0);
        node.publishMany("state:a", 1, 9);

        slow.drain();
        node.settle();

        assertThat(story(slow)).containsExactly("skipped 8", "9");
    }

    @Test
    void stateGoesOnLiveAfterwards() {
        RecordingOutlet slow = node.subscribed("state:a", StartAt.live());
        slow.takeOnly(0);
        set("state:a", "x", 1);
        set("state:a", "x", 2);
        slow.drain();
        node.settle();

        set("state:a", "x", 3);

        assertThat(story(slow)).containsExactly("skipped 1", "x=2", "x=3");
    }

    @Test
    void stateSentInPartIsAValidPositionToResumeFrom() {
        RecordingOutlet slow = node.subscribed("state:a", StartAt.live());
        slow.takeOnly(0);
        set("state:a", "x", 1);
        set("state:a", "y", 1);
        set("state:a", "x", 2);
        set("state:a", "y", 2);
        slow.drain(2);
        node.settle();
        List<Event> sent = slow.takeEvents();
        Publication last = ((Written) sent.get(sent.size() - 1)).publication();
        slow.unsubscribe("state:a");

        RecordingOutlet back = node.connect().subscribe("state:a", StartAt.after(last.cursor()));
        node.settle();

        assertThat(sent).hasSize(2).element(0).isInstanceOf(Skipped.class);
        Subscribed answer = (Subscribed) ((Answered) back.events().get(0)).result();
        assertThat(answer.resume()).isEqualTo(new Resume.Continued(last.cursor()));
        assertThat(back.texts("state:a")).containsExactly("y=2");
    }

    @Test
    void stateHoldsABoundedNumberOfKeysAndTellsOfTheRest() {
        RecordingOutlet slow = node.subscribed("state:a", StartAt.live());
        slow.takeOnly(0);
        for (int i = 1; i <= 1100; i++) {
            set("state:a", "key" + i, 1);
        }

        slow.drain();
        node.settle();

        assertThat(story(slow))
                .startsWith("skipped 76", "key77=1")
                .endsWith("key1100=1")
                .hasSize(1 + 1024);
    }

    @Test
    void stateOnAnOverloadedLoopIsConflatedAndOrdered() {
        RecordingOutlet slow = node.subscribed("state:a", StartAt.live());
        slow.takeOnly(0);
        set("state:a", "first", 1);
        for (int i = 1; i <= 20_000; i++) {
            var unused = node.fanfare.publish(
                    ChannelId.of("state:a"),
                    Payload.of("x=" + i),
                    PublishOptions.none().withKey("x"));
        }

        slow.drain();
        node.settle();
        set("state:a", "x", 20_001);

        assertThat(offsets(slow)).isSorted().doesNotHaveDuplicates();
        assertThat(story(slow)).contains("first=1").endsWith("x=20000", "x=20001");
        assertThat(slow.violations()).isEmpty();
    }

    @Test
    void stateThatLosesItsHistoryForgetsWhatItHeld() {
        RecordingOutlet slow = node.subscribed("state:a", StartAt.live());
        slow.takeOnly(0);
        set("state:a", "x", 1);
        set("state:a", "x", 2);
        store.beginAnew("state:a");
        set("state:a", "y", 1);

        slow.drain();
        node.settle();
        set("state:a", "y", 2);

        assertThat(story(slow)).containsExactly("reset EPOCH", "y=2");
    }

    // ---- SAMPLED

    @Test
    void sampledSendsTheFirstAtOnce() {
        RecordingOutlet client = node.subscribed("sampled:a", StartAt.live());

        set("sampled:a", "x", 1);

        assertThat(story(client)).containsExactly("x=1");
    }

    @Test
    void sampledSendsTheTrailingValueWhenItIsDue() {
        RecordingOutlet client = node.subscribed("sampled:a", StartAt.live());
        set("sampled:a", "x", 1);
        set("sampled:a", "x", 2);
        set("sampled:a", "x", 3);

        node.pass(Duration.ofMillis(499));
        List<String> early = story(client);
        node.pass(Duration.ofMillis(1));

        assertThat(early).containsExactly("x=1");
        assertThat(story(client)).containsExactly("x=1", "skipped 1", "x=3");
    }

    @Test
    void sampledSendsNothingMoreOftenThanItsRate() {
        RecordingOutlet client = node.subscribed("sampled:a", StartAt.live());

        for (int i = 1; i <= 100; i++) {
            set("sampled:a", "x", i);
            node.pass(Duration.ofMillis(50));
        }
        node.pass(Duration.ofSeconds(1));

        assertThat(client.texts("sampled:a")).hasSizeBetween(10, 11).endsWith("x=100");
    }

    @Test
    void sampledCountsPerKey() {
        RecordingOutlet client = node.subscribed("sampled:a", StartAt.live());
        for (int i = 1; i <= 3; i++) {
            set("sampled:a", "x", i);
            set("sampled:a", "y", i);
        }

        node.pass(Duration.ofMillis(500));

        assertThat(client.texts("sampled:a")).containsExactly("x=1", "x=3", "y=3");
    }

    @Test
    void sampledWithoutRoomWaitsForRoom() {
        RecordingOutlet slow = node.subscribed("sampled:a", StartAt.live());
        slow.takeOnly(0);
        set("sampled:a", "x", 1);
        set("sampled:a", "x", 2);
        node.pass(Duration.ofSeconds(5));

        slow.drain();
        node.settle();

        assertThat(story(slow)).containsExactly("skipped 1", "x=2");
        assertThat(slow.violations()).isEmpty();
    }

    @Test
    void sampledWithoutRetentionWorksTheSame() {
        RecordingOutlet client = node.subscribed("gauge:a", StartAt.live());
        set("gauge:a", "x", 1);
        set("gauge:a", "x", 2);
        set("gauge:a", "x", 3);

        node.pass(Duration.ofMillis(500));

        assertThat(story(client)).containsExactly("x=1", "skipped 1", "x=3");
    }

    @Test
    void sampledOnAnOverloadedLoopKeepsToItsRate() {
        RecordingOutlet client = node.subscribed("sampled:a", StartAt.live());
        for (int i = 1; i <= 20_000; i++) {
            var unused = node.fanfare.publish("sampled:a", "x=" + i);
        }

        node.settle();
        List<String> atOnce = client.texts("sampled:a");
        node.pass(Duration.ofSeconds(1));

        assertThat(atOnce).hasSize(1);
        assertThat(client.texts("sampled:a")).hasSize(2).endsWith("x=20000");
    }

    @Test
    void sampledThatEndsSendsNothingMore() {
        RecordingOutlet client = node.subscribed("sampled:a", StartAt.live());
        set("sampled:a", "x", 1);
        set("sampled:a", "x", 2);

        client.unsubscribe("sampled:a");
        node.pass(Duration.ofSeconds(1));

        assertThat(story(client)).containsExactly("x=1");
    }

    // ---- conflation under any writability

    @Test
    void whateverHappensTheNewestOfEveryKeyArrives() {
        Schedules.sample(1, 500, chance -> {
            RecordingOutlet client = node.subscribed("state:r", StartAt.live());
            long before = store.head("state:r").offset();
            Map<String, String> newest = new HashMap<>();
            for (int step = 0; step < 40; step++) {
                switch (chance.choose(3)) {
                    case 0 -> {
                        String key = "k" + chance.choose(4);
                        newest.put(key, key + "=" + step);
                        assertThat(node.fanfare.publish(
                                        ChannelId.of("state:r"),
                                        Payload.of(key + "=" + step),
                                        PublishOptions.none().withKey(key)))
                                .isCompleted();
                    }
                    case 1 -> client.drain(chance.choose(3));
                    default -> node.loop.runOne();
                }
            }
            client.drain();
            node.settle();

            Map<String, String> seen = new HashMap<>();
            client.texts("state:r").forEach(text -> seen.put(text.substring(0, 2), text));
            assertThat(seen).isEqualTo(newest);
            assertThat(offsets(client)).isSorted().doesNotHaveDuplicates();
            assertThat(offsets(client).size() + skips(client))
                    .as("what is missing was told")
                    .isEqualTo(store.head("state:r").offset() - before);
            client.vanish();
        });
    }

    private void set(String channel, String key, int value) {
        node.publish(channel, key + "=" + value, PublishOptions.none().withKey(key));
    }

    private static List<String> story(RecordingOutlet client) {
        List<String> story = new ArrayList<>();
        for (Event event : client.events()) {
            if (event instanceof Written written) {
                story.add(written.publication().data().text());
            } else if (event instanceof Skipped skipped) {
                if (skipped.publications() > 0) {
                    story.add("skipped " + skipped.publications());
                }
                if (skipped.presence() > 0) {
                    story.add("skipped presence " + skipped.presence());
                }
            } else if (event instanceof RecordingOutlet.ResetTold told) {
                story.add("reset " + told.reset().reason());
            }
        }
        return story;
    }

    private static List<Long> offsets(RecordingOutlet client) {
        return client.events().stream()
                .filter(Written.class::isInstance)
                .map(event -> ((Written) event).publication().offset())
                .toList();
    }

    private static long skips(RecordingOutlet client) {
        return client.events().stream()
                .filter(Skipped.class::isInstance)
                .mapToLong(event -> ((Skipped) event).publications())
                .sum();
    }
}
