package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.ResetReason;
import dev.fanfare.StartAt;
import dev.fanfare.faults.CausesFault;
import dev.fanfare.faults.LogWatch;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.TimeSource;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.Gate;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Disconnected;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

/** Parts that throw what they must not: nobody loses anything unsaid, and nothing stands still for good. */
@ExtendWith(Quiet.class)
class BrokenPartsTest {

    private static final String LOG = "log:a";
    private static final Duration PROBED = Duration.ofSeconds(50);

    private final ManualTime time = new ManualTime();
    private final FaultyStore store = FaultyStore.wrap(MemoryStore.create(time), time, 1);
    private final ThrowingLog log = new ThrowingLog();
    private final ManualNode node = ManualNode.open(
            store,
            time,
            builder -> builder.log(log)
                    .namespace("log", rules -> rules.retain(100, Duration.ofHours(1)))
                    .namespace("short", rules -> rules.retain(1, Duration.ofHours(1)))
                    .namespace("room", rules -> rules.presence()));

    @AfterEach
    void close() {
        store.heal();
        node.close();
    }

    // ---- outlets

    @Test
    @CausesFault("An outlet failed")
    void whoCannotBeWrittenToComesBackAndTheOthersGetEverything() {
        RecordingOutlet before = node.subscribed(LOG, StartAt.live());
        RecordingOutlet broken = node.subscribed(LOG, StartAt.live());
        RecordingOutlet after = node.subscribed(LOG, StartAt.live());
        broken.onWrite(BrokenPartsTest::runOutOfMemory);

        node.publish(LOG, "1");
        node.settle();

        assertThat(broken.events()).contains(new Disconnected(DisconnectReason.WRITE_ERROR));
        assertThat(before.texts(LOG)).containsExactly("1");
        assertThat(after.texts(LOG)).containsExactly("1");
    }

    @Test
    @CausesFault("An outlet failed")
    void whoCannotBeFlushedComesBack() {
        RecordingOutlet broken = node.subscribed(LOG, StartAt.live());
        broken.onFlush(BrokenPartsTest::runOutOfMemory);

        node.publish(LOG, "1");
        node.settle();

        assertThat(broken.events()).endsWith(new Disconnected(DisconnectReason.WRITE_ERROR));
    }

    @Test
    @CausesFault("An outlet failed")
    void whoBreaksWhileCatchingUpComesBackAndNobodyBehindWaitsForEver() {
        RecordingOutlet broken = node.connect().subscribe(LOG, StartAt.live()).subscribe("log:b", StartAt.live());
        node.settle();
        broken.takeOnly(1);
        for (int i = 1; i <= 3; i++) {
            node.publish(LOG, "" + i);
        }
        broken.onWrite(BrokenPartsTest::runOutOfMemory);

        broken.drain();
        node.settle();

        assertThat(broken.events()).contains(new Disconnected(DisconnectReason.WRITE_ERROR));
    }

    private static void runOutOfMemory() {
        throw new OutOfMemoryError("on purpose");
    }

    // ---- the clock

    /** Who used something up is to be forgotten later, for which the clock is asked. */
    @Test
    void whoGoesWhileTheClockTakesNoTaskLeavesNothingBehind() {
        HostsTime clock = new HostsTime(time);
        try (Fanfare fanfare = withClock(clock)) {
            RecordingOutlet client = publishedBy(fanfare, "ada");
            clock.next = () -> {
                throw new IllegalStateException("on purpose");
            };

            client.vanish();
            node.settle();

            assertThat(fanfare.stats().connections()).isZero();
            assertThat(fanfare.stats().subscriptions()).isZero();
        }
    }

    @Test
    void theClockIsAskedWhileOthersOfTheUserMayComeAndGo() {
        HostsTime clock = new HostsTime(time);
        try (Fanfare fanfare = withClock(clock)) {
            RecordingOutlet client = publishedBy(fanfare, "ada");
            clock.next = () -> CompletableFuture.runAsync(
                            () -> RecordingOutlet.connect(fanfare, new ManualLoop(), node.format, "ada"))
                    .orTimeout(5, TimeUnit.SECONDS)
                    .join();

            client.vanish();
            node.settle();

            assertThat(fanfare.stats().connections()).isEqualTo(1);
        }
    }

    private Fanfare withClock(TimeSource clock) {
        return Fanfare.builder()
                .store(MemoryStore.create(time))
                .timeSource(clock)
                .hostExecutor(node.host)
                .authorizer(Authorizer.allowAll())
                .build();
    }

    private RecordingOutlet publishedBy(Fanfare fanfare, String user) {
        RecordingOutlet client = RecordingOutlet.connect(fanfare, node.loop, node.format, user);
        client.subscribe("a", StartAt.live());
        client.connection().publish(ChannelId.of("a"), Payload.of("1"), PublishOptions.none(), result -> {});
        node.settle();
        return client;
    }

    // ---- the log

    @Test
    void aReadThatThrowsStopsNoLaterRepair() {
        RecordingOutlet one = node.subscribed(LOG, StartAt.live());
        RecordingOutlet other = node.subscribed("log:b", StartAt.live());
        store.bus().lose(1);
        node.publish(LOG, "1");
        node.publish("log:b", "1");
        store.bus().heal();
        log.isThrowing.set(true);
        node.pass(PROBED);
        log.isThrowing.set(false);

        node.pass(PROBED);

        assertThat(one.texts(LOG)).containsExactly("1");
        assertThat(other.texts("log:b")).containsExactly("1");
    }

    @Test
    void whatIsAppendedAfterEverybodyGaveUpWaitingIsAnnouncedAllTheSame() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        Gate gate = store.appends().hold();
        node.fanfare.publish(LOG, "late");
        node.pass(Duration.ofSeconds(11));

        gate.open();
        node.settle();

        assertThat(client.texts(LOG)).containsExactly("late");
    }

    @Test
    void aLastAnnouncementThatIsLostRightAfterNewsIsFoundWithinAMinute() {
        RecordingOutlet client = node.subscribed(LOG, StartAt.live());
        node.publish(LOG, "1");
        store.bus().lose(1);
        node.publish(LOG, "2");
        store.bus().heal();

        node.pass(PROBED);

        assertThat(client.texts(LOG)).containsExactly("1", "2");
    }

    // ---- presence

    @Test
    void leavesDoNotPileUpWhileThePresenceStoreIsDown() {
        node.settle();
        store.presenceCalls().fail(1);
        for (int minute = 0; minute < 5; minute++) {
            for (int i = 0; i < 20; i++) {
                node.connect("user" + i).subscribe("room:a", StartAt.live());
                node.settle();
            }
            node.pass(Duration.ofMinutes(1));
        }
        long before = store.presenceCalls().failures();

        node.pass(Duration.ofSeconds(10));

        assertThat(store.presenceCalls().failures() - before)
                .as("heartbeats and sweeps of ten seconds")
                .isLessThanOrEqualTo(14);
    }

    // ---- the log file

    @Test
    void aResetLeavesALine() {
        node.publishMany("short:a", 1, 3);
        Logger losses = (Logger) LoggerFactory.getLogger("dev.fanfare.internal.LossLog");
        losses.setLevel(Level.INFO);
        try (LogWatch lines = new LogWatch()) {
            node.connect().subscribe("short:a", StartAt.after(Cursor.ofUnknownEpoch(1)));
            node.settle();

            assertThat(lines.lines())
                    .anyMatch(line -> line.contains("short:a") && line.contains(ResetReason.TRIMMED.name()));
        } finally {
            losses.setLevel(null);
        }
    }

    /** The store's log, which can be told to throw; it leaves announcements to Fanfare. */
    private final class ThrowingLog implements ChannelLog {
        private final AtomicBoolean isThrowing = new AtomicBoolean();

        @Override
        public CompletionStage<AppendResult> append(AppendRequest request) {
            return store.log().append(request);
        }

        @Override
        public CompletionStage<LogPage> read(LogRead read) {
            if (isThrowing.get()) {
                runOutOfMemory();
            }
            return store.log().read(read);
        }

        @Override
        public CompletionStage<Void> clear(ChannelId channel) {
            return store.log().clear(channel);
        }

        @Override
        public boolean announcesOn(Bus bus) {
            return false;
        }
    }

    /** A clock of the host's, which does something of its own when it is next given a task. */
    private static final class HostsTime implements TimeSource {
        private final ManualTime time;
        private @Nullable Runnable next;

        HostsTime(ManualTime time) {
            this.time = time;
        }

        @Override
        public long millis() {
            return time.millis();
        }

        @Override
        public long nanos() {
            return time.nanos();
        }

        @Override
        public Timer schedule(Duration delay, Runnable task) {
            Runnable own = next;
            next = null;
            if (own != null) {
                own.run();
            }
            return time.schedule(delay, task);
        }
    }
}
