package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.PatternSubscription;
import dev.fanfare.Publication;
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

    private List<Integer> history(HistoryQuery query) {
        HistoryResult.Page page = (HistoryResult.Page) node.await(node.fanfare.history(LOG, query));
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
            return store.log().read(read).thenApply(page -> {
                List<Publication> all = page.publications();
                return new LogPage(page.head(), all.subList(0, Math.min(MOST, all.size())));
            });
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
