package dev.fanfare.netty.sse;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.netty.http.RequestRefused;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes event ids. Of a connection with one channel an id is that channel's cursor; of one
 * with several it is {@code <channel>=<cursor>;<channel>=<cursor>…}, the names percent-encoded.
 */
final class CursorVector {

    private static final String UNRESERVED = "-._~:/@";

    private CursorVector() {}

    /**
     * Reads where a client is.
     *
     * @param text an event id as one of its connections had it; it may name channels that are not asked for
     * @param asked the channels that the client asks for
     * @throws RequestRefused if it is no event id, or is a bare cursor although several channels are asked
     *     for
     */
    static Map<ChannelId, Cursor> parse(String text, List<ChannelId> asked) {
        if (text.indexOf('=') < 0) {
            if (asked.size() != 1) {
                throw refused("it is of one channel, and " + asked.size() + " are asked for");
            }
            return Map.of(asked.get(0), cursor(text));
        }
        Map<ChannelId, Cursor> cursors = new HashMap<>();
        for (String entry : text.split(";", -1)) {
            int equals = entry.indexOf('=');
            if (equals < 0) {
                throw refused("an entry has no '='");
            }
            cursors.put(channel(entry.substring(0, equals)), cursor(entry.substring(equals + 1)));
        }
        return cursors;
    }

    private static Cursor cursor(String text) {
        Cursor cursor = Cursor.parse(text).orElse(null);
        if (cursor == null) {
            throw refused("not a cursor");
        }
        return cursor;
    }

    private static ChannelId channel(String encoded) {
        String name = decoded(encoded);
        if (name == null || !ChannelId.isValid(name)) {
            throw refused("not a channel's name");
        }
        return ChannelId.of(name);
    }

    private static @Nullable String decoded(String encoded) {
        try {
            return QueryStringDecoder.decodeComponent(encoded.replace("+", "%2B"));
        } catch (IllegalArgumentException garbled) {
            return null;
        }
    }

    private static RequestRefused refused(String why) {
        return RequestRefused.badRequest("the cursor cannot be read: " + why);
    }

    /** Percent-encodes a channel's name. */
    static String encoded(ChannelId channel) {
        StringBuilder out = new StringBuilder();
        for (byte b : channel.value().getBytes(UTF_8)) {
            char c = (char) (b & 0xff);
            if ((c >= 'a' && c <= 'z')
                    || (c >= 'A' && c <= 'Z')
                    || (c >= '0' && c <= '9')
                    || UNRESERVED.indexOf(c) >= 0) {
                out.append(c);
            } else {
                out.append('%').append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 0xf, 16));
            }
        }
        return out.toString();
    }

    /** Returns how many characters the ids of a connection to those channels may have, at most. */
    static int longest(List<ChannelId> channels) {
        List<String> names = new ArrayList<>();
        channels.forEach(channel -> names.add(encoded(channel)));
        return names.stream().mapToInt(String::length).sum() + channels.size() * (2 + Cursor.MAX_TEXT_LENGTH);
    }
}
