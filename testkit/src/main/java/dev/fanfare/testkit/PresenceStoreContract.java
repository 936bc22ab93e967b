package dev.fanfare.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.PresenceStore.Departure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The contract of {@link PresenceStore}, case by case. A departure may be swept late: until it has been handed
 * out the user counts as present, so that joins minus departures is always who is there.
 *
 * <p><b>Threading:</b> as JUnit says; one instance per test.
 */
public abstract class PresenceStoreContract extends StoreContract {

    /** In units. */
    private static final int LEASE = 30;

    private static final int GRACE = 4;
    private static final int ALL = 1_000;

    private final ChannelId channel = channel("room");
    private final String node = unique("node-a");
    private final String otherNode = unique("node-b");
    private final Member ana1 = new Member("ana", unique("ana-1"), Payload.of("{\"tab\":1}"));
    private final Member ana2 = new Member("ana", unique("ana-2"), null);
    private final Member bob = new Member("bob", unique("bob-1"), null);

    /** Makes the suite over that fixture. */
    protected PresenceStoreContract(StoreFixture fixture) {
        super(fixture);
    }

    @BeforeEach
    void takeLeases() {
        assertThat(await(presence().renew(node, units(LEASE)))).isFalse();
        assertThat(await(presence().renew(otherNode, units(LEASE)))).isFalse();
    }

    @Test
    void clause1AUserJoinsWithTheFirstConnectionOnly() {
        assertThat(enter(ana1)).isTrue();
        assertThat(enter(ana2)).isFalse();
        assertThat(enter(bob)).isTrue();
    }

    @Test
    void clause1EnteringTwiceWithOneConnectionChangesNothing() {
        assertThat(enter(ana1)).isTrue();
        assertThat(enter(ana1)).isFalse();

        assertThat(snapshot().connections()).isEqualTo(1);
        assertThat(leave(ana1, 0)).isTrue();
        assertThat(snapshot().users()).isZero();
    }

    @Test
    void clause1AnonymousMembersAreCountedByConnection() {
        Member first = new Member("", unique("x-1"), null);
        Member second = new Member("", unique("x-2"), null);

        assertThat(enter(first)).isTrue();
        assertThat(enter(second)).isTrue();
        assertThat(snapshot().users()).isEqualTo(2);
        assertThat(leave(first, 0)).isTrue();
        assertThat(snapshot().members()).containsExactly(second);
    }

    @Test
    void clause1ChannelsAreIndependent() {
        ChannelId other = channel("other");

        assertThat(enter(ana1)).isTrue();
        assertThat(await(presence().enter(node, other, ana1, units(GRACE)))).isTrue();
        assertThat(leave(ana1, 0)).isTrue();
        assertThat(await(presence().snapshot(other, ALL)).users()).isEqualTo(1);
    }

    @Test
    void clause1OfManyConnectionsEnteringAtOnceOneJoins() {
        int crowd = 8;
        AtomicInteger joins = new AtomicInteger();
        AtomicInteger leaves = new AtomicInteger();

        for (int i = 0; i < 10 * iterations(); i++) {
            String round = "-" + i;
            together(crowd, number -> {
                Member member = new Member("ana", unique("ana-" + number + round), null);
                if (enter(member)) {
                    joins.incrementAndGet();
                }
            });
            assertThat(snapshot().connections()).isEqualTo(crowd);
            together(crowd, number -> {
                Member member = new Member("ana", unique("ana-" + number + round), null);
                if (leave(member, 0)) {
                    leaves.incrementAndGet();
                }
            });
            assertThat(joins.get()).isEqualTo(i + 1);
            assertThat(leaves.get()).isEqualTo(i + 1);
            assertThat(snapshot().users()).isZero();
        }
    }

    @Test
    void clause2AUserLeavesWithTheLastConnectionOnly() {
        enter(ana1);
        enter(ana2);

        assertThat(leave(ana1, 0)).isFalse();
        assertThat(leave(ana1, 0)).isFalse();
        assertThat(leave(ana2, 0)).isTrue();
        assertThat(leave(ana2, 0)).isFalse();
        assertThat(enter(ana1)).isTrue();
    }

    @Test
    void clause2WhoNeverEnteredDoesNotLeave() {
        enter(bob);

        assertThat(leave(ana1, 0)).isFalse();
        assertThat(leave(ana1, GRACE)).isFalse();
        pass(GRACE + 2);
        assertThat(sweep()).isEmpty();
    }

    @Test
    void clause2WithGraceTheDepartureFallsDueLater() {
        enter(ana1);

        assertThat(leave(ana1, GRACE)).isFalse();
        assertThat(sweep()).isEmpty();
        pass(GRACE + 2);

        assertThat(sweep()).containsExactly(new Departure(channel, ana1));
        assertThat(snapshot().users()).isZero();
        assertThat(enter(ana1)).isTrue();
    }

    @Test
    void clause2WithOtherConnectionsLeftNoDepartureFallsDue() {
        enter(ana1);
        enter(ana2);

        assertThat(leave(ana1, GRACE)).isFalse();
        pass(GRACE + 2);

        assertThat(sweep()).isEmpty();
        assertThat(snapshot().members()).containsExactly(ana2);
    }

    @Test
    void clause3EachDepartureIsHandedOutOnce() {
        enter(ana1);
        enter(bob);
        leave(ana1, GRACE);
        leave(bob, GRACE);
        pass(GRACE + 2);

        assertThat(sweep()).containsExactlyInAnyOrder(new Departure(channel, ana1), new Departure(channel, bob));
        assertThat(sweep()).isEmpty();
        pass(GRACE + 2);
        assertThat(sweep()).isEmpty();
    }

    @Test
    void clause3ConcurrentSweepersShareTheDepartures() {
        int users = 100;
        for (int i = 0; i < users; i++) {
            Member member = new Member("user-" + i, unique("c-" + i), null);
            enter(member);
            leave(member, GRACE);
        }
        pass(GRACE + 2);
        List<Departure> handedOut = Collections.synchronizedList(new ArrayList<>());

        together(4, number -> {
            PresenceStore sweeper = number % 2 == 0 ? presence() : otherNode().presence();
            for (List<Departure> some = await(sweeper.sweep(7)); !some.isEmpty(); some = await(sweeper.sweep(7))) {
                assertThat(some.size()).isLessThanOrEqualTo(7);
                handedOut.addAll(some);
            }
        });
        handedOut.addAll(sweep());

        assertThat(handedOut.stream().filter(departure -> departure.channel().equals(channel)))
                .extracting(departure -> departure.member().user())
                .hasSize(users)
                .doesNotHaveDuplicates();
    }

    @Test
    void clause4WhoComesBackWithinTheGraceNeverLeft() {
        enter(ana1);
        leave(ana1, GRACE);
        pass(GRACE - 2);

        assertThat(enter(ana2)).isFalse();
        pass(GRACE + 2);

        assertThat(sweep()).isEmpty();
        assertThat(snapshot().members()).containsExactly(ana2);
    }

    @Test
    void clause4EachGraceIsItsOwn() {
        enter(ana1);
        leave(ana1, GRACE);
        pass(GRACE - 2);
        enter(ana2);
        leave(ana2, GRACE);
        pass(GRACE - 1);
        assertThat(sweep()).isEmpty();
        pass(3);

        assertThat(sweep()).containsExactly(new Departure(channel, ana2));
    }

    @Test
    void clause4AnExplicitLeaveAfterAReturnIsImmediate() {
        enter(ana1);
        leave(ana1, GRACE);
        enter(ana2);

        assertThat(leave(ana2, 0)).isTrue();
        pass(GRACE + 2);
        assertThat(sweep()).isEmpty();
    }

    @Test
    void clause5ALeaseIsNewThenRenewedThenOver() {
        assertThat(await(presence().renew(node, units(LEASE)))).isTrue();
        pass(LEASE - 10);
        assertThat(await(presence().renew(node, units(LEASE)))).isTrue();
        pass(LEASE - 10);
        assertThat(await(presence().renew(node, units(LEASE)))).isTrue();
        pass(LEASE + 2);

        assertThat(await(presence().renew(node, units(LEASE)))).isFalse();
        assertThat(await(presence().renew(node, units(LEASE)))).isTrue();
    }

    @Test
    void clause5TheMembersOfADeadNodeDepartAfterTheirGrace() {
        enter(ana1);
        await(presence().enter(otherNode, channel, bob, units(GRACE)));
        pass(LEASE - 5);
        await(presence().renew(otherNode, units(LEASE)));
        pass(7);
        assertThat(sweep()).isEmpty();
        pass(GRACE);

        assertThat(sweep()).containsExactly(new Departure(channel, ana1));
        assertThat(sweep()).isEmpty();
        assertThat(snapshot().members()).containsExactly(bob);
    }

    @Test
    void clause5ADeadNodesConnectionDoesNotKeepItsUser() {
        enter(ana1);
        await(presence().enter(otherNode, channel, ana2, units(GRACE)));
        pass(LEASE - 5);
        await(presence().renew(otherNode, units(LEASE)));
        pass(7);

        assertThat(leave(ana2, 0)).isTrue();

        pass(GRACE + 2);
        assertThat(sweep()).isEmpty();
        assertThat(snapshot().users()).isZero();
    }

    @Test
    void clause5ANodeThatComesBackInTimeEntersItsMembersAgainWithoutNoise() {
        enter(ana1);
        pass(LEASE + 1);

        assertThat(await(presence().renew(node, units(LEASE)))).isFalse();
        assertThat(enter(ana1)).isFalse();
        pass(GRACE + 2);

        assertThat(sweep()).isEmpty();
        assertThat(snapshot().members()).containsExactly(ana1);
    }

    @Test
    void clause5ANodeThatComesBackWithoutItsMembersHasLostThem() {
        enter(ana1);
        pass(LEASE + 1);
        assertThat(await(presence().renew(node, units(LEASE)))).isFalse();
        pass(GRACE + 2);

        assertThat(sweep()).containsExactly(new Departure(channel, ana1));
    }

    @Test
    void clause5AConnectionMayMoveToAnotherNode() {
        enter(ana1);
        assertThat(await(otherNode().presence().enter(otherNode, channel, ana1, units(GRACE))))
                .isFalse();
        await(presence().retire(node));
        pass(GRACE + 2);

        assertThat(sweep()).isEmpty();
        assertThat(snapshot().connections()).isEqualTo(1);
    }

    @Test
    void clause5ARetiredNodesMembersLeaveWithTheirGrace() {
        enter(ana1);
        enter(bob);

        await(presence().retire(node));
        assertThat(sweep()).isEmpty();
        assertThat(await(presence().enter(otherNode, channel, bob, units(GRACE))))
                .isFalse();
        pass(GRACE + 2);

        assertThat(sweep()).containsExactly(new Departure(channel, ana1));
        assertThat(await(presence().renew(node, units(LEASE)))).isFalse();
    }

    @Test
    void clause5AnEntryWithoutALeaseIsNoGhost() {
        assertThat(await(presence().enter(unique("stranger"), channel, ana1, units(GRACE))))
                .isTrue();
        pass(GRACE + 2);

        assertThat(sweep()).containsExactly(new Departure(channel, ana1));
    }

    @Test
    void clause6ASnapshotListsConnectionsAndCountsUsers() {
        enter(ana1);
        enter(ana2);
        enter(bob);

        PresenceSnapshot snapshot = await(otherNode().presence().snapshot(channel, ALL));

        assertThat(snapshot.members()).containsExactlyInAnyOrder(ana1, ana2, bob);
        assertThat(snapshot.connections()).isEqualTo(3);
        assertThat(snapshot.users()).isEqualTo(2);
    }

    @Test
    void clause6ASnapshotHoldsThoseInTheirGrace() {
        enter(ana1);
        enter(ana2);
        leave(ana1, GRACE);
        leave(ana2, GRACE);

        assertThat(snapshot()).isEqualTo(new PresenceSnapshot(List.of(ana2), 1, 1));
    }

    @Test
    void clause6ASnapshotIsCutToItsLimitButCountsAll() {
        for (int i = 0; i < 10; i++) {
            enter(new Member("user-" + i, unique("c-" + i), null));
        }

        PresenceSnapshot snapshot = await(presence().snapshot(channel, 4));

        assertThat(snapshot.members()).hasSize(4).doesNotHaveDuplicates();
        assertThat(snapshot.connections()).isEqualTo(10);
        assertThat(snapshot.users()).isEqualTo(10);
    }

    @Test
    void clause6AnEmptyChannelHasAnEmptySnapshot() {
        assertThat(snapshot()).isEqualTo(new PresenceSnapshot(List.of(), 0, 0));
    }

    @Test
    void clause6JoinsMinusDeparturesIsAlwaysWhoIsThere() {
        long seed = Long.getLong("fanfare.seed", ThreadLocalRandom.current().nextLong());
        Random random = new Random(seed);
        Map<String, Integer> balance = new HashMap<>();
        for (int step = 0; step < 300; step++) {
            Member member = new Member("user-" + random.nextInt(4), unique("c-" + random.nextInt(8)), null);
            switch (random.nextInt(6)) {
                case 0, 1 -> count(balance, member, enter(member) ? 1 : 0);
                case 2 -> count(balance, member, leave(member, 0) ? -1 : 0);
                case 3 -> count(balance, member, leave(member, GRACE) ? -1 : 0);
                case 4 -> sweep().forEach(departure -> count(balance, departure.member(), -1));
                default -> passAndRenew(random.nextInt(3));
            }
            long present = balance.values().stream().filter(count -> count == 1).count();
            assertThat(balance.values()).as("seed %s, step %s", seed, step).allMatch(count -> count == 0 || count == 1);
            assertThat(snapshot().users()).as("seed %s, step %s", seed, step).isEqualTo((int) present);
        }
    }

    private void passAndRenew(long units) {
        pass(units);
        await(presence().renew(node, units(LEASE)));
    }

    private static void count(Map<String, Integer> balance, Member member, int change) {
        balance.merge(member.identity(), change, Integer::sum);
    }

    private PresenceStore presence() {
        return store().presence();
    }

    @CanIgnoreReturnValue
    private boolean enter(Member member) {
        return await(presence().enter(node, channel, member, units(GRACE)));
    }

    @CanIgnoreReturnValue
    private boolean leave(Member member, long graceUnits) {
        Duration grace = units(graceUnits);
        return await(presence().leave(channel, member, grace));
    }

    private PresenceSnapshot snapshot() {
        return await(presence().snapshot(channel, ALL));
    }

    /** Takes all departures that are due, and returns those of this test's channel. */
    private List<Departure> sweep() {
        List<Departure> found = new ArrayList<>();
        for (List<Departure> some = await(presence().sweep(ALL));
                !some.isEmpty();
                some = await(presence().sweep(ALL))) {
            some.stream()
                    .filter(departure -> departure.channel().equals(channel))
                    .forEach(found::add);
        }
        return found;
    }
}
