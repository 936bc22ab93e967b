package dev.fanfare.netty.api;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.fanfare.netty.http.RequestRefused;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Whatever is posted to the server API, it is read or refused. */
class ApiRequestFuzzTest {

    @FuzzTest(maxDuration = "5m")
    void readsOrRefuses(byte[] body) {
        try {
            ApiRequest.parse(body);
        } catch (RequestRefused refused) {
            // As it should be.
        }
        String text = new String(body, StandardCharsets.UTF_8);
        try {
            ApiRequest.ofHistoryQuery(Map.of("channel", text, "limit", text, "cursor", text));
        } catch (RequestRefused refused) {
            // As it should be.
        }
    }
}
