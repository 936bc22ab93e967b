package dev.fanfare.engine;

import static dev.fanfare.presence.PresenceEvent.Kind.JOIN;
import static dev.fanfare.presence.PresenceEvent.Kind.LEAVE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.StartAt;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.Connection.PresenceResult;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult.Refused;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import dev.fanfare.testkit.RecordingOutlet.Presence;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Who joins and who leaves, as a watcher in the channel sees it; the grace is ten seconds. */
@ExtendWith(Quiet.class)
class PresenceTest {

    private static final int AT_ONCE = 64;
    private static final int MOST_OVERDUE = 10_000;
    private static final String ROOM = "room:a";
    private static final ChannelId CHANNEL = ChannelId.of(ROOM);

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final ManualNode node = ManualNode.open(store, time, PresenceTest::namespaces);
    private final RecordingSubscriber watcher = new RecordingSubscriber();

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace(
                        "room", rules -> rules.retain(100, Duration.ofHours(1)).presence())
                .namespace("device", rules -> rules.presenceForAll().presencePerConnection())
                .namespace("", rules -> rules);
    }

    @BeforeEach
    void watch() {
        node.subscribe(ROOM, StartAt.live(), watcher);
        node.settle();
        watcher.awaitReady();
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void aUserJoinsWithTheFirstConnection() {
        RecordingOutlet ann = enter("ann");

        assertThat(watcher.assertPresence(JOIN, "ann").connection())
                .isEqualTo(ann.connection().info().id());
        watcher.assertExhausted();
    }

    @Test
    void aSecondTabIsSilent() {
        enter("ann");
        watcher.assertPresence(JOIN, "ann");

        enter("ann");

        watcher.assertExhausted();
        assertThat(snapshot().connections()).isEqualTo(2);
        assertThat(snapshot().users()).isEqualTo(1);
    }

    @Test
    void aUserLeavesWhenTheLastTabIsGoneForTheGrace() {
        RecordingOutlet first = enter("ann");
        RecordingOutlet second = enter("ann");
        watcher.assertPresence(JOIN, "ann");
        first.vanish();
        node.pass(Duration.ofSeconds(30));
        watcher.assertExhausted();

        second.vanish();
        node.pass(Duration.ofSeconds(9));
        watcher.assertExhausted();
        node.pass(Duration.ofSeconds(2));

        watcher.assertPresence(LEAVE, "ann");
        node.pass(Duration.ofSeconds(30));
        watcher.assertExhausted();
    }

    @Test
    void aReloadWithinTheGraceIsSilent() {
        RecordingOutlet ann = enter("ann");
        watcher.assertPresence(JOIN, "ann");

        ann.vanish();
        node.pass(Duration.ofSeconds(9));
        enter("ann");
        node.pass(Duration.ofSeconds(60));

        watcher.assertExhausted();
        assertThat(snapshot().users()).isEqualTo(1);
    }

    @Test
    void afterAReloadTheUserLeavesOnce() {
        RecordingOutlet ann = enter("ann");
        watcher.assertPresence(JOIN, "ann");
        ann.vanish();
        node.pass(Duration.ofSeconds(5));
        RecordingOutlet again = enter("ann");

        again.vanish();
        node.pass(Duration.ofSeconds(60));

        watcher.assertPresence(LEAVE, "ann");
        watcher.assertExhausted();
    }

    @Test
    void anExplicitUnsubscribeDoesNotWait() {
        RecordingOutlet ann = enter("ann");
        watcher.assertPresence(JOIN, "ann");

        ann.unsubscribe(ROOM);
        node.settle();

        watcher.assertPresence(LEAVE, "ann");
        assertThat(snapshot().users()).isZero();
    }

    @Test
    void anExplicitUnsubscribeWithAnotherTabOpenIsSilent() {
        RecordingOutlet first = enter("ann");
        enter("ann");
        watcher.assertPresence(JOIN, "ann");

        first.unsubscribe(ROOM);
        node.pass(Duration.ofSeconds(60));

        watcher.assertExhausted();
    }

    @Test
    void theHostsUnsubscribeDoesNotWaitEither() {
        enter("ann");
        watcher.assertPresence(JOIN, "ann");

        Void done = node.await(node.fanfare.connections().unsubscribe("ann", CHANNEL));
        node.settle();

        watcher.assertPresence(LEAVE, "ann");
    }

    @Test
    void anonymousConnectionsCountByThemselves() {
        RecordingOutlet first = enter("");
        enter("");

        first.unsubscribe(ROOM);
        node.settle();

        watcher.assertPresence(JOIN, "");
        watcher.assertPresence(JOIN, "");
        assertThat(watcher.assertPresence(LEAVE, "").connection())
                .isEqualTo(first.connection().info().id());
    }

    @Test
    void whoIsInTheGraceIsStillInTheSnapshot() {
        RecordingOutlet ann = enter("ann");

        ann.vanish();
        node.pass(Duration.ofSeconds(5));

        assertThat(snapshot().members()).extracting(Member::user).containsExactly("ann");
    }

    @Test
    void oneSeesOnesOwnJoinAfterOnesAnswer() {
        RecordingOutlet ann = enter("ann");

        assertThat(ann.events()).hasSize(2);
        assertThat(ann.events().get(0)).isInstanceOf(Answered.class);
        assertThat(((Presence) ann.events().get(1)).event().kind()).isEqualTo(JOIN);
    }

    @Test
    void whoDoesNotWantJoinsGetsNone() {
        RecordingOutlet deaf = node.connect("deaf");
        deaf.connection().subscribe(CHANNEL, new SubscribeRequest(StartAt.live(), false, false), answer -> {});
        node.settle();

        enter("ann");

        assertThat(deaf.events()).isEmpty();
    }

    @Test
    void whoVanishesBeforeItIsLiveWasNeverThere() {
        store.holdsPresence = true;
        RecordingOutlet ann = node.connect("ann").subscribe(ROOM, StartAt.live());
        node.settle();

        ann.vanish();
        release();
        node.pass(Duration.ofSeconds(60));

        watcher.assertExhausted();
        assertThat(snapshot().users()).isZero();
    }

    @Test
    void whoUnsubscribesInTheTurnOfItsAnswerWasNeverThere() {
        RecordingOutlet ann = node.connect("ann");
        ann.connection()
                .subscribe(
                        CHANNEL,
                        new SubscribeRequest(StartAt.live(), true, false),
                        answer -> ann.connection().unsubscribe(CHANNEL));

        node.pass(Duration.ofSeconds(60));

        watcher.assertExhausted();
        assertThat(snapshot().users()).isZero();
    }

    @Test
    void aJoinComesBeforeItsLeave() {
        RecordingOutlet ann = node.connect("ann").subscribe(ROOM, StartAt.live());
        node.settle();

        ann.unsubscribe(ROOM);
        ann.subscribe(ROOM, StartAt.live());
        node.settle();
        ann.unsubscribe(ROOM);
        node.settle();

        watcher.assertPresence(JOIN, "ann");
        watcher.assertPresence(LEAVE, "ann");
        watcher.assertPresence(JOIN, "ann");
        watcher.assertPresence(LEAVE, "ann");
        watcher.assertExhausted();
    }

    @Test
    void anotherTabThatIsLiveIsAnnouncedForOneThatNeverWas() {
        store.holdsPresence = true;
        RecordingOutlet first = node.connect("ann").subscribe(ROOM, StartAt.live());
        RecordingOutlet second = node.connect("ann").subscribe(ROOM, StartAt.live());
        store.presenceCalls.forEach(ScriptedStore.Held::look);
        store.presenceCalls.remove(1).answer();
        node.settle();
        store.holdsPresence = false;

        first.vanish();
        release();

        watcher.assertPresence(JOIN, "ann");
        second.unsubscribe(ROOM);
        node.settle();
        watcher.assertPresence(LEAVE, "ann");
        watcher.assertExhausted();
    }

    @Test
    void leavingAndComingBackWhileTheStoreIsSlowEndsPresent() {
        store.holdsPresence = true;
        RecordingOutlet ann = node.connect("ann").subscribe(ROOM, StartAt.live());
        node.settle();
        ann.unsubscribe(ROOM);
        ann.subscribe(ROOM, StartAt.live());
        store.presenceCalls.forEach(ScriptedStore.Held::look);

        store.holdsPresence = false;
        release();
        node.pass(Duration.ofSeconds(60));

        assertThat(snapshot().users()).isEqualTo(1);
        watcher.assertPresence(JOIN, "ann");
        watcher.assertExhausted();
    }

    @Test
    void aPresenceStoreThatFailsRefusesTheSubscribe() {
        store.failsPresence = true;

        RecordingOutlet ann = node.connect("ann").subscribe(ROOM, StartAt.live());
        node.settle();

        assertThat(ann.events()).containsExactly(new Answered(ROOM, new Refused(Refusal.UNAVAILABLE)));
        watcher.assertExhausted();
    }

    @Test
    void aPresenceStoreThatNeverAnswersRefusesTheSubscribe() {
        store.holdsPresence = true;
        RecordingOutlet ann = node.connect("ann").subscribe(ROOM, StartAt.live());

        node.pass(Duration.ofSeconds(11));

        assertThat(ann.events()).containsExactly(new Answered(ROOM, new Refused(Refusal.UNAVAILABLE)));
    }

    @Test
    void anEnterThatLandsAfterItWasGivenUpLeavesNoGhost() {
        store.holdsPresence = true;
        node.connect("ann").subscribe(ROOM, StartAt.live());
        node.settle();
        store.holdsPresence = false;
        node.pass(Duration.ofSeconds(11));

        release();
        node.pass(Duration.ofMinutes(10));

        assertThat(snapshot()).isEqualTo(new PresenceSnapshot(List.of(), 0, 0));
        watcher.assertExhausted();
    }

    @Test
    void whoComesBackWhileALateEnterIsUnderWayIsPresentOnce() {
        store.holdsPresence = true;
        RecordingOutlet ann = node.connect("ann").subscribe(ROOM, StartAt.live());
        node.settle();
        store.holdsPresence = false;
        node.pass(Duration.ofSeconds(11));

        ann.subscribe(ROOM, StartAt.live());
        release();
        node.pass(Duration.ofMinutes(1));

        watcher.assertPresence(JOIN, "ann");
        watcher.assertExhausted();
        assertThat(snapshot().connections()).isEqualTo(1);
    }

    @Test
    void anotherTabThatCameWhileALateEnterWasUnderWayIsAnnounced() {
        store.holdsPresence = true;
        node.connect("ann").subscribe(ROOM, StartAt.live());
        node.settle();
        store.presenceCalls.get(0).look(); // it has come to pass, and its answer is late
        store.holdsPresence = false;
        RecordingOutlet second = enter("ann");

        node.pass(Duration.ofSeconds(11));
        release();

        watcher.assertPresence(JOIN, "ann");
        second.unsubscribe(ROOM);
        node.settle();
        watcher.assertPresence(LEAVE, "ann");
        watcher.assertExhausted();
    }

    @Test
    void aPresenceCallThatIsNeverAnsweredDoesNotHoldUpTheNextForEver() {
        store.holdsPresence = true;
        RecordingOutlet ann = node.connect("ann").subscribe(ROOM, StartAt.live());
        node.settle();
        store.holdsPresence = false;
        node.pass(Duration.ofSeconds(61));

        ann.subscribe(ROOM, StartAt.live());
        node.settle();

        watcher.assertPresence(JOIN, "ann");
    }

    @Test
    void aLeaveThatFailsIsTriedAgain() {
        RecordingOutlet ann = enter("ann");
        watcher.assertPresence(JOIN, "ann");
        store.failsPresence = true;
        ann.vanish();
        node.pass(Duration.ofSeconds(20));

        store.failsPresence = false;
        node.pass(Duration.ofSeconds(30));

        watcher.assertPresence(LEAVE, "ann");
        assertThat(snapshot().users()).isZero();
    }

    @Test
    void aLeaveThatFailedIsForgottenIfTheConnectionCameBack() {
        RecordingOutlet ann = enter("ann");
        watcher.assertPresence(JOIN, "ann");
        store.failsPresence = true;
        ann.unsubscribe(ROOM);
        node.settle();

        store.failsPresence = false;
        ann.subscribe(ROOM, StartAt.live());
        node.pass(Duration.ofSeconds(60));

        assertThat(snapshot().users()).isEqualTo(1);
        watcher.assertExhausted();
    }

    @Test
    void aLeaveThatFailedIsMadeAgainHoweverLongNoRenewalOfTheLeaseWasAnswered() {
        RecordingOutlet ann = enter("ann");
        watcher.assertPresence(JOIN, "ann");
        store.failsPresence = true;
        store.losesRenewals = true;
        ann.vanish();
        node.pass(Duration.ofMinutes(1));

        store.failsPresence = false;
        store.losesRenewals = false;
        node.pass(Duration.ofSeconds(30));

        watcher.assertPresence(LEAVE, "ann");
        assertThat(snapshot().users()).isZero();
    }

    @Test
    void leavesThatFailedAreMadeAgainOneFirstAndThenAFewAtATime() {
        List<RecordingOutlet> many =
                IntStream.range(0, 200).mapToObj(i -> enter("user-" + i)).toList();
        store.failsPresence = true;
        many.forEach(RecordingOutlet::vanish);
        node.settle();

        store.failsPresence = false;
        store.holdsPresence = true;
        node.pass(Duration.ofSeconds(5));
        int first = store.presenceCalls.size();
        store.presenceCalls.remove(0).answer();
        int most = 0;
        while (!store.presenceCalls.isEmpty()) {
            most = Math.max(most, store.presenceCalls.size());
            store.presenceCalls.remove(0).answer();
        }
        node.pass(Duration.ofSeconds(15));

        assertThat(first).isEqualTo(1);
        assertThat(most).isEqualTo(AT_ONCE);
        assertThat(snapshot().users()).isZero();
    }

    @Test
    void nobodyEntersWhileTooManyLeavesAreOverdue() {
        RecordingOutlet ann = enter("ann");
        store.failsPresence = true;
        for (int i = 0; i < MOST_OVERDUE; i++) {
            node.connect("lost-" + i).subscribe(ROOM, StartAt.live()); // it may have come in, for all we know
        }
        node.settle();
        store.failsPresence = false;

        RecordingOutlet bob = enter("bob");
        node.pass(Duration.ofSeconds(6));
        RecordingOutlet late = enter("late");

        assertThat(bob.events()).containsExactly(new Answered(ROOM, new Refused(Refusal.UNAVAILABLE)));
        assertThat(late.events()).hasAtLeastOneElementOfType(Presence.class);
        assertThat(snapshot().members()).extracting(Member::user).containsExactly("ann", "late");
        assertThat(ann.connection().isSubscribed(CHANNEL)).isTrue();
    }

    @Test
    void whoComesBackAfterASubscribeThatWasRefusedAndALeaveThatFailedIsAnnounced() {
        store.holdsReads = true;
        RecordingOutlet ann = node.connect("ann").subscribe("room:b", StartAt.live());
        node.settle();
        store.failsPresence = true;
        store.reads.remove(0).fail();
        node.settle();

        store.failsPresence = false;
        store.holdsReads = false;
        RecordingSubscriber beside = new RecordingSubscriber();
        node.subscribe("room:b", StartAt.live(), beside);
        ann.subscribe("room:b", StartAt.live());
        node.settle();

        beside.awaitReady();
        beside.assertPresence(JOIN, "ann");
        node.pass(Duration.ofMinutes(1));
        beside.assertExhausted();
    }

    @Test
    void nobodyIsAnnouncedForALeaveThatCameTooLateForTheLease() {
        store.holdsReads = true;
        RecordingOutlet ann = node.connect("ann").subscribe("room:b", StartAt.live());
        node.settle();
        store.failsPresence = true;
        store.failsRenewals = true;
        store.reads.remove(0).fail();
        ann.vanish();
        node.settle();
        store.holdsReads = false;
        RecordingSubscriber beside = new RecordingSubscriber();
        node.subscribe("room:b", StartAt.live(), beside);
        node.pass(Duration.ofMinutes(1));

        store.failsPresence = false;
        store.failsRenewals = false;
        node.pass(Duration.ofMinutes(1));

        beside.awaitReady();
        beside.assertPresence(LEAVE, "ann"); // by the store, which cannot know that nobody saw it come
        beside.assertExhausted();
    }

    @Test
    void whoIsHereComesBackAlsoIfNobodyHeardThatTheLeaseHadRunOut() {
        enter("ann");
        watcher.assertPresence(JOIN, "ann");
        store.failsRenewals = true;
        node.pass(Duration.ofSeconds(30));
        watcher.assertPresence(LEAVE, "ann");

        store.failsRenewals = false;
        store.losesRenewals = true;
        node.pass(Duration.ofSeconds(6));
        store.losesRenewals = false;
        node.pass(Duration.ofSeconds(6));

        watcher.assertPresence(JOIN, "ann");
        assertThat(snapshot().users()).isEqualTo(1);
    }

    @Test
    void whoIsHereComesBackAlsoIfRenewalsOfTheLeaseCameToTheStoreLate() {
        enter("ann");
        store.holdsRenewals = true;
        node.pass(Duration.ofSeconds(16));

        store.holdsRenewals = false;
        release();
        node.pass(Duration.ofMinutes(1));

        assertThat(snapshot().users()).isEqualTo(1);
    }

    @Test
    void whoseSubscribeTheTopicRefusesIsNotPresent() {
        store.failsWatches = true;
        node.connect("ann").subscribe("room:b", StartAt.live());

        node.pass(Duration.ofSeconds(1));

        assertThat(node.await(node.fanfare.presence(ChannelId.of("room:b"))).users())
                .isZero();
    }

    @Test
    void inProcessSubscribersSeeAndAreNotSeen() {
        PresenceSnapshot snapshot = snapshot();

        assertThat(snapshot.users()).isZero();
    }

    @Test
    void aNamespaceWithoutPresenceHasNone() {
        assertThatThrownBy(() -> node.await(node.fanfare.presence(ChannelId.of("plain"))))
                .cause()
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.reason()).isEqualTo(Refusal.NOT_AVAILABLE));
    }

    @Test
    void anUnknownNamespaceHasNone() {
        assertThatThrownBy(() -> node.await(node.fanfare.presence(ChannelId.of("nowhere:a"))))
                .cause()
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.reason()).isEqualTo(Refusal.UNKNOWN_NAMESPACE));
    }

    @Test
    void aClientLooksToo() {
        RecordingOutlet ann = enter("ann");
        enter("bob");
        List<PresenceResult> results = new ArrayList<>();

        ann.connection().presence(CHANNEL, 1, results::add);
        node.settle();

        assertThat(results).singleElement().isInstanceOfSatisfying(PresenceResult.Present.class, present -> {
            assertThat(present.snapshot().members()).hasSize(1);
            assertThat(present.snapshot().users()).isEqualTo(2);
        });
    }

    @Test
    void aClientLooksInVainWhereThereIsNoPresence() {
        RecordingOutlet ann = enter("ann");
        List<PresenceResult> results = new ArrayList<>();

        ann.connection().presence(ChannelId.of("plain"), 1, results::add);
        node.settle();

        assertThat(results).containsExactly(new PresenceResult.Refused(Refusal.NOT_AVAILABLE));
    }

    @Test
    void whereConnectionsCountASecondTabJoinsAndLeavesByItself() {
        RecordingSubscriber devices = new RecordingSubscriber();
        node.subscribe("device:a", StartAt.live(), devices);
        node.settle();
        devices.awaitReady();

        node.connect("ann").subscribe("device:a", StartAt.live());
        node.settle();
        RecordingOutlet second = node.connect("ann").subscribe("device:a", StartAt.live());
        node.settle();

        devices.assertPresence(JOIN, "ann");
        assertThat(devices.assertPresence(JOIN, "ann").connection())
                .isEqualTo(second.connection().info().id());

        second.unsubscribe("device:a");
        node.settle();

        devices.assertPresence(LEAVE, "ann");
        devices.assertExhausted();
    }

    @Test
    void whereAllAreToldASubscriberThatDoesNotAskHearsOfJoins() {
        RecordingOutlet first = node.connect("ann");
        first.connection()
                .subscribe(ChannelId.of("device:a"), new SubscribeRequest(StartAt.live(), false, true), result -> {});
        node.settle();
        first.takeEvents();

        node.connect("bob").subscribe("device:a", StartAt.live());
        node.settle();

        assertThat(first.takeEvents())
                .singleElement()
                .isInstanceOfSatisfying(
                        RecordingOutlet.Presence.class,
                        presence -> assertThat(presence.event().member().user()).isEqualTo("bob"));
    }

    private RecordingOutlet enter(String user) {
        RecordingOutlet outlet = node.connect(user).subscribe(ROOM, StartAt.live());
        node.settle();
        return outlet;
    }

    private PresenceSnapshot snapshot() {
        return node.await(node.fanfare.presence(CHANNEL));
    }

    private void release() {
        do {
            node.settle();
        } while (store.answerAll());
    }
}
