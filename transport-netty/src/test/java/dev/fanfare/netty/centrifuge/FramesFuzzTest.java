package dev.fanfare.netty.centrifuge;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.fanfare.Authenticator;
import dev.fanfare.netty.BugWatch;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.AfterEach;

/** Whatever follows a WebSocket handshake, nothing fails and nothing leaks. */
class FramesFuzzTest {

    private final BugWatch bugs = new BugWatch();

    @AfterEach
    void close() {
        bugs.close();
    }

    @FuzzTest(maxDuration = "5m")
    void survives(byte[] bytes) {
        for (String subprotocol : new String[] {"", "centrifuge-protobuf"}) {
            try (EmbeddedClient client = EmbeddedClient.open(Authenticator.anonymous(), subprotocol)) {
                client.write(Unpooled.wrappedBuffer(bytes));
                client.frames();
            }
        }
        bugs.assertNone();
    }
}
