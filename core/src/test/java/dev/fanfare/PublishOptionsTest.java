package dev.fanfare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PublishOptionsTest {

    @Test
    void noneSaysNothing() {
        PublishOptions none = PublishOptions.none();

        assertThat(none.dedupKey()).isNull();
        assertThat(none.key()).isNull();
        assertThat(none.eventType()).isNull();
        assertThat(none.headers()).isEmpty();
    }

    @Test
    void eachMethodAddsToWhatIsThere() {
        PublishOptions options = PublishOptions.dedupKey("d")
                .withKey("k")
                .withEventType("e")
                .withHeader("a", "1")
                .withHeader("b", "2")
                .withHeader("a", "3");

        assertThat(options.dedupKey()).isEqualTo("d");
        assertThat(options.key()).isEqualTo("k");
        assertThat(options.eventType()).isEqualTo("e");
        assertThat(options.headers()).isEqualTo(Map.of("a", "3", "b", "2"));
        assertThat(options.withDedupKey("other").key()).isEqualTo("k");
    }

    @Test
    void eachMethodLeavesTheOriginalAlone() {
        PublishOptions options = PublishOptions.dedupKey("d");
        assertThat(options.withKey("k").withHeader("a", "1")).isNotSameAs(options);

        assertThat(options.key()).isNull();
        assertThat(options.headers()).isEmpty();
    }

    @Test
    void headersAreCopied() {
        Map<String, String> headers = new HashMap<>(Map.of("a", "1"));
        PublishOptions options = PublishOptions.none().withHeaders(headers);
        headers.put("b", "2");

        assertThat(options.headers()).containsOnlyKeys("a");
        assertThatThrownBy(() -> options.headers().put("b", "2")).isInstanceOf(UnsupportedOperationException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\nb", "\r", "nul\0", "\u0085"})
    void emptyTextsAndControlCharactersAreRefused(String text) {
        assertThatThrownBy(() -> PublishOptions.dedupKey(text)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PublishOptions.none().withKey(text)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PublishOptions.none().withEventType(text))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PublishOptions.none().withHeader(text, "v"))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void textsHaveAtMost255Characters() {
        assertThat(PublishOptions.dedupKey("x".repeat(255)).dedupKey()).hasSize(255);
        assertThatThrownBy(() -> PublishOptions.dedupKey("x".repeat(256)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("256");
    }

    @Test
    void thereAreAtMost32HeadersOf4096CharactersInAll() {
        Map<String, String> headers = new HashMap<>();
        for (int i = 0; i < 32; i++) {
            headers.put("h" + (10 + i), "v");
        }
        assertThat(PublishOptions.none().withHeaders(headers).headers()).hasSize(32);
        headers.put("one more", "v");
        assertThatThrownBy(() -> PublishOptions.none().withHeaders(headers))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("33");

        assertThat(PublishOptions.none().withHeader("h", "x".repeat(4095)).headers())
                .hasSize(1);
        assertThatThrownBy(() -> PublishOptions.none().withHeader("h", "x".repeat(4096)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
