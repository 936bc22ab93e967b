package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DeliveryClass;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.StartAt;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult.Subscribed;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingFormat;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Who gets the difference to the publication before, and who gets the whole. {@link RecordingOutlet} itself holds
 * it against the core if a difference is to anything but the last publication sent.
 */
class DeltaTest {

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final ManualNode node = ManualNode.open(store, time, DeltaTest::namespaces);
    private final RecordingFormat deltas = new RecordingFormat();
    private final List<RecordingOutlet> clients = new ArrayList<>();

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace(
                        "log",
                        rules -> rules.retain(100_000, Duration.ofHours(1))
                                .deltas()
                                .filters())
                .namespace(
                        "small",
                        rules -> rules.retain(2, Duration.ofHours(1))
                                .recoveryLimit(2)
                                .deltas())
                .namespace("live", rules -> rules.deltas())
                .namespace(
                        "state",
                        rules ->
                                rules.retain(1000, Duration.ofHours(1)).deltas().delivery(DeliveryClass.state()))
                .namespace("typing", rules -> rules.deltas().delivery(DeliveryClass.ephemeral()))
                .namespace("whole", rules -> rules.retain(1000, Duration.ofHours(1)));
    }

    @AfterEach
    void close() {
        node.close();
        assertThat(clients).allSatisfy(client -> assertThat(client.violations()).isEmpty());
        assertThat(deltas.unreleased() + node.format.unreleased())
                .as("frames not released")
                .isZero();
        assertThat(deltas.misused() + node.format.misused())
                .as("frames misused")
                .isZero();
    }

    @Test
    void theFirstIsWholeAndTheOthersAreDifferences() {
        RecordingOutlet client = subscribed("log:a", StartAt.live());

        node.publishMany("log:a", 1, 3);

        assertThat(client.texts("log:a")).containsExactly("1", "2", "3");
        assertThat(client.differences()).containsExactly("2", "3");
    }

    @Test
    void theDifferenceIsMadeOnceForAll() {
        for (int i = 0; i < 10; i++) {
            subscribed("log:a", StartAt.live());
            node.subscribed("log:a", StartAt.live());
        }

        node.publishMany("log:a", 1, 2);

        assertThat(deltas.encoded()).isEqualTo(2);
        assertThat(deltas.differences()).isEqualTo(1);
        assertThat(node.format.encoded()).isEqualTo(2);
    }

    @Test
    void whoComesLaterGetsTheWholeAndTheOthersTheDifference() {
        RecordingOutlet early = subscribed("log:a", StartAt.live());
        node.publish("log:a", "1");
        RecordingOutlet late = subscribed("log:a", StartAt.live());

        node.publishMany("log:a", 2, 3);

        assertThat(early.differences()).containsExactly("2", "3");
        assertThat(late.texts("log:a")).containsExactly("2", "3");
        assertThat(late.differences()).containsExactly("3");
    }

    @Test
    void noDifferencesWhereTheRulesDoNotAllowThem() {
        RecordingOutlet client = subscribed("whole:a", StartAt.live());

        node.publishMany("whole:a", 1, 2);

        assertThat(start(client).hasDeltas()).isFalse();
        assertThat(client.texts("whole:a")).containsExactly("1", "2");
        assertThat(deltas.encoded()).isZero();
    }

    @Test
    void noDifferencesTogetherWithAFilter() {
        RecordingOutlet client = connect();
        client.subscribe("log:a", new SubscribeRequest(StartAt.live(), false, false, "", false, each -> true, deltas));
        node.settle();

        node.publishMany("log:a", 1, 2);

        assertThat(start(client).hasDeltas()).isFalse();
        assertThat(deltas.encoded()).isZero();
    }

    @Test
    void differencesGoOnFromTheLastOfWhatWasMissed() {
        node.publishMany("log:a", 1, 5);
        RecordingOutlet client = subscribed("log:a", StartAt.after(Cursor.ofUnknownEpoch(3)));

        node.publish("log:a", "6");

        assertThat(client.texts("log:a")).containsExactly("4", "5", "6");
        assertThat(client.differences()).containsExactly("6");
    }

    @Test
    void theWholeFollowsAResumeThatBroughtNothing() {
        node.publishMany("log:a", 1, 5);
        RecordingOutlet client = subscribed("log:a", StartAt.after(store.head("log:a")));

        node.publishMany("log:a", 6, 7);

        assertThat(client.differences()).containsExactly("7");
    }

    @Test
    void theWholeFollowsAReset() {
        node.publishMany("small:a", 1, 5);
        RecordingOutlet client = subscribed("small:a", StartAt.after(Cursor.ofUnknownEpoch(1)));

        node.publishMany("small:a", 6, 7);

        assertThat(client.texts("small:a")).containsExactly("6", "7");
        assertThat(client.differences()).containsExactly("7");
    }

    @Test
    void theWholeFollowsABreakOfTheRun() {
        RecordingOutlet client = subscribed("log:a", StartAt.live());
        node.publishMany("log:a", 1, 2);
        store.beginAnew("log:a");

        node.publishMany("log:a", 3, 6);

        assertThat(client.events()).anyMatch(RecordingOutlet.ResetTold.class::isInstance);
        assertThat(client.differences()).containsExactly("2", "5", "6");
    }

    @Test
    void theWholeFollowsABreakOfTheRunAlsoBetweenPublicationsThatAreNotLogged() {
        RecordingOutlet client = subscribed("log:a", StartAt.live());
        announceUnlogged("u1");
        store.beginAnew("log:a");
        store.interrupt();

        announceUnlogged("u2");
        announceUnlogged("u3");
        node.settle();

        assertThat(client.texts("log:a")).containsExactly("u1", "u2", "u3");
        assertThat(client.events()).anyMatch(RecordingOutlet.ResetTold.class::isInstance);
        assertThat(client.differences()).containsExactly("u3");
    }

    private void announceUnlogged(String text) {
        Publication unlogged = Publication.builder(Payload.of(text)).build();
        store.watching.get(0).watcher.announced(new Announcement.Published(ChannelId.of("log:a"), unlogged));
    }

    @Test
    void whoCatchesUpGetsTheWholeAndThenDifferencesAgain() {
        RecordingOutlet slow = subscribed("log:a", StartAt.live());
        RecordingOutlet fast = subscribed("log:a", StartAt.live());
        slow.takeOnly(2);
        node.publishMany("log:a", 1, 5);
        slow.drain();
        node.settle();

        node.publishMany("log:a", 6, 7);

        assertThat(slow.texts("log:a")).containsExactly("1", "2", "3", "4", "5", "6", "7");
        assertThat(slow.differences()).containsExactly("2", "6", "7");
        assertThat(fast.differences()).containsExactly("2", "3", "4", "5", "6", "7");
    }

    @Test
    void afterAnOverloadedLoopTheWholeComesFirst() {
        RecordingOutlet client = subscribed("log:a", StartAt.live());
        for (int i = 1; i <= 17_000; i++) {
            assertThat(node.fanfare.publish("log:a", Integer.toString(i))).isCompleted();
        }
        node.settle();

        node.publish("log:a", "last");

        assertThat(client.texts("log:a")).hasSize(17_001);
        assertThat(client.differences()).hasSizeLessThan(17_000).endsWith("last");
    }

    @Test
    void whereNothingIsRetainedTheSameHolds() {
        RecordingOutlet early = subscribed("live:a", StartAt.live());
        node.publish("live:a", "1");
        RecordingOutlet late = subscribed("live:a", StartAt.live());

        node.publishMany("live:a", 2, 3);

        assertThat(early.differences()).containsExactly("2", "3");
        assertThat(late.differences()).containsExactly("3");
    }

    @Test
    void whatWasConflatedIsFollowedByTheWhole() {
        RecordingOutlet slow = subscribed("state:a", StartAt.live());
        node.publish("state:a", "1");
        slow.takeOnly(0);
        node.publishMany("state:a", 2, 4);
        slow.drain();
        node.settle();

        node.publishMany("state:a", 5, 6);

        assertThat(slow.texts("state:a")).containsExactly("1", "4", "5", "6");
        assertThat(slow.differences()).containsExactly("5", "6");
    }

    @Test
    void aDifferenceOfAnotherKeyIsToTheLastOneSentAllTheSame() {
        RecordingOutlet client = subscribed("state:a", StartAt.live());
        node.publish("state:a", "x1", PublishOptions.none().withKey("x"));

        node.publish("state:a", "y1", PublishOptions.none().withKey("y"));

        assertThat(client.differences()).containsExactly("y1");
    }

    @Test
    void aFormatThatCannotCarryItIsDisconnectedAlone() {
        RecordingOutlet client = subscribed("log:a", StartAt.live());
        RecordingOutlet plain = node.subscribed("log:a", StartAt.live());
        node.publish("log:a", "1");
        deltas.refuse(publication -> publication.offset() == 2);

        node.publish("log:a", "2");

        assertThat(client.events()).last().isInstanceOf(RecordingOutlet.Disconnected.class);
        assertThat(plain.texts("log:a")).containsExactly("1", "2");
    }

    @Test
    void twoLoopsShareWhatOneOfThemMade() {
        ManualLoop second = node.newLoop();
        RecordingOutlet here = subscribed("log:a", StartAt.live());
        RecordingOutlet there = node.connect("", second, node.format);
        clients.add(there);
        there.subscribe("log:a", new SubscribeRequest(StartAt.live(), false, false, "", false, null, deltas));
        node.settle();

        node.publishMany("log:a", 1, 2);

        assertThat(here.differences()).containsExactly("2");
        assertThat(there.differences()).containsExactly("2");
        assertThat(deltas.encoded()).isEqualTo(2);
    }

    @Test
    void whateverHappensADifferenceIsToWhatWasSentLast() {
        Schedules.sample(7, 500, chance -> {
            String channel = List.of("log:r", "live:r", "state:r", "typing:r").get(chance.choose(4));
            RecordingOutlet client = subscribed(channel, StartAt.live());
            for (int step = 0; step < 60; step++) {
                switch (chance.choose(6)) {
                    case 0, 1 ->
                        assertThat(node.fanfare.publish(channel, "p" + step)).isCompleted();
                    case 2 -> client.drain(chance.choose(4));
                    case 3 -> {
                        if (channel.equals("log:r") && chance.choose(10) == 0) {
                            store.beginAnew(channel);
                        }
                    }
                    default -> node.loop.runOne();
                }
            }
            client.drain();
            node.settle();

            assertThat(client.violations()).isEmpty();
            client.vanish();
            node.settle();
        });
    }

    private RecordingOutlet connect() {
        RecordingOutlet client = node.connect();
        clients.add(client);
        return client;
    }

    private RecordingOutlet subscribed(String channel, StartAt start) {
        RecordingOutlet client =
                connect().subscribe(channel, new SubscribeRequest(start, false, false, "", false, null, deltas));
        node.settle();
        return client;
    }

    private static Subscribed start(RecordingOutlet client) {
        return (Subscribed) ((Answered) client.events().get(0)).result();
    }
}
