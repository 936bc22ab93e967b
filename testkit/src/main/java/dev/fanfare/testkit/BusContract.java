package dev.fanfare.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
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
