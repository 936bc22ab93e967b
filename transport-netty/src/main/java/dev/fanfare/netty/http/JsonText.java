package dev.fanfare.netty.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.fanfare.Payload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.util.Base64;
import java.util.Map;

/**
 * Writes JSON straight into buffers, opens parsers, and knows what counts as JSON here.
 *
 * <p><b>Threading:</b> thread-safe; buffers are the caller's.
 */
public final class JsonText {

    /** How deep values may be nested. */
    public static final int MAX_DEPTH = 512;

    private static final int MAX_DIGITS = 1_000;
    private static final int MAX_NAME = 50_000;

    /** What JSON may be like here, for errors. */
    public static final String LIMITS =
            "at most " + MAX_DEPTH + " levels deep, numbers of " + MAX_DIGITS + " characters, names of " + MAX_NAME;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES) // they are few
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNumberLength(MAX_DIGITS)
                    .maxNameLength(MAX_NAME)
                    .build())
            .build();

    private static final byte[] HEX = "0123456789abcdef".getBytes(US_ASCII);

    private JsonText() {}

    /** Writes what is ASCII and needs no escape, such as punctuation and names. */
    public static void raw(ByteBuf out, String ascii) {
        ByteBufUtil.writeAscii(out, ascii);
    }

    /** Writes a number. */
    public static void number(ByteBuf out, long number) {
        ByteBufUtil.writeAscii(out, Long.toString(number));
    }

    /** Writes a string with its quotes; half surrogate pairs become {@code ?}. */
    public static void string(ByteBuf out, CharSequence text) {
        out.writeByte('"');
        int begun = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x20 || c == '"' || c == '\\') {
                ByteBufUtil.writeUtf8(out, text, begun, i);
                escape(out, c);
                begun = i + 1;
            }
        }
        ByteBufUtil.writeUtf8(out, text, begun, text.length());
        out.writeByte('"');
    }

    private static void escape(ByteBuf out, char c) {
        out.writeByte('\\');
        switch (c) {
            case '"', '\\' -> out.writeByte(c);
            case '\n' -> out.writeByte('n');
            case '\r' -> out.writeByte('r');
            case '\t' -> out.writeByte('t');
            default -> {
                ByteBufUtil.writeAscii(out, "u00");
                out.writeByte(HEX[c >> 4]);
                out.writeByte(HEX[c & 0xf]);
            }
        }
    }

    /** Writes an object of strings. */
    public static void strings(ByteBuf out, Map<String, String> strings) {
        char separator = '{';
        for (Map.Entry<String, String> entry : strings.entrySet()) {
            out.writeByte(separator);
            string(out, entry.getKey());
            out.writeByte(':');
            string(out, entry.getValue());
            separator = ',';
        }
        if (separator == '{') {
            out.writeByte('{');
        }
        out.writeByte('}');
    }

    /**
     * Writes a payload as a field: {@code "data":…} with its very bytes if they are JSON, else {@code
     * "b64data":"…"}.
     *
     * @param name the field's name
     */
    public static void payload(ByteBuf out, String name, Payload data) {
        byte[] bytes = data.unsafeBytes();
        out.writeByte('"');
        if (isJson(bytes)) {
            raw(out, name);
            raw(out, "\":");
            out.writeBytes(bytes);
        } else {
            raw(out, "b64");
            raw(out, name);
            raw(out, "\":\"");
            out.writeBytes(Base64.getEncoder().encode(bytes));
            out.writeByte('"');
        }
    }

    /** Writes an error as a whole body. */
    public static void error(ByteBuf out, int code, String message) {
        raw(out, "{\"error\":{\"code\":");
        number(out, code);
        raw(out, ",\"message\":");
        string(out, message);
        raw(out, "}}");
    }

    /** Opens a parser over a part of the bytes; that they are UTF-8 is the caller's to know. */
    public static JsonParser parser(byte[] bytes, int from, int length) throws IOException {
        return FACTORY.createParser(bytes, from, length);
    }

    /** Tells whether the bytes are one JSON value, perhaps with white space around it. */
    public static boolean isJson(byte[] bytes) {
        if (!isText(bytes)) {
            return false;
        }
        try (JsonParser parser = parser(bytes, 0, bytes.length)) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                return false;
            }
            parser.skipChildren();
            return parser.nextToken() == null;
        } catch (IOException notJson) {
            return false;
        }
    }

    /**
     * Tells whether bytes that should be JSON are well-formed UTF-8 without a byte order mark. A parser would take more:
     * other encodings, which it finds out, and halves of surrogate pairs, for which browsers close a connection.
     */
    public static boolean isText(byte[] bytes) {
        return (bytes.length == 0 || bytes[0] > 0) && Utf8.isText(bytes);
    }
}
