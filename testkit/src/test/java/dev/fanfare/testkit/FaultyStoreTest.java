package dev.fanfare.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Health;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.StoreException;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.presence.Member;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.spi.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class FaultyStoreTest {

    private static final ChannelId ROOM = ChannelId.of("room");
    private static final ChannelRules RULES =
            ChannelRules.builder().retain(100, Duration.ofHours(1)).build();

    private final ManualTime time = new ManualTime();
    private final FaultyStore store = FaultyStore.wrap(MemoryStore.create(time), time, 42);
    private long tags;

    @Test
    void lostAnnouncementsAreNotHeardAndStayInTheLog() {
        RecordingWatcher watcher = RecordingWatcher.watching(store.bus(), ROOM);
        store.bus().lose(1);
        append("a");
        store.heal();
        append("b");

        assertThat(watcher.nextPublication().data().text()).isEqualTo("b");
        assertThat(texts(read(0))).containsExactly("a", "b");
        assertThat(store.bus().lost()).isEqualTo(1);
    }

    @Test
    void aBusCanRefuseToBeWatched() {
        store.bus().failWatches(1);
        assertThatThrownBy(() -> RecordingWatcher.watching(store.bus(), ROOM)).hasCauseInstanceOf(StoreException.class);

        store.heal();
        RecordingWatcher watcher = RecordingWatcher.watching(store.bus(), ROOM);
        append("a");

        assertThat(watcher.nextPublication().data().text()).isEqualTo("a");
    }

    @Test
    void repeatedAnnouncementsAreHeardTwice() {
        RecordingWatcher watcher = RecordingWatcher.watching(store.bus(), ROOM);
        store.bus().repeat(1);
        append("a");

        assertThat(watcher.nextPublication().offset()).isEqualTo(1);
        assertThat(watcher.nextPublication().offset()).isEqualTo(1);
        assertThat(watcher.waiting()).isEmpty();
    }

    @Test
    void swappedAnnouncementsAreHeardAfterTheNext() {
        RecordingWatcher watcher = RecordingWatcher.watching(store.bus(), ROOM);
        store.bus().swap(1);
        append("a");
        store.bus().swap(0);
        append("b");

        assertThat(watcher.nextPublication().data().text()).isEqualTo("b");
        assertThat(watcher.nextPublication().data().text()).isEqualTo("a");
    }

    @Test
    void delayedAnnouncementsAreHeardWhenTimeHasPassed() {
        RecordingWatcher watcher = RecordingWatcher.watching(store.bus(), ROOM);
        store.bus().delay(1, Duration.ofSeconds(5));
        append("a");
        assertThat(watcher.waiting()).isEmpty();

        time.advance(Duration.ofSeconds(5));

        assertThat(watcher.nextPublication().data().text()).isEqualTo("a");
    }

    @Test
    void aShareIsLostAndTheSameForTheSameSeed() {
        List<Long> lost = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            FaultyStore seeded = FaultyStore.wrap(MemoryStore.create(time), time, 7);
            RecordingWatcher watcher = RecordingWatcher.watching(seeded.bus(), ROOM);
            seeded.bus().lose(0.3);
            for (int i = 0; i < 1_000; i++) {
                StoreContract.await(seeded.log().append(request("p" + i)));
            }
            lost.add(seeded.bus().lost());
            assertThat(watcher.waiting()).hasSize((int) (1_000 - seeded.bus().lost()));
        }

        assertThat(lost.get(0)).isBetween(200L, 400L).isEqualTo(lost.get(1));
    }

    @Test
    void interruptTellsTheWatchers() {
        RecordingWatcher open = RecordingWatcher.watching(store.bus(), ROOM);
        RecordingWatcher closed = RecordingWatcher.watching(store.bus(), ROOM);
        closed.close();

        store.bus().interrupt();

        assertThat(open.interruptions()).isEqualTo(1);
        assertThat(closed.interruptions()).isZero();
    }

    @Test
    void aFailedAppendDidNothing() {
        store.appends().fail(1);
        assertFails(store.log().append(request("a")).toCompletableFuture());
        store.heal();

        assertThat(read(0).head().offset()).isZero();
        assertThat(store.appends().failures()).isEqualTo(1);
    }

    @Test
    void anAppendWhoseAnswerWasLostIsThere() {
        store.appends().loseAnswers(1);
        assertFails(store.log().append(request("a")).toCompletableFuture());
        store.heal();

        assertThat(texts(read(0))).containsExactly("a");
    }

    @Test
    void aHeldAppendWaitsForTheGate() {
        Gate gate = store.appends().hold();
        CompletableFuture<AppendResult> held = store.log().append(request("a")).toCompletableFuture();
        gate.awaitArrivals(1);
        assertThat(held).isNotDone();
        assertThat(read(0).head().offset()).isZero();

        gate.open();

        assertThat(held).isCompleted();
        assertThat(texts(read(0))).containsExactly("a");
        append("b");
        assertThat(texts(read(0))).containsExactly("a", "b");
    }

    @Test
    void aHeldAnswerOfAReadIsOldWhenItComes() {
        append("a");
        Gate gate = store.reads().holdAnswers();
        CompletableFuture<LogPage> held =
                store.log().read(LogRead.after(ROOM, 0, 10)).toCompletableFuture();
        store.heal();
        append("b");
        assertThat(held).isNotDone();

        gate.open();

        assertThat(texts(held.join())).containsExactly("a");
    }

    @Test
    void aDelayedReadIsMadeWhenTimeHasPassed() {
        store.reads().delay(Duration.ofSeconds(5));
        CompletableFuture<LogPage> delayed =
                store.log().read(LogRead.after(ROOM, 0, 10)).toCompletableFuture();
        append("a");
        assertThat(delayed).isNotDone();

        time.advance(Duration.ofSeconds(5));

        assertThat(texts(delayed.join())).containsExactly("a");
    }

    @Test
    void presenceFailsWhenToldTo() {
        store.presenceCalls().fail(1);

        assertFails(store.presence()
                .enter("node", ROOM, new Member("ana", "c1", null), Duration.ZERO)
                .toCompletableFuture());
    }

    @Test
    void controlAndLatestValuesFailWhenToldTo() {
        store.controlCalls().fail(1);
        store.latestCalls().fail(1);

        assertFails(store.control().send("hello").toCompletableFuture());
        assertFails(store.latestValues().get(ROOM, "key").toCompletableFuture());
    }

    @Test
    void afterAFailOverTheLogGoesOnFromAnEarlierPointInTheSameEpoch() {
        List<Publication> before = List.of(append("a"), append("b"), append("c"));
        StoreContract.await(store.failOver(ROOM, 1));
        RecordingWatcher watcher = RecordingWatcher.watching(store.bus(), ROOM);
        assertThat(read(0).head()).isEqualTo(before.get(0).cursor());

        Publication diverged = append("x");

        assertThat(diverged.offset()).isEqualTo(2);
        assertThat(diverged.epoch()).isEqualTo(before.get(1).epoch());
        assertThat(diverged.tag()).isNotEqualTo(before.get(1).tag());
        assertThat(diverged.follows(before.get(0).cursor())).isTrue();
        assertThat(texts(read(0))).containsExactly("a", "x");
        assertThat(watcher.nextPublication().cursor()).isEqualTo(diverged.cursor());
        assertThat(texts(StoreContract.await(store.log().read(LogRead.newest(ROOM, 1)))))
                .containsExactly("x");
    }

    @Test
    void aShareOutOfRangeIsRefused() {
        assertThatThrownBy(() -> store.bus().lose(1.1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.appends().fail(-0.1)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Without faults it keeps the contract. */
    @Test
    void theBusIsAsHealthyAsTheOneBehindIt() {
        FaultyBus wrapped = new FaultyBus(new Down(), time, new Dice(1));

        assertThat(wrapped.health()).isEqualTo(Health.down("away"));
        assertThat(store.bus().health().isUp()).isTrue();
    }

    /** A bus through which nothing gets. */
    private static final class Down implements Bus {
        @Override
        public CompletionStage<Watch> watch(ChannelId channel, Watcher watcher) {
            return new CompletableFuture<>();
        }

        @Override
        public CompletionStage<Void> announce(Announcement announcement) {
            return new CompletableFuture<>();
        }

        @Override
        public Health health() {
            return Health.down("away");
        }
    }

    private static final class Faultless implements StoreFixture {
        private final ManualTime time = new ManualTime();
        private final FaultyStore store = FaultyStore.wrap(MemoryStore.create(time), time, 1);

        @Override
        public Store store() {
            return store;
        }

        @Override
        public boolean interruptBus() {
            store.bus().interrupt();
            return true;
        }

        @Override
        public void pass(Duration duration) {
            time.advance(duration);
        }
    }

    @Nested
    class LogWithoutFaults extends ChannelLogContract {
        LogWithoutFaults() {
            super(new Faultless());
        }
    }

    @Nested
    class BusWithoutFaults extends BusContract {
        BusWithoutFaults() {
            super(new Faultless());
        }
    }

    private static void assertFails(CompletableFuture<?> stage) {
        assertThatThrownBy(stage::join)
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(StoreException.class);
    }

    @CanIgnoreReturnValue
    private Publication append(String text) {
        return ((AppendResult.Appended) StoreContract.await(store.log().append(request(text)))).publication();
    }

    private AppendRequest request(String text) {
        return new AppendRequest(ROOM, Payload.of(text), PublishOptions.none(), null, RULES, ++tags);
    }

    private LogPage read(long after) {
        return StoreContract.await(store.log().read(LogRead.after(ROOM, after, 100)));
    }

    private static List<String> texts(LogPage page) {
        return page.publications().stream()
                .map(publication -> publication.data().text())
                .toList();
    }
}
