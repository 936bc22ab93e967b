package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.fanfare.netty.http.Utf8;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A difference between any two payloads, aligned to characters or not, yields the second when applied. */
class FossilDeltaFuzzTest {

    @FuzzTest(maxDuration = "5m")
    void canBeApplied(byte[] bytes) {
        int middle = bytes.length / 2;
        byte[] before = Arrays.copyOf(bytes, middle);
        byte[] after = Arrays.copyOfRange(bytes, middle, bytes.length);

        assertLeadsTo(after, before, FossilDelta.ofBytes(before, after));
        if (Utf8.isText(before) && Utf8.isText(after)) {
            byte[] ofText = FossilDelta.ofText(before, after);
            assertLeadsTo(after, before, ofText);
            assertThat(ofText == null || Utf8.isText(ofText)).isTrue();
        }
    }

    private static void assertLeadsTo(byte[] after, byte[] before, byte @Nullable [] difference) {
        if (difference != null) {
            assertThat(FossilPatch.apply(before, difference)).isEqualTo(after);
        }
    }
}
