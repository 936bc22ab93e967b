package dev.fanfare.netty;

import dev.fanfare.Payload;
import dev.fanfare.netty.http.Exchange;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.cookie.ServerCookieDecoder;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP request to a route of the host's own.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class HttpCall {

    private final String method;
    private final String path;
    private final Map<String, String> query;
    private final Map<String, String> headers;
    private final Payload body;
    private final String remoteAddress;

    HttpCall(Exchange exchange) {
        this.method = exchange.method().name();
        this.path = exchange.decodedPath();
        this.query = Map.copyOf(exchange.firstParameters());
        this.headers = Map.copyOf(exchange.firstHeaders());
        this.body = Payload.wrap(exchange.body());
        this.remoteAddress = exchange.remoteAddress();
    }

    /** Returns the method, such as {@code POST}. */
    public String method() {
        return method;
    }

    /** Returns the path, percent-decoded, without the query. */
    public String path() {
        return path;
    }

    /** Returns the query's parameters, the first value of each; unmodifiable. */
    public Map<String, String> query() {
        return query;
    }

    /** Returns the query's parameter of that name, or null. */
    public @Nullable String query(String name) {
        return query.get(name);
    }

    /** Returns the headers, names in lower case, the first value of each; unmodifiable. */
    public Map<String, String> headers() {
        return headers;
    }

    /**
     * Returns the header of that name, or null.
     *
     * @param name in lower case
     */
    public @Nullable String header(String name) {
        return headers.get(name);
    }

    /** Returns the cookies by name. */
    public Map<String, String> cookies() {
        Map<String, String> cookies = new LinkedHashMap<>();
        String header = headers.get(HttpHeaderNames.COOKIE.toString());
        if (header != null) {
            ServerCookieDecoder.LAX
                    .decode(header)
                    .forEach(cookie -> cookies.putIfAbsent(cookie.name(), cookie.value()));
        }
        return cookies;
    }

    /** Returns the body, perhaps without bytes. */
    public Payload body() {
        return body;
    }

    /** Returns the peer's address, without its port; behind a proxy, the proxy's. */
    public String remoteAddress() {
        return remoteAddress;
    }

    /** Tells method and path. */
    @Override
    public String toString() {
        return method + " " + path;
    }
}
