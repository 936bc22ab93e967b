package dev.fanfare.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.spi.TimeSource.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ManualTimeTest {

    private final ManualTime time = new ManualTime();
    private final List<String> ran = new ArrayList<>();

    @Test
    void standsStillUntilAdvanced() {
        long nanos = time.nanos();
        long millis = time.millis();
        assertThat(time.nanos()).isEqualTo(nanos);

        time.advance(Duration.ofMillis(1_500));

        assertThat(time.nanos() - nanos).isEqualTo(1_500_000_000L);
        assertThat(time.millis() - millis).isEqualTo(1_500);
    }

    @Test
    void nanosWrapAsARealClockMay() {
        long before = time.nanos();

        time.advance(Duration.ofSeconds(11));

        assertThat(time.nanos()).isNegative();
        assertThat(time.nanos() - before).isEqualTo(11_000_000_000L);
    }

    @Test
    void timersRunInTheOrderOfTheirTimesEachAtItsOwn() {
        long start = time.millis();
        time.schedule(Duration.ofMillis(30), () -> ran.add("c" + (time.millis() - start)));
        time.schedule(Duration.ofMillis(10), () -> ran.add("a" + (time.millis() - start)));
        time.schedule(Duration.ofMillis(10), () -> ran.add("b" + (time.millis() - start)));

        time.advance(Duration.ofMillis(20));
        assertThat(ran).containsExactly("a10", "b10");

        time.advance(Duration.ofMillis(20));
        assertThat(ran).containsExactly("a10", "b10", "c30");
    }

    @Test
    void aTimerMaySetAnotherThatFallsDueInTheSameAdvance() {
        time.schedule(Duration.ofMillis(10), () -> {
            ran.add("first");
            time.schedule(Duration.ofMillis(5), () -> ran.add("second"));
        });

        time.advance(Duration.ofMillis(15));

        assertThat(ran).containsExactly("first", "second");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void aCancelledTimerDoesNotRun() {
        Timer timer = time.schedule(Duration.ofMillis(10), () -> ran.add("cancelled"));
        timer.cancel();

        time.advance(Duration.ofSeconds(1));

        assertThat(ran).isEmpty();
    }

    @Test
    void whatIsScheduledWithoutDelayRunsWithoutTimePassing() {
        time.schedule(Duration.ZERO, () -> ran.add("now"));
        assertThat(ran).isEmpty();

        time.runDue();

        assertThat(ran).containsExactly("now");
    }

    @Test
    void aTimerMustNotAdvance() {
        time.schedule(Duration.ZERO, () -> time.advance(Duration.ZERO));

        assertThatThrownBy(time::runDue).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void timeDoesNotGoBack() {
        assertThatThrownBy(() -> time.advance(Duration.ofNanos(-1))).isInstanceOf(IllegalArgumentException.class);
    }
}
