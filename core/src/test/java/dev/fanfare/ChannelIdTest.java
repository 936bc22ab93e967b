package dev.fanfare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChannelIdTest {

    @Test
    void theNamespaceIsWhatStandsBeforeTheFirstColon() {
        assertThat(ChannelId.of("chat:lobby").namespace()).isEqualTo("chat");
        assertThat(ChannelId.of("chat:lobby:1").namespace()).isEqualTo("chat");
        assertThat(ChannelId.of(":lobby").namespace()).isEmpty();
        assertThat(ChannelId.of("lobby").namespace()).isEmpty();
        assertThat(ChannelId.of("chat:").namespace()).isEqualTo("chat");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a", ":", "chat:lobby", "with space", "ünïcödé", "日本語", "emoji \uD83D\uDE00", "#$%&'\"\\/?"})
    void anyOtherTextIsAName(String name) {
        assertThat(ChannelId.isValid(name)).isTrue();
        assertThat(ChannelId.of(name)).hasToString(name).isEqualTo(new ChannelId(name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a\nb",
                "a\0",
                "\u007f",
                "\u0085",
                "\t",
                "half \uD83D",
                "\uDE00 half",
                "\uDE00\uD83D",
                "\uD83Dx"
            })
    void emptyNamesControlCharactersAndHalfSurrogatesAreRefused(String name) {
        assertThat(ChannelId.isValid(name)).isFalse();
        assertThatThrownBy(() -> ChannelId.of(name)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aNameHasAtMost255Characters() {
        assertThat(ChannelId.isValid("x".repeat(255))).isTrue();
        assertThat(ChannelId.isValid("x".repeat(256))).isFalse();
        assertThatThrownBy(() -> ChannelId.of("x".repeat(256))).hasMessageContaining("got 256 characters");
    }

    @Test
    void theMessageDoesNotRepeatTheName() {
        assertThatThrownBy(() -> ChannelId.of("secret\n")).message().doesNotContain("secret");
    }

    @Test
    void namesAreOrderedAsTexts() {
        assertThat(ChannelId.of("a")).isLessThan(ChannelId.of("b"));
    }
}
