package dev.fanfare;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Set;

/**
 * A code and words of the host's own, for clients that it disconnects or unsubscribes. Ranges are those of the
 * Centrifuge client protocol, by which SDKs decide what to do next. Counted and logged it is as what it
 * amounts to, such as {@link DisconnectReason#FORCE_DISCONNECT}.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param code the code
 * @param text plain words that clients are shown, 1 to 123 bytes
 */
public record HostCode(int code, String text) {

    private static final int MAX_BYTES = 123;
    /** Words that are JSON by themselves. */
    private static final Set<String> JSON = Set.of("true", "false", "null");

    /** Checks the words. */
    public HostCode {
        String words = text.strip();
        if (words.isEmpty()
                || text.getBytes(UTF_8).length > MAX_BYTES
                || JSON.contains(words)
                || "{[\"0123456789-".indexOf(words.charAt(0)) >= 0) {
            // Some SDKs read what looks like JSON as something else.
            throw new IllegalArgumentException(
                    "The words are 1 to " + MAX_BYTES + " bytes, and begin like words, not like JSON: " + text);
        }
    }

    /**
     * Disconnects a client.
     *
     * @param code 4000 to 4499: it comes back by itself; 4500 to 4999: it stays away
     */
    public static HostCode disconnect(int code, String text) {
        if (code < 4000 || code > 4999) {
            throw new IllegalArgumentException("A host's code to disconnect is in [4000, 4999]: " + code);
        }
        return new HostCode(code, text);
    }

    /**
     * Unsubscribes a client.
     *
     * @param code 2100 to 2499: it stays unsubscribed; 2600 to 2999: it subscribes again by itself
     */
    public static HostCode unsubscribe(int code, String text) {
        if (code < 2100 || code > 2999 || (code > 2499 && code < 2600)) {
            throw new IllegalArgumentException(
                    "A host's code to unsubscribe is in [2100, 2499] or [2600, 2999]: " + code);
        }
        return new HostCode(code, text);
    }

    /** Returns what a disconnect with this code amounts to. */
    public DisconnectReason reason() {
        return code < 4500 ? DisconnectReason.FORCE_RECONNECT : DisconnectReason.FORCE_DISCONNECT;
    }
}
