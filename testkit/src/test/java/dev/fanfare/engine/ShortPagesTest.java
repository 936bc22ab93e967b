package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.HistoryResult.Unrecoverable;
import dev.fanfare.PatternSubscription;
import dev.fanfare.Publication;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.Connection.SubscribeResult.Subscribed;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A log may give fewer publications than it is asked for, so that a page of large ones does not get too large. */
class ShortPagesTest {

    private static final String LOG = "log:a";
    private static final int SIZE = 60_000;

    private final ManualTime time = new ManualTime();
    private final MemoryStore store = MemoryStore.create(time);
    private final FaultyStore faulty = FaultyStore.wrap(store, time, 1);
    private final ManualNode node = ManualNode.open(
            faulty,
            time,
            builder -> builder.log(new ShortPages())
                    .namespace(
                            "log",
                            rules -> rules.retain(100, Duration.ofHours(1)).recoveryLimit(80)));

    private Runnable afterNextPage = () -> {};

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void aResumeOfManyLargePublicationsIsContinuedAndComplete() {
        publish(60);

        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.after(Cursor.ofUnknownEpoch(1)));
        node.settle();

        assertThat(numbers(client))
                .isEqualTo(IntStream.rangeClosed(2, 60).boxed().toList());
        assertThat(answer(client).resume()).isInstanceOf(Resume.Continued.class);
    }

    @Test
    void whatIsTooFarIsTooFarHoweverShortThePages() {
        publish(90);

        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.after(Cursor.ofUnknownEpoch(1)));
        node.settle();

        assertThat(answer(client).resume()).isInstanceOf(Resume.Reset.class);
        assertThat(numbers(client)).isEmpty();
    }

    @Test
    void asManyOfTheNewestComeAsWereAskedFor() {
        publish(60);

        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.latest(50));
        node.settle();
        publish(61, 61);

        assertThat(numbers(client))
                .isEqualTo(IntStream.rangeClosed(11, 61).boxed().toList());
    }

    @Test
    void ofFewerAllCome() {
        publish(7);

        RecordingOutlet client = node.connect().subscribe(LOG, StartAt.latest(50));
        node.settle();

        assertThat(numbers(client)).containsExactly(1, 2, 3, 4, 5, 6, 7);
    }

    @Test
    void aPatternSubscriptionGetsAllOfALargeHole() {
        List<Integer> heard = new ArrayList<>();
        PatternSubscription pattern =
                node.fanfare.subscribeMatching("log:*", (channel, publication) -> heard.add(number(publication)));
        node.endFirst(pattern::close);
        node.settle();
        publish(1);
        faulty.bus().lose(1);
        publish(2, 20);
        faulty.bus().heal();

        publish(21, 21);
        node.settle();

        assertThat(heard).isEqualTo(IntStream.rangeClosed(1, 21).boxed().toList());
    }

    @Test
    void historyBringsAsMuchAsWasAskedFor() {
        publish(60);

        assertThat(history(HistoryQuery.latest(50)))
                .hasSize(50)
                .startsWith(60, 59)
                .endsWith(11);
        assertThat(history(HistoryQuery.first(50))).hasSize(50).startsWith(1, 2).endsWith(50);
        assertThat(history(HistoryQuery.latest(100))).hasSize(60);
    }

    @Test
    void whatIsTrimmedBetweenTwoPagesOfAHistoryIsToldInsteadOfLeftOut() {
        publish(60);
        afterNextPage = () -> publish(61, 160);

        assertThat(read(HistoryQuery.first(50))).isEqualTo(new Unrecoverable(ResetReason.TRIMMED, head()));
    }

    @Test
    void aHistoryThatIsTrimmedToNothingBetweenTwoPagesIsToldSo() {
        publish(60);
        afterNextPage = () -> node.await(node.fanfare.removeHistory(ChannelId.of(LOG)));

        assertThat(read(HistoryQuery.first(50))).isEqualTo(new Unrecoverable(ResetReason.TRIMMED, head()));
    }

    @Test
    void twoHistoriesAreNeverMixedInOneAnswer() {
        publish(10);
        afterNextPage = () -> failOver(2, 10);

        assertThat(read(HistoryQuery.first(50))).isEqualTo(new Unrecoverable(ResetReason.DIVERGED, head()));
    }

    @Test
    void norBackwards() {
        publish(10);
        afterNextPage = () -> failOver(5, 10);

        assertThat(read(HistoryQuery.latest(50))).isEqualTo(new Unrecoverable(ResetReason.DIVERGED, head()));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aNewLifeOfTheLogIsNotTheEndOfTheOldOne(boolean isReverse) {
        publish(10);
        afterNextPage = () -> {
            time.advance(Duration.ofDays(31));
            publish(1);
        };

        assertThat(read(new HistoryQuery(null, 50, isReverse))).isEqualTo(new Unrecoverable(ResetReason.EPOCH, head()));
    }

    @Test
    void whatIsPublishedWhileHistoryIsReadIsPartOfItAndNotBeyondItsTop() {
        publish(10);
        afterNextPage = () -> publish(11, 12);

        HistoryResult.Page page = page(HistoryQuery.first(50));

        assertThat(numbers(page)).hasSize(12).endsWith(12);
        assertThat(page.top()).isEqualTo(page.publications().get(11).cursor());
    }

    @Test
    void readBackwardsItBeginsAtItsTop() {
        publish(10);
        afterNextPage = () -> publish(11, 12);

        HistoryResult.Page page = page(HistoryQuery.latest(50));

        assertThat(numbers(page)).hasSize(10).startsWith(10).endsWith(1);
        assertThat(page.top()).isEqualTo(page.publications().get(0).cursor());
    }

    @Test
    void whatIsTrimmedWhileHistoryIsReadBackwardsIsItsEnd() {
        publish(60);
        afterNextPage = () -> publish(61, 120);

        assertThat(history(HistoryQuery.latest(60))).hasSize(40).startsWith(60).endsWith(21);
    }

    @Test
    void noMoreIsReadThanFitsIntoTheReply() {
        publish(60);
        List<HistoryResult> results = new ArrayList<>();

        node.connect().connection().history(ChannelId.of(LOG), HistoryQuery.first(50), 5 * SIZE, results::add);
        node.settle();

        assertThat(numbers((HistoryResult.Page) results.get(0))).containsExactly(1, 2, 3, 4, 5, 6);
    }

    private List<Integer> history(HistoryQuery query) {
        return numbers(page(query));
    }

    private HistoryResult.Page page(HistoryQuery query) {
        return (HistoryResult.Page) read(query);
    }

    private HistoryResult read(HistoryQuery query) {
        return node.await(node.fanfare.history(LOG, query));
    }

    private Cursor head() {
        return page(HistoryQuery.latest(0)).top();
    }

    /** Lets a stale replica take over, which others then write to. */
    private void failOver(long keptOffset, int upTo) {
        node.await(faulty.failOver(ChannelId.of(LOG), keptOffset));
        publish((int) keptOffset + 1, upTo);
    }

    private static List<Integer> numbers(HistoryResult.Page page) {
        return page.publications().stream().map(ShortPagesTest::number).toList();
    }

    private static int number(Publication publication) {
        String text = publication.data().text();
        return Integer.parseInt(text.substring(0, text.indexOf(' ')));
    }

    private void publish(int upTo) {
        publish(1, upTo);
    }

    private void publish(int from, int to) {
        for (int i = from; i <= to; i++) {
            node.publish(LOG, i + " " + "x".repeat(SIZE));
        }
    }

    private static List<Integer> numbers(RecordingOutlet client) {
        return client.texts(LOG).stream()
                .map(text -> Integer.parseInt(text.substring(0, text.indexOf(' '))))
                .toList();
    }

    private static Subscribed answer(RecordingOutlet client) {
        return client.events().stream()
                .filter(Answered.class::isInstance)
                .map(event -> (Subscribed) ((Answered) event).result())
                .findFirst()
                .orElseThrow();
    }

    private final class ShortPages implements ChannelLog {
        private static final int MOST = 3;

        @Override
        public CompletionStage<LogPage> read(LogRead read) {
            CompletionStage<LogPage> page = faulty.log().read(read).thenApply(this::shortened);
            Runnable meanwhile = afterNextPage;
            afterNextPage = () -> {};
            meanwhile.run();
            return page;
        }

        private LogPage shortened(LogPage page) {
            List<Publication> all = page.publications();
            return new LogPage(page.head(), all.subList(0, Math.min(MOST, all.size())));
        }

        @Override
        public CompletionStage<AppendResult> append(AppendRequest request) {
            return faulty.log().append(request);
        }

        @Override
        public CompletionStage<Void> clear(ChannelId channel) {
            return store.log().clear(channel);
        }

        @Override
        public boolean announcesOn(Bus bus) {
            return faulty.log().announcesOn(bus);
        }
    }
}
