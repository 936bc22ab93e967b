package dev.fanfare.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What the memory log promises beyond the contract of all logs. */
class MemoryLogTest {

    private static final ChannelRules RETAINED =
            ChannelRules.builder().retain(100, Duration.ofMinutes(1)).build();
    private static final ChannelRules MORTAL = ChannelRules.builder()
            .retain(100, Duration.ofSeconds(1))
            .headTtl(Duration.ofSeconds(2))
            .build();

    private final AtomicLong nanos = new AtomicLong();
    private final MemoryBus bus = new MemoryBus(Runnable::run);
    private final LogChannels channels = new LogChannels();
    private final MemoryLog log =
            new MemoryLog(new Clock(nanos::get, () -> 1_000), bus, new DedupTable(1_000), channels);

    @Test
    void stagesAreCompleteWhenTheyAreReturned() {
        assertThat(log.append(request("a", "x", RETAINED)).toCompletableFuture())
                .isCompleted();
        assertThat(log.read(LogRead.head(ChannelId.of("a"))).toCompletableFuture())
                .isCompleted();
    }

    @Test
    void readingLeavesNoTrace() {
        for (int i = 0; i < 100; i++) {
            assertThat(read("nobody-wrote-" + i).head().offset()).isZero();
        }

        assertThat(channels.all()).isEmpty();
    }

    @Test
    void whatIsNotRetainedLeavesNoTrace() {
        append("a", "x", ChannelRules.builder().build());

        assertThat(channels.all()).isEmpty();
    }

    @Test
    void channelsNobodyTouchesAreForgottenWhileOthersAreWritten() {
        for (int i = 0; i < 200; i++) {
            append("quiet-" + i, "x", MORTAL);
        }
        for (int i = 0; i < 50; i++) {
            nanos.addAndGet(Duration.ofSeconds(1).toNanos());
            append("busy", "x", MORTAL);
        }

        assertThat(channels.all()).hasSize(1);
    }

    @Test
    void aChannelThatBeginsAnewNeverRepeatsAnEpoch() {
        Set<String> epochs = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            epochs.add(((AppendResult.Appended) append("a", "x", MORTAL))
                    .publication()
                    .epoch());
            nanos.addAndGet(Duration.ofSeconds(3).toNanos());
        }

        assertThat(epochs).hasSize(100).allMatch(epoch -> epoch.matches("[a-z0-9]{8}"));
    }

    @Test
    void theEndOfChannelsLeavesTheEpochsOfNeverWrittenOnesAlone() {
        for (int i = 0; i < 5_000; i++) {
            append("short-lived-" + i, "x", MORTAL);
        }
        String genesis = read("neighbour").head().epoch();
        nanos.addAndGet(Duration.ofSeconds(3).toNanos());
        Set<String> reborn = new HashSet<>();
        for (int i = 0; i < 5_000; i++) {
            reborn.add(read("short-lived-" + i).head().epoch());
        }

        assertThat(reborn).hasSize(5_000).doesNotContain(genesis);
        for (int i = 0; i < 1_000; i++) {
            assertThat(read("other-" + i).head().epoch()).isEqualTo(genesis);
        }
    }

    @Test
    void moreEndedChannelsThanAreRememberedStillRepeatNoEpoch() {
        int count = 300 * LogChannels.MAX_ENDED;
        Set<String> epochs = new HashSet<>();
        for (int i = 0; i < count; i++) {
            append("short-lived-" + i, "x", MORTAL);
        }
        epochs.add(read("neighbour").head().epoch());
        nanos.addAndGet(Duration.ofSeconds(3).toNanos());
        for (int i = 0; i < count; i++) {
            assertThat(read("short-lived-" + i).head().offset()).isZero();
        }
        for (int i = 0; i < count; i++) {
            assertThat(epochs).doesNotContain(read("short-lived-" + i).head().epoch());
        }
    }

    @Test
    void aBacklogOfAnnouncementsRefusesAppendsBeforeItIsLost() {
        Payload large = Payload.of(new byte[1 << 20]);
        AtomicInteger announced = new AtomicInteger();
        AtomicInteger appended = new AtomicInteger();
        AtomicInteger interrupted = new AtomicInteger();
        // A watcher that appends is announced to only after it has returned, so that the backlog grows.
        Bus.Watcher appending = new Bus.Watcher() {
            @Override
            public void announced(Announcement announcement) {
                if (announced.getAndIncrement() == 0) {
                    while (log.append(request("a", large, RETAINED))
                                    .toCompletableFuture()
                                    .join()
                            instanceof AppendResult.Appended) {
                        appended.incrementAndGet();
                    }
                }
            }

            @Override
            public void interrupted() {
                interrupted.incrementAndGet();
            }
        };
        bus.watch(ChannelId.of("a"), appending).toCompletableFuture().join();

        append("a", "first", RETAINED);

        assertThat(appended.get()).isBetween(60, 66);
        assertThat(announced.get()).isEqualTo(1 + appended.get());
        assertThat(interrupted.get()).isZero();
        assertThat(append("a", "last", RETAINED)).isInstanceOf(AppendResult.Appended.class);
    }

    @Test
    void announcementsThatDoNotFitAreLostAndTheWatchersHearOfIt() {
        Announcement.Published large = new Announcement.Published(
                ChannelId.of("a"),
                Publication.builder(Payload.of(new byte[1 << 20])).build());
        AtomicInteger announced = new AtomicInteger();
        AtomicInteger lost = new AtomicInteger();
        AtomicInteger interrupted = new AtomicInteger();
        Bus.Watcher announcing = new Bus.Watcher() {
            @Override
            public void announced(Announcement announcement) {
                if (announced.getAndIncrement() == 0) {
                    for (int i = 0; i < 100; i++) {
                        if (bus.announce(large).toCompletableFuture().isCompletedExceptionally()) {
                            lost.incrementAndGet();
                        }
                    }
                }
            }

            @Override
            public void interrupted() {
                interrupted.incrementAndGet();
            }
        };
        bus.watch(ChannelId.of("a"), announcing).toCompletableFuture().join();

        bus.announce(large).toCompletableFuture().join();

        assertThat(lost.get()).isPositive();
        assertThat(announced.get() + lost.get()).isEqualTo(101);
        assertThat(interrupted.get()).isEqualTo(1);
    }

    @Test
    void aNegativeLimitIsRefused() {
        assertThatThrownBy(() -> log.read(new LogRead(ChannelId.of("a"), 0, -1, false)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @CanIgnoreReturnValue
    private AppendResult append(String channel, String text, ChannelRules rules) {
        return log.append(request(channel, text, rules)).toCompletableFuture().join();
    }

    private LogPage read(String channel) {
        return log.read(LogRead.after(ChannelId.of(channel), 0, 10))
                .toCompletableFuture()
                .join();
    }

    private static AppendRequest request(String channel, String text, ChannelRules rules) {
        return request(channel, Payload.of(text), rules);
    }

    private static AppendRequest request(String channel, Payload data, ChannelRules rules) {
        return new AppendRequest(ChannelId.of(channel), data, PublishOptions.none(), null, rules, 7);
    }
}
