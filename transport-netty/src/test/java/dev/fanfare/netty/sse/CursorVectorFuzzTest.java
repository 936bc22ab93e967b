package dev.fanfare.netty.sse;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.fanfare.ChannelId;
import dev.fanfare.netty.http.RequestRefused;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Whatever comes as an event id, it is read or refused. */
class CursorVectorFuzzTest {

    private static final List<ChannelId> ONE = List.of(ChannelId.of("chat:a"));
    private static final List<ChannelId> TWO = List.of(ChannelId.of("chat:a"), ChannelId.of("b"));

    @FuzzTest(maxDuration = "5m")
    void readsOrRefuses(byte[] id) {
        read(new String(id, StandardCharsets.UTF_8), ONE);
        read(new String(id, StandardCharsets.ISO_8859_1), TWO);
    }

    private static void read(String id, List<ChannelId> channels) {
        try {
            CursorVector.parse(id, channels);
        } catch (RequestRefused refused) {
            // As it should be.
        }
    }
}
