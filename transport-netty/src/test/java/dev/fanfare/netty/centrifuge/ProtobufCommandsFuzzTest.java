package dev.fanfare.netty.centrifuge;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Whatever a message in Protobuf holds, it is read or refused. */
class ProtobufCommandsFuzzTest {

    private final ProtobufCommands commands = new ProtobufCommands();

    @FuzzTest(maxDuration = "5m")
    void readsOrRefuses(byte[] message) {
        try {
            commands.decode(message).forEach(command -> command.request().toString());
        } catch (BadCommandException refused) {
            // As it should be.
        }
    }
}
