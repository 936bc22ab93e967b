package dev.fanfare.netty.http;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Judges the {@code Origin} that a browser names: pages of other origins are foreign unless allowed.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class Origins {

    /** Stands for every origin. */
    public static final String ANY = "*";

    private final Set<String> allowed;
    private final boolean allowsAny;

    private Origins(Set<String> allowed) {
        this.allowed = allowed;
        this.allowsAny = allowed.contains(ANY);
    }

    /**
     * Allows exactly those, besides a page's own server.
     *
     * @param origins such as {@code https://app.example}, or {@link #ANY}
     * @throws IllegalArgumentException if one is not an origin
     */
    public static Origins allowing(List<String> origins) {
        Set<String> checked = new TreeSet<>();
        for (String origin : origins) {
            checked.add(checked(origin));
        }
        return new Origins(Set.copyOf(checked));
    }

    private static String checked(String origin) {
        int authority = origin.indexOf("://") + 3;
        boolean isOrigin = authority > 3 && authority < origin.length() && origin.indexOf('/', authority) < 0;
        if (!isOrigin && !origin.equals(ANY)) {
            throw new IllegalArgumentException(
                    "An origin is scheme://host or scheme://host:port, without a path, or *: " + origin);
        }
        return origin.toLowerCase(Locale.ROOT);
    }

    /**
     * Tells whether the origin is one of those allowed.
     *
     * @param origin as the browser sent it
     */
    public boolean allows(String origin) {
        return allowsAny || allowed.contains(origin.toLowerCase(Locale.ROOT));
    }

    /** Tells whether the origin is allowed by name, and so may use the browser's credentials. */
    boolean allowsCredentials(String origin) {
        return allowed.contains(origin.toLowerCase(Locale.ROOT));
    }

    /**
     * Tells whether a request comes from a page of another server that was not allowed.
     *
     * @param origin the request's origin; null if it has none
     * @param host the request's host; null if it has none
     */
    public boolean isForeign(@Nullable String origin, @Nullable String host) {
        return origin != null && !isSame(origin, host) && !allows(origin);
    }

    /** Tells whether the page came from the very server that it now calls. */
    private static boolean isSame(String origin, @Nullable String host) {
        int authority = origin.indexOf("://") + 3;
        return host != null
                && authority > 2
                && origin.length() - authority == host.length()
                && origin.regionMatches(true, authority, host, 0, host.length());
    }
}
