package dev.fanfare.examples;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The chat page of the demo in headless Chromium: two halves side by side, each with a server and a browser of its own. */
@Execution(ExecutionMode.CONCURRENT)
class ChatPageIT {

    @TestFactory
    List<DynamicTest> inChromium() throws Exception {
        return inChromium("1/2");
    }

    @TestFactory
    List<DynamicTest> inAnotherChromium() throws Exception {
        return inChromium("2/2");
    }

    private static List<DynamicTest> inChromium(String share) throws Exception {
        try (Server server = DemoServer.start("127.0.0.1", 0)) {
            return NodeScript.runInBrowser(
                    "chat-page.mjs",
                    Map.of(
                            "FANFARE_URL",
                            "http://127.0.0.1:" + server.port(),
                            "FANFARE_API_KEY",
                            DemoServer.API_KEY,
                            "SHARE",
                            share));
        }
    }
}
