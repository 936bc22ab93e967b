package dev.fanfare.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Whatever comes over the bus of the nodes is read or left out, and what was read says the same again in any order. */
class ControlMessageFuzzTest {

    @FuzzTest(maxDuration = "5m")
    void isReadOrLeftOut(byte[] bytes) {
        ControlMessage message = ControlMessage.decode(new String(bytes, UTF_8));

        if (message != null) {
            String said = message.encode();
            ControlMessage again = ControlMessage.decode(said);
            assertThat(again).isNotNull();
            assertThat(again.encode().split(" ", -1)).containsExactlyInAnyOrder(said.split(" ", -1));
        }
    }
}
