package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A client on a real socket, of either format, that asks for differences and puts them together as SDKs do: it
 * knows only what it was sent on this very subscription.
 */
final class DeltaClient implements AutoCloseable {

    enum Format {
        JSON,
        PROTOBUF
    }

    /** A publication as it came, and as it reads once put together. */
    record Got(String text, boolean isDelta, long offset) {}

    /** How a subscription began. */
    record Start(boolean hasDeltas, boolean isRecovered, long offset, String epoch, List<Got> publications) {}

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Format format;
    private final SocketClient socket;
    private byte @Nullable [] base;
    private boolean hasDeltas;
    private int id = 1;

    DeltaClient(int port, Format format) {
        this.format = format;
        this.socket = format == Format.JSON ? SocketClient.connected(port) : new SocketClient(port, "?format=protobuf");
        if (format == Format.PROTOBUF) {
            sendProtobuf(4, out -> {});
            socket.frame();
        }
    }

    Start subscribe(String channel) {
        return subscribe(channel, "", -1, "");
    }

    /**
     * Subscribes.
     *
     * @param filter a tags filter for a key and its value, {@code ""} for none
     * @param offset to recover from; negative not to recover
     */
    Start subscribe(String channel, String filter, long offset, String epoch) {
        base = null;
        if (format == Format.JSON) {
            socket.send("{\"id\":" + ++id + ",\"subscribe\":{\"channel\":\"" + channel + "\",\"delta\":\"fossil\""
                    + (offset < 0 ? "" : ",\"recover\":true,\"offset\":" + offset + ",\"epoch\":\"" + epoch + "\"")
                    + (filter.isEmpty() ? "" : ",\"tf\":{\"key\":\"" + filter + "\",\"cmp\":\"ex\"}")
                    + "}}");
            return started(json().path("subscribe"));
        }
        sendProtobuf(5, out -> {
            out.field(1, channel);
            if (offset >= 0) {
                out.field(3, true);
                out.field(6, epoch);
                out.field(7, offset);
            }
            out.field(12, "fossil");
            if (!filter.isEmpty()) {
                int node = out.begin(13);
                out.field(2, filter);
                out.field(3, "ex");
                out.end(node);
            }
        });
        return started(ProtobufFields.of(message()).message(6));
    }

    void unsubscribe(String channel) {
        if (format == Format.JSON) {
            socket.call("{\"id\":" + ++id + ",\"unsubscribe\":{\"channel\":\"" + channel + "\"}}");
        } else {
            sendProtobuf(6, out -> out.field(1, channel));
            socket.frame();
        }
    }

    /** Returns the next publication. */
    Got next() {
        return format == Format.JSON
                ? publication(json().path("push").path("pub"))
                : publication(ProtobufFields.of(message()).message(4).message(4));
    }

    private Start started(JsonNode result) {
        assertThat(result.isObject()).as("a subscribe result").isTrue();
        hasDeltas = result.path("delta").asBoolean();
        List<Got> publications = new ArrayList<>();
        result.path("publications").forEach(node -> publications.add(publication(node)));
        return new Start(
                hasDeltas,
                result.path("recovered").asBoolean(),
                result.path("offset").asLong(),
                result.path("epoch").asText(),
                publications);
    }

    private Start started(ProtobufFields result) {
        hasDeltas = result.number(13) == 1;
        List<Got> publications = new ArrayList<>();
        result.messages(7).forEach(fields -> publications.add(publication(fields)));
        return new Start(hasDeltas, result.number(8) == 1, result.number(9), result.text(6), publications);
    }

    private Got publication(JsonNode pub) {
        boolean isDelta = pub.path("delta").asBoolean();
        JsonNode data = pub.path("data");
        assertThat(data.isTextual()).as("data is a string: %s", pub).isEqualTo(hasDeltas);
        byte[] bytes = (data.isTextual() ? data.asText() : data.toString()).getBytes(UTF_8);
        return got(bytes, isDelta, pub.path("offset").asLong());
    }

    private Got publication(ProtobufFields pub) {
        return got(pub.bytes(4), pub.number(8) == 1, pub.number(6));
    }

    private Got got(byte[] data, boolean isDelta, long offset) {
        if (isDelta) {
            assertThat(base).as("what the difference is to").isNotNull();
        }
        byte[] whole = isDelta ? FossilPatch.apply(base, data) : data;
        base = whole;
        return new Got(new String(whole, UTF_8), isDelta, offset);
    }

    private JsonNode json() {
        try {
            return MAPPER.readTree(socket.next());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the one message of the next frame, without its length. */
    private byte[] message() {
        ByteBuf frame = Unpooled.wrappedBuffer(socket.frame().payload());
        while (frame.readByte() < 0) {}
        return ByteBufUtil.getBytes(frame);
    }

    private void sendProtobuf(int number, Consumer<ProtobufBuffer> fields) {
        ProtobufBuffer command = new ProtobufBuffer(64);
        int framed = command.begin(1);
        command.field(1, ++id);
        int request = command.begin(number);
        fields.accept(command);
        command.end(request);
        command.end(framed);
        ByteBuf bytes = Unpooled.buffer();
        command.writeTo(bytes);
        socket.sendFrame(0x82, ByteBufUtil.getBytes(bytes.skipBytes(1)));
    }

    @Override
    public void close() {
        socket.close();
    }
}
