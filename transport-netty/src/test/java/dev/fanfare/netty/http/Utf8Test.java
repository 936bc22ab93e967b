package dev.fanfare.netty.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.netty.centrifuge.Mutation;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Utf8Test {

    @Test
    void acceptsEveryCharacterButNul() {
        for (int c = 1; c <= Character.MAX_CODE_POINT; c++) {
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                assertThat(Utf8.isText(Character.toString(c).getBytes(UTF_8))).isTrue();
            }
        }
        assertThat(Utf8.isText(new byte[] {0})).isFalse();
    }

    @Test
    void agreesWithTheStrictDecoderOfTheJdk() {
        Random random = new Random(42);
        byte[] good = "plain ASCII text, é, 漢字, \uD83D\uDE00 and more".getBytes(UTF_8);
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes = Mutation.of(good, random);
            assertThat(Utf8.isText(bytes)).isEqualTo(isText(bytes));
        }
    }

    private static boolean isText(byte[] bytes) {
        for (byte octet : bytes) {
            if (octet == 0) {
                return false;
            }
        }
        try {
            UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }
}
