package dev.fanfare.netty.api;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.FanfareListener;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/**
 * What a caller of the server API must show.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class ApiKey {

    private static final String HEADER = "x-api-key";
    private static final String SCHEME = "apikey ";

    private final byte @Nullable [] key;

    private ApiKey(byte @Nullable [] key) {
        this.key = key;
    }

    /**
     * Demands that key.
     *
     * @throws IllegalArgumentException if it is blank
     */
    public static ApiKey of(String key) {
        if (key.isBlank()) {
            throw new IllegalArgumentException("The API key must not be blank; openApi() does without one");
        }
        return new ApiKey(key.getBytes(UTF_8));
    }

    /** Demands nothing. */
    public static ApiKey none() {
        return new ApiKey(null);
    }

    /** Tells whether everybody may call. */
    public boolean isOpen() {
        return key == null;
    }

    /**
     * Returns an endpoint that only those reach who show the key.
     *
     * @param listener is told of the others
     */
    public Endpoint guard(FanfareListener listener, Endpoint endpoint) {
        return new KeyedEndpoint(this, listener, endpoint);
    }

    /**
     * Tells whether the caller showed the key, in {@code X-API-Key: …} or {@code Authorization: apikey
     * …}. How long that takes says nothing about how much of a wrong key was right.
     */
    boolean isShownBy(Exchange exchange) {
        byte[] expected = key;
        if (expected == null) {
            return true;
        }
        String shown = exchange.headers().get(HEADER);
        if (shown == null) {
            String authorization = exchange.headers().get("authorization", "");
            shown = authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                    ? authorization.substring(SCHEME.length())
                    : "";
        }
        return MessageDigest.isEqual(expected, shown.getBytes(UTF_8));
    }
}
