package dev.fanfare.examples;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The console page, watching two people in the chat, in headless Chromium. */
class ConsolePageIT {

    @TestFactory
    List<DynamicTest> inChromium() throws Exception {
        try (Server server = DemoServer.start("127.0.0.1", 0)) {
            return NodeScript.runInBrowser(
                    "console-page.mjs",
                    Map.of("FANFARE_URL", "http://127.0.0.1:" + server.port(), "FANFARE_API_KEY", DemoServer.API_KEY));
        }
    }
}
