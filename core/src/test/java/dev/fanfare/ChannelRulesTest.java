package dev.fanfare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ChannelRulesTest {

    private static final Duration HOUR = Duration.ofHours(1);

    @Test
    void withoutAnySettingNothingIsRetained() {
        ChannelRules rules = ChannelRules.builder().build();

        assertThat(rules.isRetained()).isFalse();
        assertThat(rules.retainedCount()).isZero();
        assertThat(rules.hasPresence()).isFalse();
        assertThat(rules.delivery().kind()).isEqualTo(DeliveryClass.Kind.RELIABLE);
        assertThat(rules.maxMessageBytes()).isEqualTo(65_536);
        assertThat(rules.dedupWindow()).isEqualTo(Duration.ofMinutes(5));
        assertThat(rules.headTtl()).isEqualTo(Duration.ofDays(30));
        assertThat(rules.presenceGrace()).isEqualTo(Duration.ofSeconds(10));
        assertThat(rules.recoveryLimit()).isEqualTo(300);
    }

    @Test
    void whatIsSetIsKept() {
        ChannelRules rules = ChannelRules.builder()
                .retain(7, HOUR)
                .headTtl(HOUR.multipliedBy(2))
                .dedupWindow(HOUR.dividedBy(2))
                .presence()
                .presenceGrace(Duration.ZERO)
                .delivery(DeliveryClass.sampled(0.5))
                .maxMessageBytes(1)
                .recoveryLimit(9)
                .build();

        assertThat(rules.isRetained()).isTrue();
        assertThat(rules.retainedCount()).isEqualTo(7);
        assertThat(rules.retainedFor()).isEqualTo(HOUR);
        assertThat(rules.headTtl()).isEqualTo(HOUR.multipliedBy(2));
        assertThat(rules.dedupWindow()).isEqualTo(HOUR.dividedBy(2));
        assertThat(rules.hasPresence()).isTrue();
        assertThat(rules.presenceGrace()).isZero();
        assertThat(rules.delivery().maxPerSecond()).isEqualTo(0.5);
        assertThat(rules.maxMessageBytes()).isEqualTo(1);
        assertThat(rules.recoveryLimit()).isEqualTo(9);
    }

    @Test
    void aRuleThatWouldHaveNoEffectIsRefused() {
        assertRefused(() -> ChannelRules.builder().recoveryLimit(9).build());
        assertRefused(() -> ChannelRules.builder().presenceGrace(HOUR).build());
    }

    @Test
    void presenceForWhomAndOfWhatIsPresence() {
        ChannelRules forAll = ChannelRules.builder().presenceForAll().build();
        ChannelRules perConnection =
                ChannelRules.builder().presencePerConnection().build();

        assertThat(forAll.hasPresence()).isTrue();
        assertThat(forAll.announcesToAll()).isTrue();
        assertThat(forAll.countsConnections()).isFalse();
        assertThat(perConnection.hasPresence()).isTrue();
        assertThat(perConnection.announcesToAll()).isFalse();
        assertThat(perConnection.countsConnections()).isTrue();
    }

    @Test
    void eachSetterChecksItsArgumentAtOnce() {
        ChannelRules.Builder builder = ChannelRules.builder();

        assertRefused(() -> builder.retain(0, HOUR));
        assertRefused(() -> builder.retain(10_000_001, HOUR));
        assertRefused(() -> builder.retain(1, Duration.ZERO));
        assertRefused(() -> builder.retain(1, Duration.ofSeconds(-1)));
        assertRefused(() -> builder.headTtl(Duration.ZERO));
        assertRefused(() -> builder.dedupWindow(Duration.ZERO));
        assertRefused(() -> builder.presenceGrace(Duration.ofMillis(-1)));
        assertRefused(() -> builder.maxMessageBytes(0));
        assertRefused(() -> builder.maxMessageBytes(16 * 1024 * 1024 + 1));
        assertRefused(() -> builder.recoveryLimit(0));
        assertRefused(() -> builder.recoveryLimit(100_001));
    }

    @Test
    void theHeadLivesAsLongAsThePublications() {
        ChannelRules.Builder builder = ChannelRules.builder().retain(1, HOUR).headTtl(HOUR);
        assertThat(builder.build().headTtl()).isEqualTo(HOUR);

        builder.headTtl(HOUR.minusNanos(1));

        assertThatThrownBy(builder::build).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aBuilderMayBeUsedAgain() {
        ChannelRules.Builder builder = ChannelRules.builder().retain(1, HOUR);
        ChannelRules first = builder.build();
        builder.retain(2, HOUR);

        assertThat(first.retainedCount()).isEqualTo(1);
        assertThat(builder.build().retainedCount()).isEqualTo(2);
    }

    private static void assertRefused(Runnable setter) {
        assertThatThrownBy(setter::run).isInstanceOf(IllegalArgumentException.class);
    }
}
