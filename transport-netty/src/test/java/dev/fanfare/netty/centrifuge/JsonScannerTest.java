package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.Utf8;
import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonScannerTest {

    private static final String GOOD =
            " {\"a\\u00e9\\n\":[1,-2.50e+3,0,true,false,null,{},[],\"é漢\uD83D\uDE00\"],\n\"b\":{\"\":0}} ";

    @ParameterizedTest
    @ValueSource(
            strings = {
                GOOD,
                "0",
                "-0",
                "1.5E-7",
                "\"\"",
                "[]",
                "{}",
                "[[]]",
                "true",
                "1",
                "01",
                "-",
                "1.",
                ".5",
                "1e",
                "1e+",
                "+1",
                "\"\\x\"",
                "\"\\u12g4\"",
                "\"\\u12",
                "\"",
                "\"a\nb\"",
                "[1 2]",
                "[,]",
                "[1,]",
                "{\"a\"}",
                "{\"a\":}",
                "{a:1}",
                "{\"a\":1,}",
                "{,}",
                "tru",
                "truex",
                "nul",
                "",
                " ",
                "1 1",
                "[}",
                "{]",
                "[",
                "{",
                "]",
                "\uFEFF1",
                "'a'",
                "1/*x*/",
                "NaN",
                "\"\u007f\"",
                "\"\\/\\b\\f\\r\\t\""
            })
    void agreesWithTheParserOfCommands(String text) {
        assertAgrees(text.getBytes(UTF_8));
    }

    @Test
    void agreesWithTheParserOfCommandsOnGarbage() {
        Random random = new Random(7);
        byte[] good = GOOD.getBytes(UTF_8);
        for (int i = 0; i < 50_000; i++) {
            assertAgrees(Mutation.of(good, random));
        }
        byte[] alphabet = "{}[]:,\"\\0123-+.eEtrufalsn \n/u\u00e9".getBytes(UTF_8);
        for (int i = 0; i < 100_000; i++) {
            byte[] text = new byte[random.nextInt(12)];
            for (int k = 0; k < text.length; k++) {
                text[k] = alphabet[random.nextInt(alphabet.length)];
            }
            assertAgrees(text);
        }
    }

    @Test
    void boundsNesting() {
        assertThat(isValue(nested(JsonText.MAX_DEPTH))).isTrue();
        assertThat(isValue(nested(JsonText.MAX_DEPTH + 1))).isFalse();
        assertThat(isValue("[".repeat(1_000_000).getBytes(UTF_8))).isFalse();
        assertThat(isValue("{\"a\":".repeat(1_000_000).getBytes(UTF_8))).isFalse();
    }

    @Test
    void noticesLineBreaks() {
        JsonScanner broken = new JsonScanner("[1,\r2]".getBytes(UTF_8));
        JsonScanner plain = new JsonScanner("[\"\\n\", 2]".getBytes(UTF_8));

        assertThat(broken.isValue() && broken.hasLineBreaks()).isTrue();
        assertThat(plain.isValue() && !plain.hasLineBreaks()).isTrue();
    }

    private static void assertAgrees(byte[] bytes) {
        assertThat(isValue(bytes)).as(new String(bytes, UTF_8)).isEqualTo(isParsed(bytes));
    }

    private static boolean isValue(byte[] bytes) {
        return new JsonScanner(bytes).isValue();
    }

    private static boolean isParsed(byte[] bytes) {
        if (bytes.length == 0 || bytes[0] < 0 || !Utf8.isText(bytes)) {
            return false;
        }
        try (JsonParser parser = JsonText.parser(bytes, 0, bytes.length)) {
            if (parser.nextToken() == null) {
                return false;
            }
            parser.skipChildren();
            return parser.nextToken() == null;
        } catch (IOException notJson) {
            return false;
        }
    }

    private static byte[] nested(int depth) {
        return ("[".repeat(depth) + "]".repeat(depth)).getBytes(UTF_8);
    }
}
