package dev.fanfare.netty.http;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Rejection;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds the endpoint of a request: by its exact path first, then by the longest prefix.
 *
 * <p><b>Threading:</b> immutable; the builder is not thread-safe.
 */
public final class Router {

    private static final String ANY_METHOD = "*";

    private final Map<String, Map<String, Endpoint>> exact;
    private final List<Prefix> prefixes;
    private final Consumer<Rejection> rejections;

    private Router(Builder builder) {
        exact = new HashMap<>(builder.exact);
        rejections = builder.rejections;
        prefixes = builder.prefixes.entrySet().stream()
                .map(entry -> new Prefix(entry.getKey(), entry.getValue()))
                .sorted(Comparator.comparingInt((Prefix prefix) -> -prefix.path.length()))
                .collect(Collectors.toUnmodifiableList());
    }

    /** Starts without any route. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Finds who answers a request, by its head alone, and asks whether that one will; answers if nobody does.
     *
     * @return null if it is answered
     */
    @Nullable
    Endpoint admit(Exchange exchange) {
        Endpoint endpoint = find(exchange);
        if (endpoint == null) {
            return null;
        }
        if (exchange.isForeign() && !endpoint.takesForeignOrigins()) {
            rejected(Rejection.FORBIDDEN_ORIGIN);
            exchange.fail(403, "origin not allowed");
            return null;
        }
        endpoint.admit(exchange);
        return exchange.isOpen() ? endpoint : null;
    }

    private @Nullable Endpoint find(Exchange exchange) {
        Map<String, Endpoint> methods = find(exchange.path());
        if (methods == null) {
            rejected(Rejection.NOT_FOUND);
            exchange.fail(404, "not found");
            return null;
        }
        Endpoint endpoint = endpoint(methods, exchange.method());
        if (endpoint == null && exchange.method().equals(HttpMethod.OPTIONS)) {
            options(exchange, methods);
        } else if (endpoint == null) {
            rejected(Rejection.NOT_FOUND);
            exchange.begin(405, MediaTypes.JSON, List.of("allow", allow(methods)));
            exchange.endWithError(405, "method not allowed");
        }
        return endpoint;
    }

    /** Tells that a request was turned away. */
    void rejected(Rejection reason) {
        rejections.accept(reason);
    }

    private @Nullable Map<String, Endpoint> find(String path) {
        Map<String, Endpoint> methods = exact.get(path);
        if (methods != null) {
            return methods;
        }
        for (Prefix prefix : prefixes) {
            if (path.startsWith(prefix.path)) {
                return prefix.methods;
            }
        }
        return null;
    }

    private static @Nullable Endpoint endpoint(Map<String, Endpoint> methods, HttpMethod method) {
        Endpoint endpoint = methods.get(method.name());
        if (endpoint == null && method.equals(HttpMethod.HEAD)) {
            endpoint = methods.get(HttpMethod.GET.name());
        }
        return endpoint != null ? endpoint : methods.get(ANY_METHOD);
    }

    /** Answers the question that browsers ask before they send a request across origins. */
    private static void options(Exchange exchange, Map<String, Endpoint> methods) {
        List<String> headers = new ArrayList<>(List.of("allow", allow(methods)));
        if (exchange.isAllowedOrigin()) {
            headers.addAll(List.of("access-control-allow-methods", allow(methods), "access-control-max-age", "600"));
            String asked = exchange.headers().get(HttpHeaderNames.ACCESS_CONTROL_REQUEST_HEADERS);
            if (asked != null) {
                headers.addAll(List.of("access-control-allow-headers", asked));
            }
        }
        exchange.begin(204, MediaTypes.JSON, headers);
        exchange.end();
    }

    private static String allow(Map<String, Endpoint> methods) {
        TreeSet<String> names = new TreeSet<>(methods.keySet());
        if (names.contains(HttpMethod.GET.name())) {
            names.add(HttpMethod.HEAD.name());
        }
        return String.join(", ", names);
    }

    private record Prefix(String path, Map<String, Endpoint> methods) {}

    /**
     * Collects routes.
     *
     * <p><b>Threading:</b> not thread-safe.
     */
    public static final class Builder {
        private final Map<String, Map<String, Endpoint>> exact = new HashMap<>();
        private final Map<String, Map<String, Endpoint>> prefixes = new HashMap<>();

        private Consumer<Rejection> rejections = reason -> {};

        private Builder() {}

        /** Sets who is told of requests that are turned away, on the connection's event loop. */
        @CanIgnoreReturnValue
        public Builder rejections(Consumer<Rejection> rejections) {
            this.rejections = requireNonNull(rejections, "rejections");
            return this;
        }

        /**
         * Adds a route.
         *
         * @param method such as {@code GET}, or {@code *} for every method
         * @param path begins with {@code /}; if it ends with {@code /*}, everything below is meant
         * @throws IllegalStateException if that method of that path has an endpoint already
         */
        @CanIgnoreReturnValue
        public Builder add(String method, String path, Endpoint endpoint) {
            requireNonNull(endpoint, "endpoint");
            if (!path.startsWith("/")) {
                throw new IllegalArgumentException("A path begins with '/': " + path);
            }
            boolean isPrefix = path.endsWith("/*");
            Map<String, Map<String, Endpoint>> routes = isPrefix ? prefixes : exact;
            String key = isPrefix ? path.substring(0, path.length() - 1) : path;
            if (routes.computeIfAbsent(key, absent -> new HashMap<>()).putIfAbsent(method, endpoint) != null) {
                throw new IllegalStateException(method + " " + path + " has a route already");
            }
            return this;
        }

        /** Returns the router. */
        public Router build() {
            return new Router(this);
        }
    }
}
