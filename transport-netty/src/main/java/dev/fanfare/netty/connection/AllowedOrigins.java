package dev.fanfare.netty.connection;

import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Says from which web pages browsers may connect. Without an {@code Origin} header it is no browser, and
 * allowed; a page of the very host that is asked is allowed; others must match a pattern such as {@code
 * https://*.example.com} or {@code *}.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class AllowedOrigins {

    private static final AllowedOrigins SAME_HOST = new AllowedOrigins(List.of());

    private final List<Pattern> patterns;

    private AllowedOrigins(List<Pattern> patterns) {
        this.patterns = patterns;
    }

    /** Allows only pages of the same host. */
    public static AllowedOrigins sameHost() {
        return SAME_HOST;
    }

    /**
     * Allows those pages too.
     *
     * @param patterns origins such as {@code https://app.example.com}; {@code *} stands for any characters
     */
    public static AllowedOrigins of(List<String> patterns) {
        return new AllowedOrigins(patterns.stream().map(AllowedOrigins::compile).toList());
    }

    /**
     * Tells whether a request is allowed.
     *
     * @param origin its {@code Origin} header
     * @param host its {@code Host} header
     */
    public boolean allows(@Nullable String origin, @Nullable String host) {
        if (origin == null || origin.isEmpty()) {
            return true;
        }
        return isSameHost(origin, host) || isListed(origin);
    }

    /** Tells whether the origin matches a pattern; for answers that carry CORS headers. */
    public boolean isListed(String origin) {
        String lower = origin.toLowerCase(Locale.ROOT);
        return patterns.stream().anyMatch(pattern -> pattern.matcher(lower).matches());
    }

    private static boolean isSameHost(String origin, @Nullable String host) {
        if (host == null) {
            return false;
        }
        try {
            String authority = URI.create(origin).getRawAuthority();
            return authority != null && authority.equalsIgnoreCase(host);
        } catch (IllegalArgumentException noUri) {
            return false;
        }
    }

    private static Pattern compile(String pattern) {
        String regex = Pattern.compile("\\*")
                .splitAsStream(pattern.toLowerCase(Locale.ROOT) + "\0")
                .map(part -> Pattern.quote(part.replace("\0", "")))
                .collect(Collectors.joining(".*"));
        return Pattern.compile(regex);
    }
}
