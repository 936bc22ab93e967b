package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.Connection.SubscribeResult.Subscribed;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Resuming where only the newest publication counts, and resuming on the condition that it works. */
class LatestResumeTest {

    private final ManualTime time = new ManualTime();
    private final ManualNode node = ManualNode.open(MemoryStore.create(time), time, LatestResumeTest::namespaces);

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace(
                        "latest",
                        rules -> rules.retain(3, Duration.ofMinutes(1))
                                .recoveryLimit(1)
                                .resumeWithLatest())
                .namespace("log", rules -> rules.retain(2, Duration.ofMinutes(1)))
                .namespace("live", rules -> rules);
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void whoMissedManyGetsTheNewest() {
        node.publishMany("latest:a", 1, 9);

        RecordingOutlet client =
                subscribed("latest:a", Cursor.of(head("latest:a").epoch(), 2));
        node.publish("latest:a", "10");

        assertThat(client.texts("latest:a")).containsExactly("9", "10");
        assertThat(start(client).resume()).isInstanceOf(Resume.Latest.class);
        assertThat(start(client).resume().position().offset()).isEqualTo(8);
        assertThat(start(client).position().offset()).isEqualTo(9);
    }

    @Test
    void whoHasNothingGetsTheNewest() {
        node.publishMany("latest:a", 1, 3);

        assertThat(subscribed("latest:a", Cursor.ofUnknownEpoch(0)).texts("latest:a"))
                .containsExactly("3");
    }

    @Test
    void whoHasTheNewestGetsNothing() {
        node.publishMany("latest:a", 1, 3);

        RecordingOutlet client =
                subscribed("latest:a", Cursor.of(head("latest:a").epoch(), 3));

        assertThat(start(client).resume()).isInstanceOf(Resume.Continued.class);
        assertThat(start(client).missed()).isEmpty();
    }

    @Test
    void whoNamesNoEpochGetsTheNewestThoughTheOffsetIsTheSame() {
        node.publishMany("latest:a", 1, 3);

        assertThat(subscribed("latest:a", Cursor.ofUnknownEpoch(3)).texts("latest:a"))
                .containsExactly("3");
    }

    @Test
    void whoComesFromAnotherEpochGetsTheNewest() {
        node.publishMany("latest:a", 1, 3);

        assertThat(subscribed("latest:a", Cursor.of("other", 7)).texts("latest:a"))
                .containsExactly("3");
    }

    @Test
    void whereSomebodyIsAlreadyNothingIsRead() {
        ScriptedStore store = new ScriptedStore(time);
        try (ManualNode scripted = ManualNode.open(store, time, LatestResumeTest::namespaces)) {
            scripted.subscribed("latest:a", StartAt.live());
            scripted.publishMany("latest:a", 1, 3);
            store.readsAsked.clear();

            RecordingOutlet client = scripted.connect().subscribe("latest:a", StartAt.after(Cursor.ofUnknownEpoch(1)));
            scripted.settle();

            assertThat(client.texts("latest:a")).containsExactly("3");
            assertThat(store.readsAsked).isEmpty();
        }
    }

    @Test
    void whereNothingIsRetainedAnyMoreItIsAResetForAllButThoseAtTheTop() {
        node.publishMany("latest:a", 1, 3);
        node.pass(Duration.ofMinutes(2));

        assertThat(start(subscribed("latest:a", head("latest:a"))).resume()).isInstanceOf(Resume.Continued.class);
        assertThat(start(subscribed("latest:a", Cursor.ofUnknownEpoch(2))).resume())
                .isEqualTo(new Resume.Reset(ResetReason.TRIMMED, head("latest:a")));
        assertThat(start(subscribed("latest:a", Cursor.of("other", 3))).resume())
                .isEqualTo(new Resume.Reset(ResetReason.EPOCH, head("latest:a")));
    }

    @Test
    void aNewestThatWasRemovedIsNotShownThoughSomebodyHasItLive() {
        RecordingOutlet live = subscribed("latest:a", Cursor.ofUnknownEpoch(0));
        node.publishMany("latest:a", 1, 3);

        node.await(node.fanfare.removeHistory(ChannelId.of("latest:a")));

        assertThat(live.texts("latest:a")).containsExactly("1", "2", "3");
        assertThat(start(subscribed("latest:a", Cursor.ofUnknownEpoch(2))).resume())
                .isEqualTo(new Resume.Reset(ResetReason.TRIMMED, head("latest:a")));
    }

    @Test
    void theNewestIsTheNewestAlsoWhenItComesMeanwhile() {
        ScriptedStore store = new ScriptedStore(time);
        try (ManualNode scripted = ManualNode.open(store, time, LatestResumeTest::namespaces)) {
            scripted.publishMany("latest:a", 1, 2);
            store.holdsReads = true;
            store.looksWhenAsked = true;
            RecordingOutlet client = scripted.connect().subscribe("latest:a", StartAt.after(Cursor.ofUnknownEpoch(0)));
            scripted.settle();
            store.answerAll();
            scripted.settle();
            scripted.publish("latest:a", "3");

            store.holdsReads = false;
            while (store.answerAll()) {
                scripted.settle();
            }
            scripted.publish("latest:a", "4");

            assertThat(client.texts("latest:a")).containsExactly("3", "4");
        }
    }

    @Test
    void theRulesNeedSomethingToResumeWith() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ChannelRules.builder().resumeWithLatest().build())
                .withMessageContaining("retain");
    }

    // ---- on the condition that it works

    @Test
    void whoMustResumeIsRefusedInsteadOfReset() {
        node.publishMany("log:a", 1, 5);
        RecordingOutlet client = node.connect();

        client.subscribe("log:a", mustResume(Cursor.ofUnknownEpoch(1)));
        node.settle();
        node.publish("log:a", "6");

        assertThat(client.events())
                .containsExactly(new Answered("log:a", new SubscribeResult.Refused(Refusal.UNRECOVERABLE)));
        assertThat(client.connection().isSubscribed(ChannelId.of("log:a"))).isFalse();
    }

    @Test
    void whoMustResumeAndCanDoes() {
        node.publishMany("log:a", 1, 5);
        RecordingOutlet client = node.connect();

        client.subscribe("log:a", mustResume(Cursor.ofUnknownEpoch(4)));
        node.settle();

        assertThat(client.texts("log:a")).containsExactly("5");
    }

    @Test
    void whoMustResumeIsRefusedWhereNothingIsRetained() {
        RecordingOutlet client = node.connect();

        client.subscribe("live:a", mustResume(Cursor.ofUnknownEpoch(0)));
        node.settle();

        assertThat(client.events())
                .containsExactly(new Answered("live:a", new SubscribeResult.Refused(Refusal.UNRECOVERABLE)));
    }

    @Test
    void whoWasRefusedMayTryAgain() {
        node.publishMany("log:a", 1, 5);
        RecordingOutlet client = node.connect();
        client.subscribe("log:a", mustResume(Cursor.ofUnknownEpoch(1)));
        node.settle();

        client.subscribe("log:a", StartAt.live());
        node.settle();
        node.publish("log:a", "6");

        assertThat(client.texts("log:a")).containsExactly("6");
    }

    private static SubscribeRequest mustResume(Cursor cursor) {
        return new SubscribeRequest(StartAt.after(cursor), false, false, "", true, null, null);
    }

    private RecordingOutlet subscribed(String channel, Cursor cursor) {
        RecordingOutlet client = node.connect().subscribe(channel, StartAt.after(cursor));
        node.settle();
        return client;
    }

    private Cursor head(String channel) {
        HistoryResult read = node.await(node.fanfare.history(ChannelId.of(channel), HistoryQuery.latest(0)));
        return ((HistoryResult.Page) read).top();
    }

    private static Subscribed start(RecordingOutlet client) {
        return (Subscribed) ((Answered) client.events().get(0)).result();
    }
}
