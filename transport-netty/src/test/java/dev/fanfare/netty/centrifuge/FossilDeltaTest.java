package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.CharacterCodingException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Differences between payloads, and that they can be applied by somebody who only knows the format. */
class FossilDeltaTest {

    private static final long SEED = Long.getLong("fanfare.seed", 20261120);
    private static final int DOCUMENTS = 5_000;

    @Test
    void saysAKnownDifferenceAsTheFormatHasIt() {
        byte[] from = bytes("{\"counter\":1,\"payload\":\"aaaaaaaaaaaaaaaaaaaaaaaa\"}");
        byte[] to = bytes("{\"counter\":2,\"payload\":\"aaaaaaaaaaaaaaaaaaaaaaaa\"}");

        assertThat(new String(FossilDelta.ofText(from, to), UTF_8)).isEqualTo("n\nB@0,1:2b@C,3NANGl;");
    }

    @Test
    void isNotGivenWhereItIsNoSmaller() {
        assertThat(FossilDelta.ofText(bytes("{\"a\":1}"), bytes("{\"a\":2}"))).isNull();
        assertThat(FossilDelta.ofBytes(bytes(""), bytes("a".repeat(100)))).isNull();
        assertThat(FossilDelta.ofBytes(bytes("a".repeat(100)), bytes(""))).isNull();
        assertThat(FossilDelta.ofBytes(new byte[0], new byte[0])).isNull();
    }

    @Test
    void isSmallForEqualPayloads() {
        byte[] same = bytes("x".repeat(1000));

        assertThat(FossilDelta.ofBytes(same, same)).hasSizeLessThan(20);
        assertThat(FossilPatch.apply(same, FossilDelta.ofBytes(same, same))).isEqualTo(same);
    }

    @Test
    void isGivenUpForPayloadsBeyondTheBound() {
        byte[] most = new byte[FossilDelta.MOST_BYTES];
        byte[] more = new byte[FossilDelta.MOST_BYTES + 1];

        assertThat(FossilDelta.ofBytes(most, most)).isNotNull();
        assertThat(FossilDelta.ofBytes(more, most)).isNull();
        assertThat(FossilDelta.ofBytes(most, more)).isNull();
    }

    @Test
    void findsWhatWasMoved() {
        String one = "0123456789abcdefghijklmnopqrstuvwxyz";
        String two = "The quick brown fox jumps over the lazy dog.";
        byte[] from = bytes("<" + one + ">--<" + two + ">");
        byte[] to = bytes("[" + two + "]--[" + one + "]");

        byte[] delta = FossilDelta.ofBytes(from, to);

        assertThat(FossilPatch.apply(from, delta)).isEqualTo(to);
        assertThat(delta).hasSizeLessThan(40);
    }

    @ParameterizedTest
    @CsvSource({
        "Привет мир это текст,Привет мир эта текст",
        "状态是在线的很好,状态是离线的很好",
        "🟢 online and well,🟡 online and well"
    })
    void cutsNoCharacterInTwo(String before, String after) throws CharacterCodingException {
        byte[] from = bytes("{\"text\":\"" + before.repeat(4) + "\"}");
        byte[] to = bytes("{\"text\":\"" + after + before.repeat(3) + "\"}");

        byte[] delta = FossilDelta.ofText(from, to);

        assertThat(bytes(text(delta))).isEqualTo(delta);
        assertThat(FossilPatch.apply(from, delta)).isEqualTo(to);
    }

    @Test
    void canBeAppliedWhateverTheDocuments() throws CharacterCodingException {
        Random random = new Random(SEED);
        int given = 0;
        for (int i = 0; i < DOCUMENTS; i++) {
            byte[] from = bytes(document(random));
            byte[] to = bytes(edited(random, new String(from, UTF_8)));

            byte[] delta = FossilDelta.ofText(from, to);

            if (delta != null) {
                given++;
                assertThat(bytes(text(delta)))
                        .as("seed %s, document %s", SEED, i)
                        .isEqualTo(delta);
                assertThat(FossilPatch.apply(from, delta))
                        .as("seed %s, document %s", SEED, i)
                        .isEqualTo(to);
                assertThat(delta).hasSizeLessThan(to.length);
            }
        }
        assertThat(given)
                .as("documents with a difference smaller than themselves")
                .isGreaterThan(DOCUMENTS / 2);
    }

    @Test
    void canBeAppliedWhateverTheBytes() {
        Random random = new Random(SEED);
        for (int i = 0; i < DOCUMENTS; i++) {
            byte[] from = noise(random, random.nextInt(300), 1 + random.nextInt(255));
            byte[] to = spliced(random, from);

            byte[] delta = FossilDelta.ofBytes(from, to);

            if (delta != null) {
                assertThat(FossilPatch.apply(from, delta))
                        .as("seed %s, payload %s", SEED, i)
                        .isEqualTo(to);
                assertThat(delta).hasSizeLessThan(to.length);
            }
        }
    }

    /** What makes an encoder without bounds take quadratic time; here it is done at once. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 16, 17, 64})
    void doesNotDrownInRepetitions(int period) {
        byte[] from = new byte[FossilDelta.MOST_BYTES];
        byte[] to = new byte[FossilDelta.MOST_BYTES];
        for (int i = 0; i < from.length; i++) {
            from[i] = (byte) (i % period);
            to[to.length - 1 - i] = (byte) (i % (period + 1));
        }

        for (int i = 0; i < 20; i++) {
            byte[] delta = FossilDelta.ofBytes(from, to);

            assertThat(delta == null ? to : FossilPatch.apply(from, delta)).isEqualTo(to);
        }
    }

    // ---- documents

    private static String document(Random random) {
        StringBuilder text = new StringBuilder();
        int words = random.nextInt(60);
        for (int i = 0; i < words; i++) {
            text.append(word(random)).append(random.nextInt(8) == 0 ? "\n" : " ");
        }
        return text.toString();
    }

    private static String word(Random random) {
        int alphabet = random.nextInt(5);
        StringBuilder word = new StringBuilder();
        for (int i = random.nextInt(12); i >= 0; i--) {
            word.appendCodePoint(
                    switch (alphabet) {
                        case 0 -> 'a' + random.nextInt(26);
                        case 1 -> 0x430 + random.nextInt(32);
                        case 2 -> 0x4e00 + random.nextInt(64);
                        case 3 -> 0x1f600 + random.nextInt(64);
                        default -> "\"{}[]:,\\;@0129~".codePointAt(random.nextInt(15));
                    });
        }
        return word.toString();
    }

    /** Changes, moves, repeats, removes and adds, by whole characters. */
    private static String edited(Random random, String text) {
        int[] before = text.codePoints().toArray();
        StringBuilder after = new StringBuilder(text);
        for (int edits = random.nextInt(4); edits > 0; edits--) {
            int[] now = after.codePoints().toArray();
            int from = random.nextInt(now.length + 1);
            int to = from + random.nextInt(now.length - from + 1);
            String start = new String(now, 0, from);
            String rest = new String(now, random.nextBoolean() ? from : to, 0);
            after.setLength(0);
            switch (random.nextInt(4)) {
                case 0 -> after.append(start).append(word(random)).append(tail(now, to));
                case 1 -> after.append(tail(now, to)).append(start).append(rest);
                case 2 ->
                    after.append(start)
                            .append(new String(before, 0, before.length))
                            .append(tail(now, from));
                default -> after.append(start).append(tail(now, Math.min(now.length, from + 1)));
            }
        }
        return after.toString();
    }

    private static String tail(int[] characters, int from) {
        return new String(characters, from, characters.length - from);
    }

    private static byte[] noise(Random random, int length, int values) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) random.nextInt(values);
        }
        return bytes;
    }

    private static byte[] spliced(Random random, byte[] bytes) {
        String text = new String(bytes, ISO_8859_1);
        int at = random.nextInt(text.length() + 1);
        String added = new String(noise(random, random.nextInt(20), 256), ISO_8859_1);
        return switch (random.nextInt(3)) {
            case 0 -> (text.substring(0, at) + added + text.substring(at)).getBytes(ISO_8859_1);
            case 1 -> (text.substring(at) + added + text.substring(0, at)).getBytes(ISO_8859_1);
            default -> (text + added + text).getBytes(ISO_8859_1);
        };
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static String text(byte[] utf8) throws CharacterCodingException {
        return UTF_8.newDecoder().decode(java.nio.ByteBuffer.wrap(utf8)).toString();
    }
}
