package dev.fanfare.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The contract of {@link Bus}, case by case. That watchers are interrupted after a failure (clause 3) is shown where
 * the fixture can make the bus fail.
 *
 * <p><b>Threading:</b> as JUnit says; one instance per test.
 */
public abstract class BusContract extends StoreContract {

    private final ChannelId channel = channel("bus");

    /** Makes the suite over that fixture. */
    protected BusContract(StoreFixture fixture) {
        super(fixture);
    }

    @Test
    void clause1WhatIsAnnouncedAfterWatchCompletedArrives() {
        RecordingWatcher watcher = RecordingWatcher.watching(bus(), channel);

        announce("a");

        assertThat(watcher.nextPublication().data().text()).isEqualTo("a");
    }

    @Test
    void clause1EveryKindOfAnnouncementArrivesAsItWas() {
        RecordingWatcher watcher = RecordingWatcher.watching(bus(), channel);
        Announcement moved = new Announcement.Moved(channel, new Cursor("e1", 7, -7));
        Member member = new Member("ana", "connection-1", Payload.of("{}"));
        Announcement joined = new Announcement.Presence(channel, new PresenceEvent(PresenceEvent.Kind.JOIN, member));
        Announcement left = new Announcement.Presence(
                channel, new PresenceEvent(PresenceEvent.Kind.LEAVE, new Member("", "connection-2", null)));
        Publication publication = Publication.builder(Payload.of("ü"))
                .position("e1", 8, Long.MIN_VALUE, -7)
                .timeMillis(1_234)
                .build();

        for (Announcement announcement :
                List.of(moved, joined, left, new Announcement.Published(channel, publication))) {
            await(bus().announce(announcement));
        }

        assertThat(watcher.next()).isEqualTo(moved);
        assertThat(watcher.next()).isEqualTo(joined);
        assertThat(watcher.next()).isEqualTo(left);
        Publication heard = watcher.nextPublication();
        assertThat(heard.cursor()).isEqualTo(publication.cursor());
        assertThat(heard.previousTag()).isEqualTo(-7);
        assertThat(heard.data()).isEqualTo(publication.data());
        assertThat(heard.timeMillis()).isEqualTo(1_234);
    }

    @Test
    void clause1WatchersOnAllNodesHear() {
        RecordingWatcher here = RecordingWatcher.watching(bus(), channel);
        RecordingWatcher alsoHere = RecordingWatcher.watching(bus(), channel);
        RecordingWatcher there = RecordingWatcher.watching(otherNode().bus(), channel);

        announce("a");

        for (RecordingWatcher watcher : List.of(here, alsoHere, there)) {
            assertThat(watcher.nextPublication().data().text()).isEqualTo("a");
        }
    }

    @Test
    void clause1OtherChannelsAreNotHeard() {
        RecordingWatcher watcher = RecordingWatcher.watching(bus(), channel);

        await(bus().announce(published(channel("other"), "elsewhere")));
        announce("here");

        assertThat(watcher.nextPublication().data().text()).isEqualTo("here");
    }

    @Test
    void clause1AnnouncingWhereNobodyWatchesIsFine() {
        announce("a");
        RecordingWatcher late = RecordingWatcher.watching(bus(), channel);
        announce("b");

        assertThat(late.nextPublication().data().text()).isEqualTo("b");
    }

    @Test
    void clause1AWatcherMayAnnounceItself() {
        RecordingWatcher watcher = RecordingWatcher.watching(bus(), channel);
        List<CompletionStage<Void>> echoes = new CopyOnWriteArrayList<>();
        Bus.Watcher echoing = new Bus.Watcher() {
            @Override
            public void announced(Announcement announcement) {
                if (announcement instanceof Announcement.Published first
                        && first.publication().data().text().equals("call")) {
                    echoes.add(bus().announce(published(channel, "echo")));
                }
            }

            @Override
            public void interrupted() {}
        };
        await(bus().watch(channel, echoing));

        announce("call");

        assertThat(watcher.nextPublication().data().text()).isEqualTo("call");
        assertThat(watcher.nextPublication().data().text()).isEqualTo("echo");
        echoes.forEach(StoreContract::await);
    }

    @Test
    void clause2AnnouncementsOfOneAnnouncerArriveInOrder() {
        RecordingWatcher watcher = RecordingWatcher.watching(bus(), channel);

        for (int i = 0; i < 1_000; i++) {
            announce("p" + i);
        }

        for (int i = 0; i < 1_000; i++) {
            assertThat(watcher.nextPublication().data().text()).isEqualTo("p" + i);
        }
    }

    @Test
    void clause2AnnouncementsOfManyArriveOneAtATimeAndEachInItsAnnouncersOrder() {
        int announcers = 4;
        int each = 300;
        RecordingWatcher watcher = RecordingWatcher.watching(bus(), channel);

        together(announcers, number -> {
            for (int i = 0; i < each; i++) {
                announce(number + "-" + i);
            }
        });

        int[] next = new int[announcers];
        for (int i = 0; i < announcers * each; i++) {
            String[] parts = watcher.nextPublication().data().text().split("-", 2);
            int announcer = Integer.parseInt(parts[0]);
            assertThat(Integer.parseInt(parts[1])).as("of " + announcer).isEqualTo(next[announcer]++);
        }
        assertThat(Arrays.stream(next).distinct()).containsExactly(each);
        assertThat(watcher.waiting()).isEmpty();
        assertThat(watcher.overlaps()).isZero();
        assertThat(watcher.interruptions()).isZero();
    }

    @Test
    void clause2AllWatchersHearTheSameOrder() {
        RecordingWatcher here = RecordingWatcher.watching(bus(), channel);
        RecordingWatcher there = RecordingWatcher.watching(otherNode().bus(), channel);

        together(3, number -> IntStream.range(0, 100).forEach(i -> announce(number + "-" + i)));

        for (int i = 0; i < 300; i++) {
            assertThat(here.nextPublication().data())
                    .isEqualTo(there.nextPublication().data());
        }
    }

    @Test
    void clause3AfterAFailureEveryWatcherIsInterruptedAndHearsAgain() {
        List<RecordingWatcher> watchers = List.of(
                RecordingWatcher.watching(bus(), channel),
                RecordingWatcher.watching(bus(), channel),
                RecordingWatcher.watching(otherNode().bus(), channel("other")));
        await(bus().announce(published(channel, "before")));
        await(bus().announce(published(channel("other"), "before")));
        assertThat(watchers)
                .allSatisfy(watcher ->
                        assertThat(watcher.nextPublication().data().text()).isEqualTo("before"));

        interruptBus();

        for (RecordingWatcher watcher : watchers) {
            watcher.awaitInterruption();
        }
        announceUntilHeard(channel, watchers.get(0));
        announceUntilHeard(channel, watchers.get(1));
        announceUntilHeard(channel("other"), watchers.get(2));
    }

    /** While the bus recovers, announcements may fail or be lost; and the interruption may come before it has. */
    private void announceUntilHeard(ChannelId where, RecordingWatcher watcher) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (watcher.waiting().isEmpty() && System.nanoTime() < deadline) {
            await(bus().announce(published(where, "again")).handle((done, failure) -> true));
        }
        assertThat(watcher.nextPublication().data().text()).isEqualTo("again");
    }

    @Test
    void clause4AClosedWatchHearsNothingMore() {
        RecordingWatcher closed = RecordingWatcher.watching(bus(), channel);
        RecordingWatcher open = RecordingWatcher.watching(bus(), channel);
        announce("a");
        assertThat(closed.nextPublication().data().text()).isEqualTo("a");
        assertThat(open.nextPublication().data().text()).isEqualTo("a");

        closed.close();
        announce("b");

        assertThat(open.nextPublication().data().text()).isEqualTo("b");
        assertThat(closed.waiting()).isEmpty();
    }

    @Test
    void clause4ClosingTwiceDoesNotHarmALaterWatch() {
        RecordingWatcher first = RecordingWatcher.watching(bus(), channel);
        first.close();
        RecordingWatcher second = RecordingWatcher.watching(bus(), channel);
        first.close();

        announce("a");

        assertThat(second.nextPublication().data().text()).isEqualTo("a");
        assertThat(first.waiting()).isEmpty();
    }

    @Test
    void clause4WatchingComesAndGoesWhileOthersAnnounce() {
        List<RecordingWatcher> steady = new ArrayList<>();
        steady.add(RecordingWatcher.watching(bus(), channel));

        together(3, number -> {
            for (int i = 0; i < 100; i++) {
                if (number == 0) {
                    announce("p" + i);
                } else {
                    RecordingWatcher.watching(bus(), channel).close();
                }
            }
        });

        for (int i = 0; i < 100; i++) {
            assertThat(steady.get(0).nextPublication().data().text()).isEqualTo("p" + i);
        }
    }

    @Test
    void clause5ABusThatCannotWatchByPatternSaysSo() {
        assumeFalse(hasPatterns());

        assertThat(bus().watchMatching(ChannelPattern.of("*"), new RecordingWatcher()))
                .failsWithin(PATIENCE)
                .withThrowableThat()
                .withCauseInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void clause5APatternHearsEveryChannelThatMatchesOnAllNodes() {
        assumeTrue(hasPatterns());
        String common = unique("many");
        RecordingWatcher here = RecordingWatcher.watchingAll(bus(), common + ":*");
        RecordingWatcher there = RecordingWatcher.watchingAll(otherNode().bus(), common + ":*");
        List<ChannelId> channels =
                List.of(ChannelId.of(common + ":a"), ChannelId.of(common + ":"), ChannelId.of(common + ":a:b*?"));

        channels.forEach(each -> await(bus().announce(published(each, each.value()))));
        await(bus().announce(published(ChannelId.of(common), "elsewhere")));
        await(bus().announce(published(ChannelId.of("x" + common + ":a"), "elsewhere")));
        await(bus().announce(published(channels.get(0), "last")));

        for (RecordingWatcher watcher : List.of(here, there)) {
            List<String> heard = new ArrayList<>();
            for (int i = 0; i <= channels.size(); i++) {
                Announcement.Published next = (Announcement.Published) watcher.next();
                heard.add(next.channel() + "=" + next.publication().data().text());
            }
            List<String> expected = new ArrayList<>(
                    channels.stream().map(each -> each + "=" + each).toList());
            expected.add(channels.get(0) + "=last");
            assertThat(heard).containsExactlyInAnyOrderElementsOf(expected);
            assertThat(watcher.waiting()).isEmpty();
        }
    }

    @Test
    void clause5AllButTheStarStandsForItself() {
        assumeTrue(hasPatterns());
        String common = unique("odd");
        for (String odd : List.of("?", "[ab]", "\\?", "%", "%7D", "}", "{", "^", "a%25")) {
            RecordingWatcher watcher = RecordingWatcher.watchingAll(bus(), common + odd + "*z");

            for (String not : List.of("x", "a", "b", "\\", "?b", "%25", "a%", "%7", "%2525", "{}")) {
                if (!not.startsWith(odd)) {
                    await(bus().announce(published(ChannelId.of(common + not + "z"), "elsewhere")));
                }
            }
            await(bus().announce(published(ChannelId.of(common + odd + "z"), "right")));

            assertThat(watcher.nextPublication().data().text()).as(odd).isEqualTo("right");
            watcher.close();
        }
    }

    @Test
    void clause5APatternAndItsChannelAreToldBothAndPatternsEachByItself() {
        assumeTrue(hasPatterns());
        RecordingWatcher exact = RecordingWatcher.watching(bus(), channel);
        RecordingWatcher first = RecordingWatcher.watchingAll(bus(), channel + "*");
        RecordingWatcher second = RecordingWatcher.watchingAll(bus(), channel + "*");
        RecordingWatcher third = RecordingWatcher.watchingAll(bus(), "*" + channel.value());
        RecordingWatcher literal = RecordingWatcher.watchingAll(bus(), channel.value());
        RecordingWatcher alike = RecordingWatcher.watching(bus(), ChannelId.of(channel + "*"));

        announce("a");
        for (RecordingWatcher watcher : List.of(exact, first, second, third, literal)) {
            assertThat(watcher.nextPublication().data().text()).isEqualTo("a");
        }
        first.close();
        first.close();
        announce("b");

        for (RecordingWatcher watcher : List.of(exact, second, third, literal)) {
            assertThat(watcher.nextPublication().data().text()).isEqualTo("b");
            assertThat(watcher.waiting()).isEmpty();
        }
        assertThat(first.waiting()).isEmpty();
        assertThat(alike.waiting()).isEmpty();
    }

    @Test
    void clause5EachChannelIsHeardInItsOrder() {
        assumeTrue(hasPatterns());
        int announcers = 4;
        int each = 200;
        RecordingWatcher watcher = RecordingWatcher.watchingAll(otherNode().bus(), channel + "-*");

        together(announcers, number -> {
            for (int i = 0; i < each; i++) {
                await(bus().announce(published(ChannelId.of(channel + "-" + number), Integer.toString(i))));
            }
        });

        int[] next = new int[announcers];
        for (int i = 0; i < announcers * each; i++) {
            Announcement.Published heard = (Announcement.Published) watcher.next();
            String name = heard.channel().value();
            int number = Integer.parseInt(name.substring(name.lastIndexOf('-') + 1));
            assertThat(heard.publication().data().text()).isEqualTo(Integer.toString(next[number]++));
        }
        assertThat(watcher.interruptions()).isZero();
    }

    @Test
    void clause5WhatTheLogAppendsIsAnnouncedToPatterns() {
        assumeTrue(hasPatterns());
        RecordingWatcher watcher = RecordingWatcher.watchingAll(otherNode().bus(), channel + "*");
        ChannelRules rules =
                ChannelRules.builder().retain(10, Duration.ofMinutes(1)).build();
        AppendRequest request = new AppendRequest(channel, Payload.of("a"), PublishOptions.none(), null, rules, 4711);

        Publication appended =
                ((ChannelLog.AppendResult.Appended) await(store().log().append(request))).publication();
        if (!store().log().announcesOn(bus())) {
            await(bus().announce(new Announcement.Published(channel, appended)));
        }

        Announcement heard = watcher.next();
        Cursor position = heard instanceof Announcement.Moved moved
                ? moved.head()
                : ((Announcement.Published) heard).publication().cursor();
        assertThat(heard.channel()).isEqualTo(channel);
        assertThat(position).isEqualTo(appended.cursor());
    }

    private Bus bus() {
        return store().bus();
    }

    private void announce(String text) {
        await(bus().announce(published(channel, text)));
    }

    private static Announcement published(ChannelId channel, String text) {
        return new Announcement.Published(
                channel, Publication.builder(Payload.of(text)).timeMillis(1).build());
    }
}
