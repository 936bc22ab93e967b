package dev.fanfare.netty.centrifuge;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Whatever is posted for a connection, it is read or refused, in both encodings. */
class EmulationRequestFuzzTest {

    @FuzzTest(maxDuration = "5m")
    void readsOrRefuses(byte[] body) {
        read(() -> EmulationRequest.ofJson(body));
        read(() -> EmulationRequest.ofProtobuf(body));
    }

    private static void read(Reading reading) {
        try {
            reading.read();
        } catch (BadCommandException refused) {
            // As it should be.
        }
    }

    private interface Reading {
        EmulationRequest read() throws BadCommandException;
    }
}
