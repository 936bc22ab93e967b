package dev.fanfare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CursorTest {

    @Test
    void theTextNamesVersionEpochOffsetAndTag() {
        assertThat(new Cursor("e1", 42, 255)).hasToString("v1.e1.42.ff");
        assertThat(Cursor.parse("v1.e1.42.ff")).contains(new Cursor("e1", 42, 255));
    }

    @Test
    void whatIsWrittenIsReadBack() {
        Random random = new Random(1);
        for (int i = 0; i < 10_000; i++) {
            Cursor cursor =
                    new Cursor(randomEpoch(random), random.nextLong() >>> 1 + random.nextInt(62), random.nextLong());

            assertThat(Cursor.parse(cursor.toString())).contains(cursor);
            assertThat(cursor.toString().length()).isLessThanOrEqualTo(Cursor.MAX_TEXT_LENGTH);
        }
    }

    @Test
    void theExtremesAreReadBack() {
        for (long offset : new long[] {0, 1, Long.MAX_VALUE}) {
            for (long tag : new long[] {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE}) {
                Cursor cursor = new Cursor("x".repeat(32), offset, tag);
                assertThat(Cursor.parse(cursor.toString())).contains(cursor);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "v1",
                "v1.",
                "v1.e.1",
                "v1..1.1",
                "v1.e..1",
                "v1.e.1.",
                "v1.e.1.1.",
                "v1.e.1.1 ",
                " v1.e.1.1",
                "v2.e.1.1",
                "V1.e.1.1",
                "v1.e-f.1.1",
                "v1.ë.1.1",
                "v1.e.01.1",
                "v1.e.-1.1",
                "v1.e.+1.1",
                "v1.e.1e3.1",
                "v1.e.9223372036854775808.1",
                "v1.e.99999999999999999999.1",
                "v1.e.1.FF",
                "v1.e.1.g",
                "v1.e.1.0f",
                "v1.e.1.00",
                "v1.e.1.-1",
                "v1.e.1.12345678901234567",
                "v1.e.١.1",
                "v1.e.1.1\n",
                "v1.e.1.1\0",
                "v1.123456789012345678901234567890123.1.1"
            })
    void anythingElseIsRefused(String text) {
        assertThat(Cursor.parse(text)).isEmpty();
    }

    @Test
    void randomGarbageIsRefusedUnlessItIsWhatACursorWrites() {
        Random random = new Random(2);
        String letters = "v1.e0f9 -\n\0zé";
        for (int i = 0; i < 100_000; i++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? "v1." : "");
            for (int length = random.nextInt(20); length > 0; length--) {
                text.append(letters.charAt(random.nextInt(letters.length())));
            }
            String garbage = text.toString();

            Cursor.parse(garbage).ifPresent(cursor -> assertThat(cursor).hasToString(garbage));
        }
    }

    @Test
    void endlessTextIsRefused() {
        assertThat(Cursor.parse("v1.e." + "1".repeat(1_000_000) + ".1")).isEmpty();
    }

    @Test
    void aCursorOfUnknownEpochHasNoTextThatIsRead() {
        Cursor unknown = Cursor.ofUnknownEpoch(7);

        assertThat(unknown.hasEpoch()).isFalse();
        assertThat(unknown.offset()).isEqualTo(7);
        assertThat(Cursor.parse(unknown.toString())).isEmpty();
    }

    @Test
    void partsOutOfRangeAreRefused() {
        assertThatThrownBy(() -> new Cursor("e1", -1, 0)).isInstanceOf(IllegalArgumentException.class);
        for (String epoch : new String[] {"e.1", "e 1", "ë", "e\n", "[", "`", "@", "{", "/", ":"}) {
            assertThatThrownBy(() -> new Cursor(epoch, 1, 0)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> new Cursor("x".repeat(33), 1, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void positionsHaveAnOrderWithinAnEpochOnly() {
        Cursor cursor = Cursor.of("e1", 5);

        assertThat(cursor.isAfter(Cursor.of("e1", 4))).isTrue();
        assertThat(cursor.isAfter(Cursor.of("e1", 5))).isFalse();
        assertThat(cursor.isAfter(Cursor.of("e1", 6))).isFalse();
        assertThatThrownBy(() -> cursor.isAfter(Cursor.of("e2", 4)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("e1")
                .hasMessageContaining("e2");
    }

    private static String randomEpoch(Random random) {
        String letters = "ABCxyz0189";
        StringBuilder epoch = new StringBuilder();
        for (int length = 1 + random.nextInt(32); length > 0; length--) {
            epoch.append(letters.charAt(random.nextInt(letters.length())));
        }
        return epoch.toString();
    }
}
