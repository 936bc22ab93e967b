package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;

/** A difference between any two payloads, aligned to characters or not, yields the second when applied. */
class FossilDeltaFuzzTest {

    @FuzzTest(maxDuration = "5m")
    void canBeApplied(byte[] bytes) {
        int middle = bytes.length / 2;
        byte[] before = Arrays.copyOf(bytes, middle);
        byte[] after = Arrays.copyOfRange(bytes, middle, bytes.length);
        boolean isText = Utf8.isText(before) && Utf8.isText(after);

        byte[] difference = FossilDelta.between(before, after, isText);

        if (difference != null) {
            assertThat(FossilPatch.apply(before, difference)).isEqualTo(after);
            assertThat(!isText || Utf8.isText(difference)).isTrue();
        }
    }
}
