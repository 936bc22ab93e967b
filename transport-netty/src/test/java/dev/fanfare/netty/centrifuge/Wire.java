package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** The two encodings of the protocol over WebSocket. Tests say everything in JSON; this puts it on the wire and back. */
enum Wire {
    JSON(0x81, "X-Test: y") {
        @Override
        byte[] encode(List<String> commands) {
            return String.join("\n", commands).getBytes(UTF_8);
        }

        @Override
        List<JsonNode> decode(byte[] frame) {
            return new String(frame, UTF_8).lines().map(Wire::tree).toList();
        }
    },
    PROTOBUF(0x82, "Sec-WebSocket-Protocol: centrifuge-protobuf") {
        @Override
        byte[] encode(List<String> commands) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            for (String command : commands) {
                byte[] message = ProtobufSchema.encode("Command", tree(command));
                ProtobufSchema.varint(out, message.length);
                out.writeBytes(message);
            }
            return out.toByteArray();
        }

        @Override
        List<JsonNode> decode(byte[] frame) {
            List<JsonNode> replies = new ArrayList<>();
            ProtobufSchema.messages(frame).forEach(message -> replies.add(ProtobufSchema.decode("Reply", message)));
            return replies;
        }
    };

    private static final ObjectMapper MAPPER = new ObjectMapper();

    final int firstOctet;
    final String header;

    Wire(int firstOctet, String header) {
        this.firstOctet = firstOctet;
        this.header = header;
    }

    /** Puts commands, given in JSON, into the payload of one frame. */
    abstract byte[] encode(List<String> commands);

    /** Reads what the server put into a frame, as the JSON that it would be. */
    abstract List<JsonNode> decode(byte[] frame);

    static JsonNode tree(String json) {
        try {
            return MAPPER.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(json, e);
        }
    }
}
