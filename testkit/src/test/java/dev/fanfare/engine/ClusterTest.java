package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.StoreException;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.faults.LogWatch;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Disconnected;
import dev.fanfare.testkit.RecordingOutlet.Ended;
import dev.fanfare.testkit.RecordingOutlet.SubscribedByHost;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two nodes on one store behave as one. */
class ClusterTest {

    private static final ChannelId CHANNEL = ChannelId.of("log:a");

    private final ManualTime time = new ManualTime();
    private final MemoryStore store = MemoryStore.create(time);
    private final ManualNode one = ManualNode.open(store, time, ClusterTest::namespaces);
    private final ManualNode two = ManualNode.open(store, time, ClusterTest::namespaces);

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace(
                "log", rules -> rules.retain(100, Duration.ofHours(1)).presence());
    }

    @AfterEach
    void close() {
        one.close();
        two.close();
    }

    @Test
    void whatOnePublishesTheOthersSubscribersGet() {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        two.subscribe("log:a", StartAt.live(), subscriber);
        two.settle();
        subscriber.awaitReady();

        one.publish("log:a", "1");
        two.publish("log:a", "2");
        one.publish("log:a", "3");
        settle();

        subscriber.assertNext("1", "2", "3");
    }

    @Test
    void aCursorOfOneNodeContinuesOnTheOther() {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        Cursor had = one.publish("log:a", "1").position().orElseThrow();
        one.publish("log:a", "2");

        two.subscribe("log:a", StartAt.after(had), subscriber);
        two.settle();

        assertThat(subscriber.awaitReady()).isEqualTo(new Resume.Continued(had));
        subscriber.assertNext("2");
    }

    @Test
    void presenceIsThatOfAllNodes() {
        RecordingOutlet ann = one.connect("ann").subscribe("log:a", StartAt.live());
        RecordingOutlet bob = two.connect("bob").subscribe("log:a", StartAt.live());
        settle();

        PresenceSnapshot seen = one.await(one.fanfare.presence(CHANNEL));

        assertThat(seen.users()).isEqualTo(2);
        assertThat(seen.members())
                .extracting(Member::connection)
                .containsExactlyInAnyOrder(
                        ann.connection().info().id(), bob.connection().info().id());
    }

    @Test
    void aJoinOnOneNodeIsToldOnTheOther() {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        two.subscribe("log:a", StartAt.live(), subscriber);
        two.settle();
        subscriber.awaitReady();

        one.connect("ann").subscribe("log:a", StartAt.live());
        settle();

        subscriber.assertPresence(PresenceEvent.Kind.JOIN, "ann");
    }

    @Test
    void connectionsAreCountedOnAllNodes() {
        one.connect("ann");
        two.connect("ann");
        two.connect("bob");

        int count = ask(one.fanfare.connections().count());

        assertThat(count).isEqualTo(3);
    }

    @Test
    void connectionsAreListedFromAllNodes() {
        RecordingOutlet ann = one.connect("ann");
        RecordingOutlet bob = two.connect("bob");

        List<ConnectionInfo> list = ask(one.fanfare.connections().list());

        assertThat(list)
                .extracting(ConnectionInfo::id)
                .containsExactlyInAnyOrder(
                        ann.connection().info().id(), bob.connection().info().id());
    }

    @Test
    void aListedConnectionIsDescribedAsItIs() {
        ConnectionInfo bob = two.connect("b: ob%").connection().info();

        List<ConnectionInfo> list = ask(one.fanfare.connections().list());

        assertThat(list).singleElement().satisfies(info -> {
            assertThat(info.user()).isEqualTo("b: ob%");
            assertThat(info.transport()).isEqualTo(bob.transport());
            assertThat(info.connectedAt()).isEqualTo(bob.connectedAt());
        });
    }

    @Test
    void connectionsOfOneUserAreFoundOnAllNodes() {
        one.connect("ann");
        two.connect("ann");
        two.connect("bob");

        List<ConnectionInfo> list = ask(one.fanfare.connections().of("ann"));

        assertThat(list).extracting(ConnectionInfo::user).containsExactly("ann", "ann");
    }

    @Test
    void theEmptyUserStandsForAnonymousOnes() {
        one.connect("");
        two.connect("bob");

        List<ConnectionInfo> list = ask(two.fanfare.connections().of(""));

        assertThat(list).extracting(ConnectionInfo::user).containsExactly("");
    }

    @Test
    void aUserIsDisconnectedEverywhere() {
        RecordingOutlet here = one.connect("ann");
        RecordingOutlet there = two.connect("ann");
        RecordingOutlet other = two.connect("bob");

        Void done = ask(one.fanfare.connections().disconnect("ann", DisconnectReason.FORCE_DISCONNECT));

        assertThat(here.events()).containsExactly(new Disconnected(DisconnectReason.FORCE_DISCONNECT));
        assertThat(there.events()).containsExactly(new Disconnected(DisconnectReason.FORCE_DISCONNECT));
        assertThat(other.events()).isEmpty();
    }

    @Test
    void aUserIsUnsubscribedEverywhereFromThatChannelOnly() {
        RecordingOutlet ann = two.connect("ann");
        ann.subscribe("log:a", StartAt.live()).subscribe("log:b", StartAt.live());
        settle();
        ann.takeEvents();

        Void done = ask(one.fanfare.connections().unsubscribe("ann", CHANNEL));
        one.publish("log:a", "1");
        one.publish("log:b", "2");
        settle();

        assertThat(ann.events()).contains(new Ended("log:a", UnsubscribeReason.BY_HOST));
        assertThat(ann.texts("log:a")).isEmpty();
        assertThat(ann.texts("log:b")).containsExactly("2");
    }

    @Test
    void aSubscriptionThatHasNotBegunIsAnsweredAndNotEnded() {
        RecordingOutlet ann = two.connect("ann").subscribe("log:a", StartAt.live());

        var unused = one.fanfare.connections().unsubscribe("ann", CHANNEL);
        settle();

        assertThat(ann.events()).hasSize(1).noneMatch(Ended.class::isInstance);
        assertThat(ann.connection().isSubscribed(CHANNEL)).isFalse();
    }

    @Test
    void aUserIsSubscribedEverywhere() {
        RecordingOutlet here = one.connect("ann");
        RecordingOutlet there = two.connect("ann");
        RecordingOutlet other = two.connect("bob");

        Void done = ask(one.fanfare.connections().subscribe("ann", CHANNEL));
        one.publish("log:a", "1");
        settle();

        assertThat(here.events()).element(0).isInstanceOf(SubscribedByHost.class);
        assertThat(here.texts("log:a")).containsExactly("1");
        assertThat(there.texts("log:a")).containsExactly("1");
        assertThat(other.events()).isEmpty();
        assertThat(there.unflushed()).isZero();
    }

    @Test
    void aConnectionThatCannotBeToldIsNotSubscribed() {
        RecordingOutlet stream = two.connect("ann");
        stream.refuseSubscriptionsByHost();

        Void done = ask(one.fanfare.connections().subscribe("ann", CHANNEL));
        one.publish("log:a", "1");
        settle();

        assertThat(stream.events()).isEmpty();
        assertThat(stream.connection().isSubscribed(CHANNEL)).isFalse();
    }

    @Test
    void aConnectionThatIsSubscribedAlreadyStaysAsItIs() {
        RecordingOutlet ann = two.connect("ann").subscribe("log:a", StartAt.live());
        settle();
        ann.takeEvents();

        Void done = ask(one.fanfare.connections().subscribe("ann", CHANNEL));
        one.publish("log:a", "1");
        settle();

        assertThat(ann.texts("log:a")).containsExactly("1");
        assertThat(ann.events()).hasSize(1);
    }

    @Test
    void aSilentNodeFailsTheQuestionInTime() {
        var unused = store.control().join("silent", message -> {});
        var count = one.fanfare.connections().count().toCompletableFuture();

        settle();
        boolean waited = !count.isDone();
        time.advance(Duration.ofSeconds(2));
        settle();

        assertThat(waited).isTrue();
        assertThatThrownBy(count::join).cause().isInstanceOfSatisfying(StoreException.class, failure -> {
            assertThat(failure).hasMessageContaining("silent");
            assertThat(failure.isRetryable()).isTrue();
        });
    }

    @Test
    void aClosedNodeIsAskedNoMore() {
        two.connect("ann");
        two.close();

        int count = ask(one.fanfare.connections().count());

        assertThat(count).isZero();
    }

    @Test
    void whatIsNotUnderstoodIsLeftOut() {
        RecordingOutlet ann = one.connect("ann");

        try (LogWatch log = new LogWatch()) {
            List<String> lines =
                    List.of("", "1 disconnect", "2 disconnect ann SHUTDOWN", "1 disconnect ann NO_SUCH", "1 x %zz y");
            lines.forEach(line -> assertThat(store.control().send(line)).isCompleted());
            settle();

            assertThat(log.lines()).isEmpty();
        }
        assertThat(ann.events()).isEmpty();
        assertThat(ask(one.fanfare.connections().count())).isEqualTo(1);
    }

    @Test
    void thousandsOfConnectionsWithLongNamesCanBeListed() {
        for (int i = 0; i < 1200; i++) {
            two.connect("ä".repeat(200) + i);
        }

        List<ConnectionInfo> list = ask(one.fanfare.connections().list());

        assertThat(list).hasSizeBetween(100, 1000);
    }

    private <T> T ask(java.util.concurrent.CompletionStage<T> question) {
        settle();
        return one.await(question);
    }

    private void settle() {
        for (int i = 0; i < 3; i++) {
            one.settle();
            two.settle();
        }
    }
}
