package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.Connections;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Expiry;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.HostCode;
import dev.fanfare.RefusedException;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.Selection;
import dev.fanfare.StartAt;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import dev.fanfare.testkit.RecordingOutlet.Disconnected;
import dev.fanfare.testkit.RecordingOutlet.Ended;
import dev.fanfare.testkit.RecordingOutlet.SubscribedByHost;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the host orders, on one node for connections of another. */
@ExtendWith(Quiet.class)
class OrdersTest {

    private static final String LOG = "log:a";
    private static final ChannelId CHANNEL = ChannelId.of(LOG);

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final ManualNode there = node();
    private final ManualNode here = node();
    private final Connections connections = here.fanfare.connections();
    private final RecordingOutlet ann1 = there.connect("ann");
    private final RecordingOutlet ann2 = there.connect("ann");
    private final RecordingOutlet bob = there.connect("bob");

    private ManualNode node() {
        return ManualNode.open(
                store,
                time,
                builder -> builder.namespace("log", rules -> rules.retain(100, Duration.ofHours(1)))
                        .namespace("live", rules -> rules));
    }

    private void settle() {
        here.settle();
        there.settle();
        here.settle();
    }

    private void pass(int seconds) {
        there.pass(Duration.ofSeconds(seconds));
    }

    private Instant in(int seconds) {
        return Instant.ofEpochMilli(time.millis()).plusSeconds(seconds);
    }

    private static String id(RecordingOutlet client) {
        return client.connection().info().id();
    }

    @AfterEach
    void close() {
        here.close();
        there.close();
    }

    // ---- whom

    @Test
    void aUserMeansEveryConnectionOfThatUser() {
        connections.disconnect("ann", DisconnectReason.FORCE_DISCONNECT);
        settle();

        assertThat(ann1.events()).containsExactly(new Disconnected(DisconnectReason.FORCE_DISCONNECT));
        assertThat(ann2.events()).containsExactly(new Disconnected(DisconnectReason.FORCE_DISCONNECT));
        assertThat(bob.events()).isEmpty();
    }

    @Test
    void oneConnectionCanBeMeant() {
        connections.disconnect(Selection.ofConnection(id(bob)), DisconnectReason.FORCE_DISCONNECT);
        connections.disconnect(Selection.ofUser("ann").only(id(ann1)), DisconnectReason.FORCE_DISCONNECT);
        settle();

        assertThat(ann1.events()).hasSize(1);
        assertThat(ann2.events()).isEmpty();
        assertThat(bob.events()).hasSize(1);
    }

    @Test
    void aConnectionOfSomebodyElseIsNotMeant() {
        connections.disconnect(Selection.ofUser("ann").only(id(bob)), DisconnectReason.FORCE_DISCONNECT);
        settle();

        assertThat(bob.events()).isEmpty();
    }

    @Test
    void someConnectionsCanBeLeftOut() {
        connections.disconnect(
                Selection.ofUser("ann").except(Set.of(id(ann2), "another one")), DisconnectReason.FORCE_DISCONNECT);
        settle();

        assertThat(ann1.events()).hasSize(1);
        assertThat(ann2.events()).isEmpty();
    }

    // ---- what

    @ParameterizedTest
    @CsvSource({"4000, FORCE_RECONNECT", "4499, FORCE_RECONNECT", "4500, FORCE_DISCONNECT", "4999, FORCE_DISCONNECT"})
    void aHostsOwnCodeAmountsToOneOfOurs(int code, DisconnectReason reason) {
        connections.disconnect(Selection.ofUser("bob"), HostCode.disconnect(code, "go home"));
        settle();

        assertThat(bob.events()).containsExactly(new Disconnected(reason));
    }

    @ParameterizedTest
    @CsvSource({"3999", "5000", "0", "3503"})
    void aCodeOutOfRangeDisconnectsNobody(int code) {
        assertThatIllegalArgumentException().isThrownBy(() -> HostCode.disconnect(code, "go home"));
    }

    @ParameterizedTest
    @CsvSource({"2000", "2099", "2500", "2599", "3000"})
    void aCodeOutOfRangeUnsubscribesNobody(int code) {
        assertThatIllegalArgumentException().isThrownBy(() -> HostCode.unsubscribe(code, "no more"));
    }

    @ParameterizedTest
    @CsvSource({"''", "' '", "{}", "7", "[1]", "\"x\""})
    void wordsThatClientsTakeForJsonAreNoWords(String words) {
        assertThatIllegalArgumentException().isThrownBy(() -> HostCode.disconnect(4000, words));
    }

    @Test
    void theHostMovesTheEndOfAConnection() {
        bob.connection().expires(Expiry.prolongedByClient(in(60)));

        connections.refresh("bob", in(600));
        settle();
        assertThat(bob.connection().expiry()).isEqualTo(Expiry.prolongedByClient(in(600)));
        pass(120);
        assertThat(bob.events()).isEmpty();
        connections.refresh("bob", null);
        settle();
        pass(3600);

        assertThat(bob.events()).isEmpty();
    }

    @Test
    void theHostSetsAnEndWhereThereWasNone() {
        connections.refresh("bob", in(1));
        settle();

        assertThat(bob.connection().expiry()).isEqualTo(Expiry.prolongedByHost(in(1)));
        pass(27);
        assertThat(bob.events()).containsExactly(new Disconnected(DisconnectReason.EXPIRED));
    }

    @Test
    void theHostSubscribesUntilAnEndAndMovesIt() {
        connections.subscribe(Selection.ofUser("bob"), CHANNEL, in(60));
        settle();
        pass(80);
        connections.subscribe(Selection.ofUser("bob"), CHANNEL, in(60));
        settle();
        pass(80);
        assertThat(bob.events()).hasSize(1).first().isInstanceOf(SubscribedByHost.class);

        pass(10);

        assertThat(bob.events()).last().isEqualTo(new Ended(LOG, UnsubscribeReason.EXPIRED));
    }

    @Test
    void theHostEndsASubscriptionOfOneConnection() {
        ann1.subscribe(LOG, StartAt.live());
        ann2.subscribe(LOG, StartAt.live());
        settle();

        connections.unsubscribe(Selection.ofUser("ann").only(id(ann1)), CHANNEL);
        settle();

        assertThat(ann1.events()).last().isEqualTo(new Ended(LOG, UnsubscribeReason.BY_HOST));
        assertThat(ann1.connection().isSubscribed(CHANNEL)).isFalse();
        assertThat(ann2.connection().isSubscribed(CHANNEL)).isTrue();
    }

    // ---- channels

    @Test
    void channelsAreThoseWithSubscribersOnAnyNode() {
        ann1.subscribe(LOG, StartAt.live());
        ann2.subscribe(LOG, StartAt.live());
        here.connect("eve").subscribe(LOG, StartAt.live()).subscribe("live:b", StartAt.live());
        settle();

        assertThat(channels("*")).containsExactly(Map.entry(ChannelId.of("live:b"), 1), Map.entry(CHANNEL, 3));
        assertThat(channels("log:*")).containsOnlyKeys(CHANNEL);
        assertThat(channels("*:b")).containsOnlyKeys(ChannelId.of("live:b"));
        assertThat(channels("l*:*a*")).containsOnlyKeys(CHANNEL);
        assertThat(channels("log")).isEmpty();
        ann1.unsubscribe(LOG);
        ann2.vanish();
        settle();
        assertThat(channels("log:a")).containsExactly(Map.entry(CHANNEL, 1));
    }

    private Map<ChannelId, Integer> channels(String pattern) {
        var asked = connections.channels(pattern).toCompletableFuture();
        settle();
        return asked.join();
    }

    // ---- history

    @Test
    void aRemovedHistoryIsShownToNobody() {
        here.publishMany(LOG, 1, 5);
        RecordingOutlet live = there.subscribed(LOG, StartAt.live());
        here.publishMany(LOG, 6, 9);
        settle();
        Cursor seven = Cursor.of(store.head(LOG).epoch(), 7);
        Cursor eight = Cursor.of(store.head(LOG).epoch(), 8);

        here.await(here.fanfare.removeHistory(CHANNEL));
        settle();

        HistoryResult.Page page =
                (HistoryResult.Page) here.await(here.fanfare.history(CHANNEL, new HistoryQuery(null, 100, false)));
        assertThat(page.publications()).isEmpty();
        assertThat(page.top().offset()).isEqualTo(9);
        assertThat(begin(seven)).isEqualTo(new Resume.Reset(ResetReason.TRIMMED, page.top()));
        assertThat(begin(eight)).isEqualTo(new Resume.Reset(ResetReason.TRIMMED, page.top()));
        assertThat(begin(page.top())).isInstanceOf(Resume.Continued.class);
        here.publish(LOG, "10");
        settle();
        assertThat(live.texts(LOG)).containsExactly("6", "7", "8", "9", "10");
    }

    @ParameterizedTest
    @CsvSource({"1000, 90", "20, 1200"})
    void aRemovalOfWhichANodeWasNotToldIsNoticedThere(int pause, int seconds) {
        here.publishMany(LOG, 1, 5);
        there.subscribed(LOG, StartAt.live());
        here.publishMany(LOG, 6, 9);
        settle();
        Cursor seven = Cursor.of(store.head(LOG).epoch(), 7);

        here.await(store.log().clear(CHANNEL));
        for (int second = 1; second <= seconds; second++) {
            if (second % pause == 0) {
                here.publish(LOG, "more");
            }
            pass(1);
        }
        settle();

        RecordingOutlet fresh = there.connect("eve").subscribe(LOG, StartAt.after(seven));
        settle();
        SubscribeResult.Subscribed subscribed =
                (SubscribeResult.Subscribed) ((Answered) fresh.events().get(0)).result();
        assertThat(subscribed.missed()).isEmpty();
        assertThat(subscribed.resume())
                .isInstanceOfSatisfying(
                        Resume.Reset.class, reset -> assertThat(reset.reason()).isEqualTo(ResetReason.TRIMMED));
    }

    /** Begins where the ring of the node still has everything. */
    private Resume begin(Cursor cursor) {
        RecordingOutlet fresh = there.connect("eve").subscribe(LOG, StartAt.after(cursor));
        settle();
        SubscribeResult.Subscribed subscribed =
                (SubscribeResult.Subscribed) ((Answered) fresh.events().get(0)).result();
        assertThat(subscribed.missed()).isEmpty();
        return subscribed.resume();
    }

    @Test
    void whatIsPublishedInALaterEpochIsShownWithoutAskingTheLog() {
        here.publishMany(LOG, 1, 5);
        there.subscribed(LOG, StartAt.live());
        here.await(here.fanfare.removeHistory(CHANNEL));
        store.beginAnew(LOG);
        here.publishMany(LOG, 1, 3);
        settle();
        Cursor first = Cursor.of(store.head(LOG).epoch(), 1);
        store.readsAsked.clear();

        RecordingOutlet fresh = there.connect("eve").subscribe(LOG, StartAt.after(first));
        settle();

        assertThat(fresh.texts(LOG)).containsExactly("2", "3");
        assertThat(store.readsAsked).isEmpty();
    }

    @Test
    void whereNothingIsRetainedThereIsNoHistoryToRemove() {
        for (String channel : new String[] {"live:a", "nowhere:a"}) {
            var removed = here.fanfare.removeHistory(ChannelId.of(channel)).toCompletableFuture();

            assertThatThrownBy(removed::join)
                    .isInstanceOf(CompletionException.class)
                    .hasCauseInstanceOf(RefusedException.class);
        }
    }
}
