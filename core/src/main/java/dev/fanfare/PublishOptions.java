package dev.fanfare;

import static java.util.Objects.requireNonNull;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a publisher may say besides channel and data. Start from {@link #none} or
 * {@link #dedupKey(String)} and add; each method returns a new object.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class PublishOptions {

    /** Longest dedup key, conflation key and event type, in characters. */
    public static final int MAX_KEY_LENGTH = 255;
    /** Most headers on one publication. */
    public static final int MAX_HEADERS = 32;
    /** Most characters in all names and values of the headers together. */
    public static final int MAX_HEADER_CHARS = 4096;

    private static final PublishOptions NONE = new PublishOptions(null, null, null, Map.of());

    private final @Nullable String dedupKey;
    private final @Nullable String key;
    private final @Nullable String eventType;
    private final Map<String, String> headers;

    private PublishOptions(
            @Nullable String dedupKey, @Nullable String key, @Nullable String eventType, Map<String, String> headers) {
        this.dedupKey = dedupKey;
        this.key = key;
        this.eventType = eventType;
        this.headers = headers;
    }

    /** Returns options that say nothing. */
    public static PublishOptions none() {
        return NONE;
    }

    /**
     * Returns options with a dedup key: within the namespace's window, the same key on the same
     * channel is appended once, and a repeat gets the first one's position back.
     */
    public static PublishOptions dedupKey(String dedupKey) {
        return NONE.withDedupKey(dedupKey);
    }

    /** Returns the same options with that dedup key. */
    public PublishOptions withDedupKey(String dedupKey) {
        return new PublishOptions(checked(dedupKey, "dedupKey"), key, eventType, headers);
    }

    /** Returns the same options with a conflation key: newer publications of it replace older ones. */
    public PublishOptions withKey(String key) {
        return new PublishOptions(dedupKey, checked(key, "key"), eventType, headers);
    }

    /** Returns the same options with an event type; it must not contain line breaks. */
    public PublishOptions withEventType(String eventType) {
        return new PublishOptions(dedupKey, key, checked(eventType, "eventType"), headers);
    }

    /** Returns the same options with one header more. */
    public PublishOptions withHeader(String name, String value) {
        Map<String, String> more = new TreeMap<>(headers);
        more.put(checked(name, "name"), requireNonNull(value, "value"));
        return withHeaders(more);
    }

    /** Returns the same options with exactly those headers. */
    public PublishOptions withHeaders(Map<String, String> headers) {
        int chars = 0;
        for (Map.Entry<String, String> header : headers.entrySet()) {
            chars += checked(header.getKey(), "header name").length()
                    + header.getValue().length();
        }
        if (headers.size() > MAX_HEADERS || chars > MAX_HEADER_CHARS) {
            throw new IllegalArgumentException("At most " + MAX_HEADERS + " headers of " + MAX_HEADER_CHARS
                    + " characters in all; got " + headers.size() + " of " + chars);
        }
        return new PublishOptions(dedupKey, key, eventType, Map.copyOf(headers));
    }

    /** Returns the dedup key. */
    public @Nullable String dedupKey() {
        return dedupKey;
    }

    /** Returns the conflation key. */
    public @Nullable String key() {
        return key;
    }

    /** Returns the event type. */
    public @Nullable String eventType() {
        return eventType;
    }

    /** Returns the headers, unmodifiable. */
    public Map<String, String> headers() {
        return headers;
    }

    private static String checked(String text, String name) {
        requireNonNull(text, name);
        if (text.isEmpty() || text.length() > MAX_KEY_LENGTH) {
            throw new IllegalArgumentException(
                    name + " must have 1 to " + MAX_KEY_LENGTH + " characters: " + text.length());
        }
        if (text.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(name + " must not contain control characters");
        }
        return text;
    }
}
