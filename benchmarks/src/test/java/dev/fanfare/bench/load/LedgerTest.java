package dev.fanfare.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What the account says of readers that get too little, too much, or in disorder. */
class LedgerTest {

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final long MILLI = 1_000_000;

    private final Plan plan = new Plan(3, 2, 10, SECOND, SECOND, 1);
    private final Ledger ledger = new Ledger(plan);

    @Test
    void aReaderIsCompleteWithAllOfItsChannel() {
        for (int publication = 0; publication < 20; publication += 2) {
            ledger.received(0, publication, 0);
        }
        ledger.received(2, 0, 0);

        assertThat(ledger.isComplete(0)).isTrue();
        assertThat(ledger.isComplete(2)).isFalse();
        assertThat(ledger.deliveries()).isEqualTo(11);
        assertThat(ledger.expected()).isEqualTo(30);
    }

    @Test
    void repetitionAndDisorderAreCounted() {
        ledger.received(1, 1, 0);
        ledger.received(1, 5, 0);
        ledger.received(1, 3, 0);
        ledger.received(1, 5, 0);

        assertThat(ledger.repeated()).isEqualTo(1);
        assertThat(ledger.disordered()).isEqualTo(1);
    }

    @Test
    void latencyCountsFromWhenItWasDueAndNotBeforeMeasuring() {
        ledger.started(1_000);
        ledger.received(0, 8, 1_000 + 900 * MILLI);
        ledger.received(0, 10, 1_000 + 1_007 * MILLI);
        ledger.received(0, 12, 1_000 + 1_500 * MILLI);

        assertThat(ledger.latency().getTotalCount()).isEqualTo(2);
        assertThat(ledger.latency().getMinValue()).isCloseTo(7 * MILLI, withPercentage(1));
        assertThat(ledger.latency().getMaxValue()).isCloseTo(300 * MILLI, withPercentage(1));
        assertThat(ledger.intervals()).hasSize(5);
    }
}
