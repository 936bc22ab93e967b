package dev.fanfare.netty.centrifuge;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;

/**
 * Knows what counts as JSON here. Commands and payloads are held to the same rules, so that what one
 * client may publish can be sent to every other.
 *
 * <p><b>Threading:</b> has no state.
 */
final class JsonText {

    /** How deep values may be nested. */
    static final int MAX_DEPTH = 512;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
            .build();

    private JsonText() {}

    /** Opens a parser over a part of the bytes, which {@link Utf8#isText} has found good. */
    static JsonParser parser(byte[] bytes, int from, int length) throws IOException {
        return FACTORY.createParser(bytes, from, length);
    }

    /** Tells whether the bytes are one JSON value in UTF-8. */
    static boolean isValue(byte[] bytes) {
        // A byte order mark would be skipped by the parser, but not by a browser.
        if (bytes.length == 0 || bytes[0] < 0 || !Utf8.isText(bytes)) {
            return false;
        }
        try (JsonParser parser = parser(bytes, 0, bytes.length)) {
            if (parser.nextToken() == null) {
                return false;
            }
            parser.skipChildren();
            return parser.nextToken() == null;
        } catch (IOException notJson) {
            return false;
        }
    }
}
