package dev.fanfare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.spi.TokenBucket;
import org.junit.jupiter.api.Test;

class TokenBucketTest {

    private static final long SECOND = 1_000_000_000L;

    private final TokenBucket bucket = new TokenBucket(Rate.of(10, 30));

    private static int takeAll(TokenBucket bucket, long now) {
        int taken = 0;
        while (taken < 1_000 && bucket.tryTake(now)) {
            taken++;
        }
        return taken;
    }

    @Test
    void aBurstIsTakenAtOnceAndNoMore() {
        assertThat(takeAll(bucket, 5 * SECOND)).isEqualTo(30);
        assertThat(bucket.tryTake(5 * SECOND)).isFalse();
    }

    @Test
    void tokensComeBackAtTheRate() {
        takeAll(bucket, 0);

        assertThat(bucket.tryTake(SECOND / 10 - 1)).isFalse();
        assertThat(bucket.tryTake(SECOND / 10)).isTrue();
        assertThat(takeAll(bucket, SECOND / 10 + SECOND)).isEqualTo(10);
    }

    @Test
    void itNeverHoldsMoreThanABurst() {
        takeAll(bucket, 0);

        assertThat(takeAll(bucket, 3_600 * SECOND)).isEqualTo(30);
    }

    @Test
    void timeMayBeAnyNumberAndWrapAround() {
        long start = Long.MAX_VALUE - SECOND;
        takeAll(bucket, start);

        assertThat(bucket.tryTake(start + SECOND / 20)).isFalse();
        assertThat(takeAll(bucket, start + 2 * SECOND)).isEqualTo(20); // start + 2 s has wrapped around
    }

    @Test
    void refusedTokensCostNothing() {
        takeAll(bucket, 0);
        for (int i = 0; i < 10_000; i++) {
            assertThat(bucket.tryTake(1)).isFalse();
        }

        assertThat(bucket.tryTake(SECOND / 10)).isTrue();
    }

    @Test
    void unlimitedRefusesNothing() {
        assertThat(takeAll(new TokenBucket(Rate.unlimited()), 0)).isEqualTo(1_000);
    }

    @Test
    void ratesThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> Rate.of(0, 1)).hasMessageContaining("perSecond");
        assertThatThrownBy(() -> Rate.of(Double.NaN, 1)).hasMessageContaining("perSecond");
        assertThatThrownBy(() -> Rate.of(1, 0)).hasMessageContaining("burst");
    }
}
