package dev.fanfare.engine;

import static dev.fanfare.presence.PresenceEvent.Kind.JOIN;
import static dev.fanfare.presence.PresenceEvent.Kind.LEAVE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.StartAt;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Presence on two nodes, the first of which has a time of its own, so that it can stand still as a
 * process does that was stopped. The lease is 15 seconds, the grace 10.
 */
class PresenceClusterTest {

    private static final String ROOM = "room:a";

    private final ManualTime time = new ManualTime();
    private final ManualTime timeOfOne = new ManualTime();
    private final MemoryStore store = MemoryStore.create(time);
    private final ManualNode one = ManualNode.open(store, timeOfOne, PresenceClusterTest::namespaces);
    private final ManualNode two = ManualNode.open(store, time, PresenceClusterTest::namespaces);
    private final ManualNode three = ManualNode.open(store, time, PresenceClusterTest::namespaces);
    private final RecordingSubscriber watcher = new RecordingSubscriber();

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace(
                "room", rules -> rules.retain(100, Duration.ofHours(1)).presence());
    }

    @BeforeEach
    void watch() {
        two.subscribe(ROOM, StartAt.live(), watcher);
        two.settle();
        watcher.awaitReady();
    }

    @AfterEach
    void close() {
        one.close();
        two.close();
        three.close();
    }

    @Test
    void aUserOfAnotherNodeJoinsAndLeavesOnce() {
        RecordingOutlet ann = enter(one, "ann");
        pass(Duration.ofSeconds(60));

        ann.vanish();
        pass(Duration.ofSeconds(60));

        watcher.assertPresence(JOIN, "ann");
        watcher.assertPresence(LEAVE, "ann");
        watcher.assertExhausted();
    }

    @Test
    void aUserThatMovesToAnotherNodeIsSilent() {
        RecordingOutlet ann = enter(one, "ann");
        watcher.assertPresence(JOIN, "ann");

        ann.vanish();
        pass(Duration.ofSeconds(5));
        enter(three, "ann");
        pass(Duration.ofSeconds(60));

        watcher.assertExhausted();
        assertThat(snapshot().users()).isEqualTo(1);
    }

    @Test
    void theMembersOfADeadNodeLeaveOnceAfterLeaseAndGrace() {
        enter(one, "ann");
        enter(one, "bob");
        enter(three, "bob");
        watcher.assertPresence(JOIN, "ann");
        watcher.assertPresence(JOIN, "bob");

        passWithoutOne(Duration.ofSeconds(24));
        watcher.assertExhausted();
        passWithoutOne(Duration.ofSeconds(3));

        watcher.assertPresence(LEAVE, "ann");
        passWithoutOne(Duration.ofSeconds(60));
        watcher.assertExhausted();
        assertThat(snapshot().users()).isEqualTo(1);
    }

    @Test
    void theLeaseOfADeadNodeIsAsLongAsTheHostSays() {
        ManualTime itsTime = new ManualTime();
        try (ManualNode brief =
                ManualNode.open(store, itsTime, builder -> namespaces(builder).presenceLease(Duration.ofSeconds(2)))) {
            enter(brief, "ann");
            watcher.assertPresence(JOIN, "ann");

            passWithoutOne(Duration.ofSeconds(11));
            watcher.assertExhausted();
            passWithoutOne(Duration.ofSeconds(3));

            watcher.assertPresence(LEAVE, "ann");
        }
    }

    @Test
    void aNodeThatStoodStillWithinTheGraceMakesNoNoise() {
        enter(one, "ann");
        watcher.assertPresence(JOIN, "ann");

        passWithoutOne(Duration.ofSeconds(20));
        pass(Duration.ofSeconds(60));

        watcher.assertExhausted();
        assertThat(snapshot().users()).isEqualTo(1);
    }

    @Test
    void aNodeThatWasThoughtDeadEntersItsMembersAgain() {
        enter(one, "ann");
        watcher.assertPresence(JOIN, "ann");
        passWithoutOne(Duration.ofSeconds(40));
        watcher.assertPresence(LEAVE, "ann");

        pass(Duration.ofSeconds(10));

        watcher.assertPresence(JOIN, "ann");
        watcher.assertExhausted();
        assertThat(snapshot().users()).isEqualTo(1);
    }

    @Test
    void aNodeThatWasThoughtDeadDoesNotBringBackWhoLeftMeanwhile() {
        RecordingOutlet ann = enter(one, "ann");
        watcher.assertPresence(JOIN, "ann");
        passWithoutOne(Duration.ofSeconds(40));
        watcher.assertPresence(LEAVE, "ann");

        ann.vanish();
        pass(Duration.ofSeconds(60));

        watcher.assertExhausted();
        assertThat(snapshot().users()).isZero();
    }

    @Test
    void membersThatComeBackWithTheirNodeLeaveOnceAfterwards() {
        RecordingOutlet ann = enter(one, "ann");
        watcher.assertPresence(JOIN, "ann");
        passWithoutOne(Duration.ofSeconds(20));
        pass(Duration.ofSeconds(10));

        ann.unsubscribe(ROOM);
        pass(Duration.ofSeconds(60));

        watcher.assertPresence(LEAVE, "ann");
        watcher.assertExhausted();
    }

    @Test
    void theMembersOfANodeThatIsClosedLeaveAfterTheGrace() {
        enter(one, "ann");
        watcher.assertPresence(JOIN, "ann");

        one.close();
        passWithoutOne(Duration.ofSeconds(9));
        watcher.assertExhausted();
        passWithoutOne(Duration.ofSeconds(3));

        watcher.assertPresence(LEAVE, "ann");
        passWithoutOne(Duration.ofSeconds(60));
        watcher.assertExhausted();
    }

    @Test
    void whoReconnectsElsewhereWhenItsNodeIsClosedIsSilent() {
        enter(one, "ann");
        watcher.assertPresence(JOIN, "ann");

        one.close();
        passWithoutOne(Duration.ofSeconds(5));
        enter(three, "ann");
        passWithoutOne(Duration.ofSeconds(60));

        watcher.assertExhausted();
    }

    private RecordingOutlet enter(ManualNode node, String user) {
        RecordingOutlet outlet = node.connect(user).subscribe(ROOM, StartAt.live());
        node.settle();
        two.settle();
        return outlet;
    }

    private PresenceSnapshot snapshot() {
        return two.await(two.fanfare.presence(ChannelId.of(ROOM)));
    }

    private void pass(Duration duration) {
        for (long left = duration.toMillis(); left > 0; left -= 500) {
            timeOfOne.advance(Duration.ofMillis(500));
            one.settle();
            passWithoutOne(Duration.ofMillis(500));
        }
    }

    /** Lets time pass for the store and everybody but the first node. */
    private void passWithoutOne(Duration duration) {
        for (long left = duration.toMillis(); left > 0; left -= 500) {
            time.advance(Duration.ofMillis(500));
            two.settle();
            three.settle();
        }
    }
}
