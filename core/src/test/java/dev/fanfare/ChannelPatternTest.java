package dev.fanfare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChannelPatternTest {

    @ParameterizedTest
    @CsvSource({
        "metrics:*, metrics:cpu, true",
        "metrics:*, metrics:, true",
        "metrics:*, metrics:a:b, true",
        "metrics:*, metrics, false",
        "*, anything:at:all, true",
        "*:cpu, host:cpu, true",
        "*:cpu, host:cpus, false",
        "a*b*c, a1b2b3c, true",
        "a*b*c, a1c2b, false",
        "a?c, abc, false",
        "a?c, a?c, true",
        "**, x, true",
        "same, same, true",
    })
    void aStarStandsForAnyCharactersAndTheRestForItself(String pattern, String channel, boolean matches) {
        assertThat(ChannelPattern.of(pattern).matches(ChannelId.of(channel))).isEqualTo(matches);
    }

    @Test
    void whatCouldNotNameAChannelIsRefused() {
        assertThatThrownBy(() -> ChannelPattern.of("")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ChannelPattern.of("a\nb")).isInstanceOf(IllegalArgumentException.class);
    }
}
