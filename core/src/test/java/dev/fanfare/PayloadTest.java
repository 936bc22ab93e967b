package dev.fanfare;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PayloadTest {

    @Test
    void bytesAreCopiedOnTheWayInAndOut() {
        byte[] bytes = {1, 2, 3};
        Payload payload = Payload.of(bytes);
        bytes[0] = 9;
        payload.toBytes()[1] = 9;

        assertThat(payload.toBytes()).containsExactly(1, 2, 3);
        assertThat(payload.size()).isEqualTo(3);
    }

    @Test
    void wrappedBytesAreTheVeryArray() {
        byte[] bytes = {1, 2, 3};

        assertThat(Payload.wrap(bytes).unsafeBytes()).isSameAs(bytes);
    }

    @Test
    void textIsUtf8() {
        Payload payload = Payload.of("ü€\uD83D\uDE00");

        assertThat(payload.size()).isEqualTo(2 + 3 + 4);
        assertThat(payload.text()).isEqualTo("ü€\uD83D\uDE00");
    }

    @Test
    void payloadsWithTheSameBytesAreEqual() {
        assertThat(Payload.of("a")).isEqualTo(Payload.of(new byte[] {'a'})).hasSameHashCodeAs(Payload.of("a"));
        assertThat(Payload.of("a")).isNotEqualTo(Payload.of("b")).isNotEqualTo("a");
        assertThat(Payload.of("")).isEqualTo(Payload.EMPTY);
    }

    @Test
    void theContentDoesNotSlipIntoLogs() {
        assertThat(Payload.of("secret")).hasToString("Payload[6 bytes]");
    }
}
