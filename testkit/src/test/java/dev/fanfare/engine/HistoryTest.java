package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.ClosedException;
import dev.fanfare.Cursor;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.HistoryResult.Page;
import dev.fanfare.HistoryResult.Refused;
import dev.fanfare.HistoryResult.Unrecoverable;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.StoreException;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Reading what was published before. The channel holds 1 to 5 when a test begins. */
class HistoryTest {

    private static final ChannelId CHANNEL = ChannelId.of("log:a");

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final ManualNode node = ManualNode.open(store, time, HistoryTest::namespaces);

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace("log", rules -> rules.retain(5, Duration.ofHours(1)))
                .namespace("", rules -> rules);
    }

    @BeforeEach
    void publish() {
        node.publishMany("log:a", 1, 5);
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void firstReadsTheOldestFirst() {
        HistoryResult result = read(HistoryQuery.first(3));

        assertThat(texts(result)).containsExactly("1", "2", "3");
    }

    @Test
    void latestReadsTheNewestFirst() {
        HistoryResult result = read(HistoryQuery.latest(3));

        assertThat(texts(result)).containsExactly("5", "4", "3");
    }

    @Test
    void aPageTellsThePositionOfTheNewest() {
        HistoryResult result = read(HistoryQuery.first(1));

        assertThat(((Page) result).top()).isEqualTo(store.head("log:a"));
    }

    @Test
    void limitZeroReadsOnlyThePosition() {
        HistoryResult result = read(HistoryQuery.first(0));

        assertThat(result).isEqualTo(new Page(List.of(), store.head("log:a")));
    }

    @Test
    void afterAPositionComesWhatFollowsIt() {
        HistoryResult result = read(HistoryQuery.after(at(2), 2));

        assertThat(texts(result)).containsExactly("3", "4");
    }

    @Test
    void beforeAPositionComesWhatPrecedesItNewestFirst() {
        HistoryResult result = read(HistoryQuery.before(at(4), 2));

        assertThat(texts(result)).containsExactly("3", "2");
    }

    @Test
    void afterTheTopComesNothing() {
        HistoryResult result = read(HistoryQuery.after(store.head("log:a"), 10));

        assertThat(texts(result)).isEmpty();
    }

    @Test
    void whatIsNoLongerRetainedIsLeftOut() {
        node.publishMany("log:a", 6, 7);

        HistoryResult result = read(HistoryQuery.first(10));

        assertThat(texts(result)).containsExactly("3", "4", "5", "6", "7");
    }

    @Test
    void aPositionOfAnotherEpochCannotBeReadFrom() {
        HistoryResult result = read(HistoryQuery.after(Cursor.of("other", 2), 10));

        assertThat(result).isEqualTo(new Unrecoverable(ResetReason.EPOCH, store.head("log:a")));
    }

    @Test
    void aPositionOfUnknownEpochIsReadByItsOffset() {
        HistoryResult result = read(HistoryQuery.after(Cursor.ofUnknownEpoch(3), 10));

        assertThat(texts(result)).containsExactly("4", "5");
    }

    @Test
    void beforeTheBeginningMakesNoSense() {
        HistoryResult result = read(HistoryQuery.before(at(0), 10));

        assertThat(result).isEqualTo(new Refused(Refusal.BAD_REQUEST));
    }

    @Test
    void aChannelThatRetainsNothingHasNone() {
        HistoryResult result = node.await(node.fanfare.history(ChannelId.of("plain"), HistoryQuery.first(1)));

        assertThat(result).isEqualTo(new Refused(Refusal.NOT_AVAILABLE));
    }

    @Test
    void anUnknownNamespaceIsRefused() {
        HistoryResult result = node.await(node.fanfare.history(ChannelId.of("nowhere:a"), HistoryQuery.first(1)));

        assertThat(result).isEqualTo(new Refused(Refusal.UNKNOWN_NAMESPACE));
    }

    @Test
    void aStoreThatFailsIsAnException() {
        store.failsReads = true;

        assertThatThrownBy(() -> read(HistoryQuery.first(1))).cause().isInstanceOf(StoreException.class);
    }

    @Test
    void aStoreThatNeverAnswersTimesOut() {
        store.holdsReads = true;
        var result = node.fanfare.history(CHANNEL, HistoryQuery.first(1)).toCompletableFuture();

        node.pass(Duration.ofSeconds(11));

        assertThat(result).isCompletedExceptionally();
    }

    @Test
    void aClosedFanfareThrows() {
        node.close();

        assertThatThrownBy(() -> node.fanfare.history(CHANNEL, HistoryQuery.first(1)))
                .isInstanceOf(ClosedException.class);
    }

    @Test
    void aClientReadsToo() {
        List<HistoryResult> results = readBy(node, node.connect("ann"));

        assertThat(results)
                .singleElement()
                .satisfies(result -> assertThat(texts(result)).containsExactly("1", "2"));
    }

    @Test
    void aClientThatMayNotIsRefused() {
        try (ManualNode strict = new ManualNode(
                store, time, builder -> namespaces(builder).authorizer((user, action, channel) -> false))) {

            List<HistoryResult> results = readBy(strict, strict.connect("ann"));

            assertThat(results).containsExactly(new Refused(Refusal.NOT_ALLOWED));
        }
    }

    @Test
    void aClientWhoseStoreFailsIsRefusedForNow() {
        store.failsReads = true;

        List<HistoryResult> results = readBy(node, node.connect("ann"));

        assertThat(results).containsExactly(new Refused(Refusal.UNAVAILABLE));
    }

    private HistoryResult read(HistoryQuery query) {
        return node.await(node.fanfare.history(CHANNEL, query));
    }

    private static List<HistoryResult> readBy(ManualNode on, RecordingOutlet client) {
        List<HistoryResult> results = new ArrayList<>();
        client.connection().history(CHANNEL, HistoryQuery.first(2), 1_000, results::add);
        on.settle();
        return results;
    }

    private Cursor at(long offset) {
        return Cursor.of(store.head("log:a").epoch(), offset);
    }

    private static List<String> texts(HistoryResult result) {
        return ((Page) result)
                .publications().stream()
                        .map(publication -> publication.data().text())
                        .toList();
    }

    @Test
    void aPositionWhoseNextOneIsNoLongerRetainedIsToldSo() {
        Cursor had = ((Page) read(HistoryQuery.first(1))).publications().get(0).cursor();
        node.publishMany("log:a", 100, 110);

        HistoryResult result = read(HistoryQuery.after(had, 10));

        assertThat(result).isEqualTo(new Unrecoverable(ResetReason.TRIMMED, store.head("log:a")));
    }

    @Test
    void aPositionOfAnotherHistoryIsToldSo() {
        Cursor head = store.head("log:a");

        HistoryResult result = read(HistoryQuery.after(new Cursor(head.epoch(), head.offset() - 1, 12345), 10));

        assertThat(result).isEqualTo(new Unrecoverable(ResetReason.DIVERGED, head));
    }
}
