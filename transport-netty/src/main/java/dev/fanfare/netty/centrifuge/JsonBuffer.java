package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.Payload;

/**
 * Writes one JSON message, on one line. Commas are put where they belong.
 *
 * <p><b>Threading:</b> not thread-safe.
 */
final class JsonBuffer extends MessageBuffer {

    private static final byte[] HEX = "0123456789abcdef".getBytes(UTF_8);

    JsonBuffer(int expected) {
        super(expected);
    }

    void beginObject() {
        separate();
        put('{');
    }

    void endObject() {
        put('}');
    }

    /** Begins an object as the value of a field. */
    void beginObject(String name) {
        name(name);
        put('{');
    }

    /** Begins an array as the value of a field. */
    void beginArray(String name) {
        name(name);
        put('[');
    }

    void endArray() {
        put(']');
    }

    /** Begins an object as the value of a field whose name may need escapes. */
    void beginEntry(String key) {
        separate();
        quoted(key);
        put(':');
        put('{');
    }

    void field(String name, String value) {
        name(name);
        quoted(value);
    }

    /** Writes an entry whose key may need escapes. */
    void entry(String key, String value) {
        separate();
        quoted(key);
        put(':');
        quoted(value);
    }

    void field(String name, long value) {
        name(name);
        putAscii(Long.toString(value));
    }

    /** Writes the field, if it is true. */
    void flag(String name, boolean value) {
        if (value) {
            name(name);
            putAscii("true");
        }
    }

    /**
     * Embeds a payload as it is, without line feeds.
     *
     * @throws UnencodableException if it is not JSON
     */
    void field(String name, Payload payload) {
        if (!fieldIfJson(name, payload)) {
            throw new UnencodableException("A payload of " + payload.size() + " bytes is not JSON");
        }
    }

    /** Embeds a payload as it is, without line feeds; writes nothing and returns false if it is not JSON. */
    boolean fieldIfJson(String name, Payload payload) {
        byte[] json = payload.unsafeBytes();
        JsonScanner scanner = new JsonScanner(json);
        if (!scanner.isValue()) {
            return false;
        }
        name(name);
        if (scanner.hasLineBreaks()) {
            putWithoutLineBreaks(json);
        } else {
            put(json);
        }
        return true;
    }

    /**
     * Writes a payload as a string that holds its JSON text.
     *
     * @throws UnencodableException if it is not JSON
     */
    void textOf(String name, Payload payload) {
        byte[] json = payload.unsafeBytes();
        if (!new JsonScanner(json).isValue()) {
            throw new UnencodableException("A payload of " + json.length + " bytes is not JSON");
        }
        text(name, json);
    }

    /** Writes a string, given as well-formed UTF-8. */
    void text(String name, byte[] utf8) {
        name(name);
        quoted(utf8);
    }

    private void name(String name) {
        separate();
        put('"');
        putAscii(name);
        put('"');
        put(':');
    }

    /** No value ends with an opening bracket, so what follows one is the first. */
    private void separate() {
        if (size() > 0) {
            int last = at(size() - 1);
            if (last != '{' && last != '[') {
                put(',');
            }
        }
    }

    private void quoted(String text) {
        put('"');
        if (isPlain(text)) {
            putAscii(text);
        } else {
            putEscaped(text.getBytes(UTF_8));
        }
        put('"');
    }

    private void quoted(byte[] utf8) {
        put('"');
        putEscaped(utf8);
        put('"');
    }

    /** Copies what needs no escape as a whole. */
    private void putEscaped(byte[] utf8) {
        int start = 0;
        for (int i = 0; i < utf8.length; i++) {
            byte octet = utf8[i];
            if (octet == '"' || octet == '\\' || (octet >= 0 && octet < ' ')) {
                put(utf8, start, i);
                putEscaped(octet);
                start = i + 1;
            }
        }
        put(utf8, start, utf8.length);
    }

    private void putEscaped(byte octet) {
        if (octet == '"' || octet == '\\') {
            put('\\');
            put(octet);
        } else {
            putAscii("\\u00");
            put(HEX[octet >> 4]);
            put(HEX[octet & 15]);
        }
    }

    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                return false;
            }
        }
        return true;
    }

    /** In JSON, raw line breaks stand between tokens only, where they mean nothing. */
    private void putWithoutLineBreaks(byte[] json) {
        for (byte octet : json) {
            if (octet != '\n' && octet != '\r') {
                put(octet);
            }
        }
    }
}
