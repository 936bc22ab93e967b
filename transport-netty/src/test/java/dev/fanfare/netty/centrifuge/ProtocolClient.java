package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * A client on a real socket that says and hears what the test says, in either encoding. Commands are given in JSON, with
 * single quotes for double ones. It answers nothing by itself.
 */
final class ProtocolClient implements AutoCloseable {

    private final Wire wire;
    private final SocketClient socket;
    private final Deque<JsonNode> came = new ArrayDeque<>();
    private final Deque<JsonNode> passedBy = new ArrayDeque<>();
    private int lastId;

    /** Opens a WebSocket, and says nothing. */
    ProtocolClient(int port, Wire wire, String query) {
        this.wire = wire;
        this.socket = new SocketClient(port, query, wire.header);
    }

    /** Connects, and returns what the server says to that. */
    @CanIgnoreReturnValue
    JsonNode connect(String token) {
        return call("connect", "{'token':'" + token + "'}");
    }

    /** Sends commands in one frame. */
    void send(String... commands) {
        sendBytes(wire.encode(
                List.of(commands).stream().map(each -> each.replace('\'', '"')).toList()));
    }

    /** Sends a frame with those bytes, whatever they are. */
    void sendBytes(byte... payload) {
        socket.sendFrame(wire.firstOctet, payload);
    }

    void sendFrame(int firstOctet, byte... payload) {
        socket.sendFrame(firstOctet, payload);
    }

    /** Sends a command and returns the reply; what else comes before it is what {@link #next} returns. */
    @CanIgnoreReturnValue
    JsonNode call(String method, String request) {
        int id = begin(method, request);
        return reply(id);
    }

    /** Sends a command and returns its id. */
    @CanIgnoreReturnValue
    int begin(String method, String request) {
        int id = ++lastId;
        send("{'id':" + id + ",'" + method + "':" + request + "}");
        return id;
    }

    /** Returns the reply to that command. */
    @CanIgnoreReturnValue
    JsonNode reply(int id) {
        for (JsonNode message = receive(); ; message = receive()) {
            if (message.path("id").asInt() == id) {
                return message;
            }
            passedBy.add(message);
        }
    }

    @CanIgnoreReturnValue
    JsonNode subscribe(String channel) {
        return call("subscribe", "{'channel':'" + channel + "'}");
    }

    /** Subscribes after a position. */
    JsonNode recover(String channel, long offset, String epoch, String more) {
        return call(
                "subscribe",
                "{'channel':'" + channel + "','recover':true,'offset':" + offset + ",'epoch':'" + epoch + "'" + more
                        + "}");
    }

    /** Returns the next message: a push, a ping, or a reply that was not waited for. */
    @CanIgnoreReturnValue
    JsonNode next() {
        return passedBy.isEmpty() ? receive() : passedBy.remove();
    }

    /** Returns the next push, which is to be of that kind. */
    @CanIgnoreReturnValue
    JsonNode push(String kind) {
        JsonNode push = next().path("push");
        assertThat(push.has(kind)).as("a push of %s: %s", kind, push).isTrue();
        return push.path(kind);
    }

    private JsonNode receive() {
        while (came.isEmpty()) {
            came.addAll(batch());
        }
        return came.remove();
    }

    /** Returns the messages of the next frame. */
    List<JsonNode> batch() {
        EmbeddedClient.Received frame = frame();
        assertThat(frame.firstOctet()).as("a frame of messages: %s", frame).isEqualTo(wire.firstOctet);
        return wire.decode(frame.payload());
    }

    EmbeddedClient.Received frame() {
        return socket.frame();
    }

    /** Reads on until the server closes, and returns its code. */
    int closeCode() {
        return end().closeCode();
    }

    /** Reads on until the server closes, and returns its words. */
    String closeReason() {
        return end().closeReason();
    }

    /** Reads on until the server closes, and returns the frame that says so. */
    EmbeddedClient.Received end() {
        EmbeddedClient.Received frame = socket.frame();
        while (!frame.isClose()) {
            frame = socket.frame();
        }
        socket.sendFrame(0x88, frame.payload());
        // SDKs take what can be parsed for something else, and nothing at all for a reason to come back.
        assertThat(frame.closeReason()).matches("[a-zA-Z][a-zA-Z0-9 ]+");
        return frame;
    }

    /** Returns the code of an error. */
    static int error(JsonNode reply) {
        assertThat(reply.has("error")).as("an error: %s", reply).isTrue();
        return reply.path("error").path("code").asInt();
    }

    @Override
    public void close() {
        socket.close();
    }
}
