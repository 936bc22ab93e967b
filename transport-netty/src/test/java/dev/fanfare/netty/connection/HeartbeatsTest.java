package dev.fanfare.netty.connection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.faults.CausesFault;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HeartbeatsTest {

    private static final Duration SECOND = Duration.ofSeconds(1);

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final Heartbeats heartbeats = new Heartbeats(channel.eventLoop(), SECOND);
    private final List<String> due = new ArrayList<>();
    private long millis;

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    @Test
    void nothingFallsDueEarlyAndAtMostOneTickLate() {
        pass(Duration.ofMillis(300));
        heartbeats.schedule(beat("a"), Duration.ofSeconds(8));

        pass(Duration.ofMillis(7_900));
        assertThat(due).isEmpty();
        pass(Duration.ofMillis(1_200));

        assertThat(due).containsExactly("a");
    }

    @Test
    void aBeatThatSchedulesItselfKeepsItsInterval() {
        heartbeats.schedule(
                new Beat() {
                    @Override
                    protected void due() {
                        due.add(String.valueOf(millis));
                        heartbeats.schedule(this, Duration.ofSeconds(25));
                    }
                },
                SECOND);

        pass(Duration.ofSeconds(80));

        assertThat(due).containsExactly("2000", "27000", "52000", "77000");
    }

    @Test
    void delaysLongerThanTheWheelArePossible() {
        heartbeats.schedule(beat("long"), Duration.ofSeconds(200));
        heartbeats.schedule(beat("short"), Duration.ofSeconds(200 - 192));

        pass(Duration.ofSeconds(199));
        assertThat(due).containsExactly("short");
        pass(Duration.ofSeconds(3));

        assertThat(due).containsExactly("short", "long");
    }

    @Test
    void theLastScheduleCounts() {
        Beat beat = beat("a");
        heartbeats.schedule(beat, Duration.ofSeconds(3));
        heartbeats.schedule(beat, Duration.ofSeconds(10));

        pass(Duration.ofSeconds(9));
        assertThat(due).isEmpty();
        pass(Duration.ofSeconds(30));

        assertThat(due).containsExactly("a");
    }

    @Test
    void aCancelledBeatNeverFallsDue() {
        Beat beat = beat("a");
        heartbeats.schedule(beat, SECOND);
        heartbeats.cancel(beat);
        heartbeats.cancel(beat);

        pass(Duration.ofSeconds(100));

        assertThat(due).isEmpty();
        assertThat(beat.isScheduled()).isFalse();
    }

    @Test
    void beatsMayCancelAndScheduleEachOther() {
        Beat victim = beat("victim");
        Beat later = beat("later");
        heartbeats.schedule(
                new Beat() {
                    @Override
                    protected void due() {
                        due.add("first");
                        heartbeats.cancel(victim);
                        heartbeats.schedule(later, SECOND);
                    }
                },
                SECOND);
        heartbeats.schedule(victim, SECOND);
        heartbeats.schedule(beat("last"), SECOND);

        pass(Duration.ofSeconds(2));
        assertThat(due).containsExactly("first", "last");
        pass(SECOND);

        assertThat(due).containsExactly("first", "last", "later");
    }

    @Test
    @CausesFault("A heartbeat failed")
    void oneThatFailsDoesNotStopTheOthers() {
        heartbeats.schedule(
                new Beat() {
                    @Override
                    protected void due() {
                        throw new StackOverflowError("the test wants this");
                    }
                },
                SECOND);
        heartbeats.schedule(beat("b"), SECOND);
        heartbeats.schedule(beat("c"), Duration.ofSeconds(5));

        pass(Duration.ofSeconds(7));

        assertThat(due).containsExactly("b", "c");
    }

    @Test
    void firstBeatsSpreadOverTheSecondHalfOfTheInterval() {
        for (int i = 0; i < 1_000; i++) {
            heartbeats.scheduleFirst(
                    new Beat() {
                        @Override
                        protected void due() {
                            due.add(String.valueOf(millis));
                        }
                    },
                    Duration.ofSeconds(25));
        }

        pass(Duration.ofSeconds(30));

        assertThat(due).hasSize(1_000);
        assertThat(due.stream().map(Long::valueOf).distinct())
                .hasSize(12)
                .allMatch(moment -> moment >= 12_500 && moment <= 25_000);
    }

    @Test
    void noTimerRunsWhileNothingIsScheduled() {
        Beat beat = beat("a");
        heartbeats.schedule(beat, SECOND);
        heartbeats.cancel(beat);
        assertThat(channel.runScheduledPendingTasks()).isEqualTo(-1);

        heartbeats.schedule(beat, SECOND);
        pass(Duration.ofSeconds(3));

        assertThat(due).containsExactly("a");
        assertThat(channel.runScheduledPendingTasks()).isEqualTo(-1);
    }

    private Beat beat(String name) {
        return new Beat() {
            @Override
            protected void due() {
                due.add(name);
            }
        };
    }

    private void pass(Duration time) {
        for (long left = time.toMillis(); left > 0; left -= 100) {
            millis += 100;
            channel.advanceTimeBy(100, TimeUnit.MILLISECONDS);
            channel.runScheduledPendingTasks();
        }
    }
}
