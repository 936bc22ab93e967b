package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.zip.DataFormatException;

/** What a client compressed inflates up to the limit, or is refused; what we compress comes back. */
class DeflateFuzzTest {

    private static final int MAX_BYTES = 4096;

    private final Deflate deflate = new Deflate();

    @FuzzTest(maxDuration = "5m")
    void isBoundedAndComesBack(byte[] bytes) throws DataFormatException {
        try {
            byte[] inflated = deflate.inflate(bytes, MAX_BYTES);
            assertThat(inflated == null || inflated.length <= MAX_BYTES).isTrue();
        } catch (DataFormatException refused) {
            // As it should be.
        }
        byte[] compressed = deflate.compress(bytes, bytes.length);
        if (compressed != null) {
            assertThat(deflate.inflate(compressed, bytes.length)).isEqualTo(bytes);
        }
    }
}
