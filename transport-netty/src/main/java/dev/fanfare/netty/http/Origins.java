package dev.fanfare.netty.http;

import dev.fanfare.netty.connection.AllowedOrigins;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Judges the {@code Origin} that a browser names, and what a page from there may have.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param allowed the pages that may call, besides those of the server itself
 * @param withCredentials whether browsers may send cookies along; not if everybody is allowed
 */
public record Origins(AllowedOrigins allowed, boolean withCredentials) {

    /**
     * Allows those pages.
     *
     * @param patterns such as {@code https://app.example}; {@code *} stands for any characters
     */
    public static Origins of(List<String> patterns) {
        return new Origins(AllowedOrigins.of(patterns), !patterns.contains("*"));
    }

    /** Tells whether the request comes from a page of another server that was not allowed. */
    boolean isForeign(@Nullable String origin, @Nullable String host) {
        return !allowed.allows(origin, host);
    }
}
