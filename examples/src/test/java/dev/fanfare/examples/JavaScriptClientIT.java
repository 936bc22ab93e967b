package dev.fanfare.examples;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The published JavaScript client, over every transport in every encoding, and a published EventSource, under Node.js. */
class JavaScriptClientIT {

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @TestFactory
    List<DynamicTest> centrifugeOverJson() throws Exception {
        return NodeScript.run("centrifuge.mjs", environment("json"));
    }

    @TestFactory
    List<DynamicTest> centrifugeOverProtobuf() throws Exception {
        return NodeScript.run("centrifuge.mjs", environment("protobuf"));
    }

    @TestFactory
    List<DynamicTest> tokensOverJson() throws Exception {
        return NodeScript.run("tokens.mjs", environment("json"));
    }

    @TestFactory
    List<DynamicTest> tokensOverProtobuf() throws Exception {
        return NodeScript.run("tokens.mjs", environment("protobuf"));
    }

    @TestFactory
    List<DynamicTest> tokensOverAStreamOfJson() throws Exception {
        return NodeScript.run("tokens.mjs", environment("json", "http_stream"));
    }

    @TestFactory
    List<DynamicTest> centrifugeOverAStreamOfJson() throws Exception {
        return NodeScript.run("centrifuge.mjs", environment("json", "http_stream"));
    }

    @TestFactory
    List<DynamicTest> centrifugeOverAStreamOfProtobuf() throws Exception {
        return NodeScript.run("centrifuge.mjs", environment("protobuf", "http_stream"));
    }

    @TestFactory
    List<DynamicTest> centrifugeOverServerSentEvents() throws Exception {
        return NodeScript.run("centrifuge.mjs", environment("json", "sse"));
    }

    @TestFactory
    List<DynamicTest> eventSource() throws Exception {
        return NodeScript.run("eventsource.mjs", environment("json"));
    }

    private static Map<String, String> environment(String format) {
        return environment(format, "websocket");
    }

    private static Map<String, String> environment(String format, String transport) {
        return Map.of(
                "FANFARE_URL",
                server.url(),
                "FANFARE_API_KEY",
                TestServer.API_KEY,
                "FANFARE_SECRET",
                TestServer.SECRET,
                "FORMAT",
                format,
                "TRANSPORT",
                transport);
    }
}
