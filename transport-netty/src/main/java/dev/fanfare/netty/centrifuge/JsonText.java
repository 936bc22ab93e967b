package dev.fanfare.netty.centrifuge;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;

/**
 * Knows what counts as JSON here, for commands; {@link JsonScanner} holds payloads to the same rules.
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
}
