package dev.fanfare.netty.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTextTest {

    @Test
    void everyStringComesBackAsItWas() throws Exception {
        StringBuilder all = new StringBuilder("\"\\/grüße 😀 ");
        for (char c = 0; c < 0x100; c++) {
            all.append(c);
        }
        ByteBuf out = Unpooled.buffer();

        JsonText.string(out, all);

        assertThat(new ObjectMapper().readValue(out.toString(UTF_8), String.class))
                .isEqualTo(all.toString());
    }

    @Test
    void mapsAreObjects() {
        ByteBuf out = Unpooled.buffer();

        JsonText.strings(out, new TreeMap<>(Map.of("a", "1", "b", "\"")));
        JsonText.strings(out, Map.of());

        assertThat(out.toString(UTF_8)).isEqualTo("{\"a\":\"1\",\"b\":\"\\\"\"}{}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "\"a\"", " {\"a\":[1,{}]}\n", "null", "[]", "-1.5e3"})
    void jsonIsKnown(String text) {
        assertThat(JsonText.isJson(text.getBytes(UTF_8))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " ", "{", "a", "1 2", "{} x", "[1,]", "\"a", "\"\n\"", "'a'", "NaN", "{a:1}", "\"\\x\""})
    void otherThingsAreKnownAsSuch(String text) {
        assertThat(JsonText.isJson(text.getBytes(UTF_8))).isFalse();
    }

    @Test
    void bytesThatAreNotUtf8AreNoJson() {
        assertThat(JsonText.isJson(new byte[] {'"', (byte) 0xff, '"'})).isFalse();
        assertThat(JsonText.isJson(new byte[] {'"', (byte) 0xc3, '"'})).isFalse();
        assertThat(JsonText.isJson(new byte[] {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'}))
                .as("half a surrogate pair")
                .isFalse();
        assertThat(JsonText.isJson("{}".getBytes(java.nio.charset.StandardCharsets.UTF_16LE)))
                .isFalse();
    }
}
