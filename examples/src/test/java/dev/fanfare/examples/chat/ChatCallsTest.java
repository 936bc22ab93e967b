package dev.fanfare.examples.chat;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ConnectionInfo;
import dev.fanfare.Fanfare;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.RpcHandler.Call;
import dev.fanfare.RpcHandler.Reply;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatCallsTest {

    private static final Room ROOM = Room.values()[0];

    private final TeamChat chat = TeamChat.create();
    private final Fanfare fanfare =
            chat.configure(Fanfare.builder()).authorizer(chat.access()).build();
    private final ChatCalls calls = new ChatCalls(fanfare);

    @AfterEach
    void close() {
        fanfare.close();
    }

    /** By the server's clock these are long ago, and in a thousand years. */
    @ParameterizedTest
    @ValueSource(longs = {1, 32_503_680_000_000L})
    void whatIsStoredDoesNotDependOnTheServersClock(long at) throws Exception {
        String sent = send("{\"tempId\":\"12345678\",\"text\":\"hello\",\"at\":" + at + "}");
        String again = send("{\"tempId\":\"12345678\",\"text\":\"hello\",\"at\":" + at + "}");

        assertThat(sent).contains("\"duplicate\":false");
        assertThat(again).contains("\"duplicate\":true");
        assertThat(stored())
                .containsExactly("{\"user\":\"ada\",\"tempId\":\"12345678\",\"text\":\"hello\",\"at\":" + at + "}");
    }

    @Test
    void aTimeThatIsNoNumberIsLeftOut() throws Exception {
        send("{\"tempId\":\"12345678\",\"text\":\"hello\",\"at\":\"noon\"}");

        assertThat(stored()).containsExactly("{\"user\":\"ada\",\"tempId\":\"12345678\",\"text\":\"hello\"}");
    }

    private String send(String message) throws Exception {
        String request = "{\"room\":\"" + ROOM.id() + "\"," + message.substring(1);
        ConnectionInfo ada = new ConnectionInfo("c", "ada", "test", Instant.EPOCH, null);
        Reply reply = calls.call(new Call(ada, "chat.send", Payload.of(request)))
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        assertThat(reply).isInstanceOf(Reply.Ok.class);
        return new String(((Reply.Ok) reply).data().toBytes(), UTF_8);
    }

    private List<String> stored() throws Exception {
        HistoryResult result = fanfare.history(ROOM.messages(), HistoryQuery.first(10))
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        return ((HistoryResult.Page) result)
                .publications().stream()
                        .map(each -> new String(each.data().toBytes(), UTF_8))
                        .toList();
    }
}
