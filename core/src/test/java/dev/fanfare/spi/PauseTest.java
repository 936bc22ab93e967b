package dev.fanfare.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PauseTest {

    private static final long HALF_A_SECOND = TimeUnit.MILLISECONDS.toNanos(500);

    private final Pause pause = new Pause();
    private long now = Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(20); // the clock may run over

    @Test
    void whatHappensNowAndThenIsAlwaysTold() {
        for (int i = 0; i < 100; i++) {
            assertThat(pause.isOver(now)).isTrue();
            now += Pause.SHORTEST;
        }
    }

    @Test
    void whatGoesOnForAnHourIsToldEverLessOften() {
        assertThat(linesOfAnHour()).isBetween(110, 125); // 3,600 s in pauses of 1, 2, 4, 8, 16, 32, 32, …
    }

    @Test
    void afterACalmAsLongAsThePauseItIsASecondAgain() {
        linesOfAnHour();
        now += 2 * Pause.LONGEST;

        assertThat(pause.isOver(now)).isTrue();
        assertThat(pause.isOver(now + HALF_A_SECOND)).isFalse();
        assertThat(pause.isOver(now + Pause.SHORTEST)).isTrue();
    }

    private int linesOfAnHour() {
        int lines = 0;
        for (int i = 0; i < 2 * TimeUnit.HOURS.toSeconds(1); i++) {
            if (pause.isOver(now)) {
                lines++;
            }
            now += HALF_A_SECOND;
        }
        return lines;
    }
}
