package dev.fanfare.netty.centrifuge;

import static dev.fanfare.netty.centrifuge.ProtobufReader.DELIMITED;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.Utf8;
import java.io.IOException;

/**
 * What a client posts whose connection is a stream.
 *
 * <p><b>Threading:</b> not thread-safe; whoever has it owns the data.
 */
final class EmulationRequest {

    private String node = "";
    private String session = "";
    private byte[] data = new byte[0];

    private EmulationRequest() {}

    /** Reads {@code {"node":…,"session":…,"data":"…"}}, where the data is text; unknown fields are skipped. */
    static EmulationRequest ofJson(byte[] body) throws BadCommandException {
        if (!Utf8.isText(body)) {
            throw new BadCommandException("not UTF-8");
        }
        EmulationRequest request = new EmulationRequest();
        try (JsonParser parser = JsonText.parser(body, 0, body.length)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new BadCommandException("no JSON object");
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                request.readField(parser);
            }
            if (parser.currentToken() != JsonToken.END_OBJECT || parser.nextToken() != null) {
                throw new BadCommandException("no JSON object");
            }
        } catch (IOException e) {
            throw new BadCommandException("not JSON");
        }
        return request.checked();
    }

    private void readField(JsonParser parser) throws IOException, BadCommandException {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        switch (name) {
            case "node" -> node = text(parser, value);
            case "session" -> session = text(parser, value);
            case "data" -> data = text(parser, value).getBytes(UTF_8);
            default -> parser.skipChildren();
        }
    }

    private static String text(JsonParser parser, JsonToken value) throws IOException, BadCommandException {
        if (value != JsonToken.VALUE_STRING) {
            throw new BadCommandException("not a string");
        }
        return parser.getText();
    }

    /** Reads the message {@code EmulationRequest} of the published schema. */
    static EmulationRequest ofProtobuf(byte[] body) throws BadCommandException {
        EmulationRequest request = new EmulationRequest();
        ProtobufReader reader = new ProtobufReader(body, 0, body.length);
        while (reader.hasMore()) {
            int tag = reader.tag();
            switch (tag) {
                case 1 << 3 | DELIMITED -> request.node = reader.text();
                case 2 << 3 | DELIMITED -> request.session = reader.text();
                case 3 << 3 | DELIMITED -> request.data = reader.data().unsafeBytes();
                default -> reader.skip(tag);
            }
        }
        return request.checked();
    }

    private EmulationRequest checked() throws BadCommandException {
        if (node.isEmpty() || session.isEmpty() || data.length == 0) {
            throw new BadCommandException("a field is missing");
        }
        return this;
    }

    String node() {
        return node;
    }

    String session() {
        return session;
    }

    byte[] data() {
        return data;
    }
}
