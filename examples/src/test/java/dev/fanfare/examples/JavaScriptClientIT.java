package dev.fanfare.examples;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The published JavaScript client, over every transport in every encoding, and a published EventSource, under Node.js. The
 * scripts mostly wait, so they run side by side, each against a server of its own.
 */
@Execution(ExecutionMode.CONCURRENT)
class JavaScriptClientIT {

    @TestFactory
    List<DynamicTest> centrifugeOverJson() throws Exception {
        return run("centrifuge.mjs", "json", "websocket");
    }

    @TestFactory
    List<DynamicTest> centrifugeOverProtobuf() throws Exception {
        return run("centrifuge.mjs", "protobuf", "websocket");
    }

    @TestFactory
    List<DynamicTest> tokensOverJson() throws Exception {
        return run("tokens.mjs", "json", "websocket");
    }

    @TestFactory
    List<DynamicTest> tokensOverProtobuf() throws Exception {
        return run("tokens.mjs", "protobuf", "websocket");
    }

    @TestFactory
    List<DynamicTest> tokensOverAStreamOfJson() throws Exception {
        return run("tokens.mjs", "json", "http_stream");
    }

    @TestFactory
    List<DynamicTest> centrifugeOverAStreamOfJson() throws Exception {
        return run("centrifuge.mjs", "json", "http_stream");
    }

    @TestFactory
    List<DynamicTest> centrifugeOverAStreamOfProtobuf() throws Exception {
        return run("centrifuge.mjs", "protobuf", "http_stream");
    }

    @TestFactory
    List<DynamicTest> centrifugeOverServerSentEvents() throws Exception {
        return run("centrifuge.mjs", "json", "sse");
    }

    @TestFactory
    List<DynamicTest> eventSource() throws Exception {
        return run("eventsource.mjs", "json", "websocket");
    }

    private static List<DynamicTest> run(String script, String format, String transport) throws Exception {
        try (TestServer server = TestServer.start()) {
            return NodeScript.run(
                    script,
                    Map.of(
                            "FANFARE_URL",
                            server.url(),
                            "FANFARE_API_KEY",
                            TestServer.API_KEY,
                            "FANFARE_SECRET",
                            TestServer.SECRET,
                            "FORMAT",
                            format,
                            "TRANSPORT",
                            transport));
        }
    }
}
