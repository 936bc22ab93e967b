package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a WebSocket handshake (RFC 6455).
 *
 * <p><b>Threading:</b> not thread-safe.
 */
final class UpgradeRequest {

    private static final String JSON = "centrifuge-json";
    private static final String PROTOBUF = "centrifuge-protobuf";
    private static final String COMPRESSION = "permessage-deflate";
    private static final Set<String> COMPRESSION_TERMS =
            Set.of("server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits");

    private static final String ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int KEY_LENGTH = 24;
    private static final int KEY_BYTES = 16;

    private final HttpRequest request;
    private final @Nullable Map<String, String> query;

    UpgradeRequest(HttpRequest request) {
        this.request = request;
        this.query = query(request.uri());
    }

    HttpHeaders headers() {
        return request.headers();
    }

    /** Tells whether it asks for the version of WebSocket that there is. */
    boolean isWebSocket() {
        return headers().containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)
                && headers().containsValue(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true)
                && "13".equals(headers().get(HttpHeaderNames.SEC_WEBSOCKET_VERSION));
    }

    boolean isWellFormed() {
        return request.method().equals(HttpMethod.GET)
                && request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                && query != null
                && isKey(headers().get(HttpHeaderNames.SEC_WEBSOCKET_KEY));
    }

    private static boolean isKey(@Nullable String key) {
        try {
            return key != null
                    && key.length() == KEY_LENGTH
                    && Base64.getDecoder().decode(key).length == KEY_BYTES;
        } catch (IllegalArgumentException noBase64) {
            return false;
        }
    }

    /** Returns what proves that we understood the handshake. */
    String acceptKey() {
        try {
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            String key = headers().get(HttpHeaderNames.SEC_WEBSOCKET_KEY) + ACCEPT_SUFFIX;
            return Base64.getEncoder().encodeToString(sha1.digest(key.getBytes(US_ASCII)));
        } catch (NoSuchAlgorithmException everyPlatformHasIt) {
            throw new IllegalStateException(everyPlatformHasIt);
        }
    }

    /** Returns the first subprotocol offered that we speak, which is to be echoed; null if none is. */
    @Nullable
    String subprotocol() {
        for (String line : headers().getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL)) {
            for (String offered : line.split(",", -1)) {
                String name = offered.trim();
                if (name.equals(JSON) || name.equals(PROTOBUF)) {
                    return name;
                }
            }
        }
        return null;
    }

    /** Tells whether the client offers compression on terms that we can keep (RFC 7692, 7.1). */
    boolean offersCompression() {
        for (String line : headers().getAll(HttpHeaderNames.SEC_WEBSOCKET_EXTENSIONS)) {
            for (String offer : line.split(",", -1)) {
                if (isCompressionToTake(offer)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isCompressionToTake(String offer) {
        String[] parts = offer.split(";", -1);
        if (!parts[0].trim().equals(COMPRESSION)) {
            return false;
        }
        for (int i = 1; i < parts.length; i++) {
            // A smaller window of ours, and whatever else is asked for, we cannot promise.
            String parameter = parts[i].split("=", 2)[0].trim();
            if (!COMPRESSION_TERMS.contains(parameter)) {
                return false;
            }
        }
        return true;
    }

    /** Returns the encoding, without compression. */
    WireFormat format() {
        boolean isProtobuf = PROTOBUF.equals(subprotocol())
                || (query != null
                        && ("protobuf".equals(query.get("format")) || "protobuf".equals(query.get("cf_protocol"))));
        return isProtobuf ? WireFormat.PROTOBUF : WireFormat.JSON;
    }

    /** Tells whether the client wants to be pinged by WebSocket itself, and not by messages. */
    boolean wantsPingFrames() {
        return query != null && "true".equals(query.get("cf_ws_frame_ping_pong"));
    }

    /** Returns what the authenticator may want to see later. */
    Handshake handshake(@Nullable SocketAddress remote) {
        Map<String, String> headers = new HashMap<>();
        request.headers()
                .forEach(header -> headers.putIfAbsent(header.getKey().toLowerCase(Locale.ROOT), header.getValue()));
        return new Handshake(headers, query == null ? Map.of() : query, address(remote));
    }

    private static String address(@Nullable SocketAddress remote) {
        if (remote instanceof InetSocketAddress inet && inet.getAddress() != null) {
            return inet.getAddress().getHostAddress();
        }
        return String.valueOf(remote);
    }

    private static @Nullable Map<String, String> query(String uri) {
        try {
            Map<String, String> first = new HashMap<>();
            for (Map.Entry<String, List<String>> parameter :
                    new QueryStringDecoder(uri).parameters().entrySet()) {
                first.put(parameter.getKey(), parameter.getValue().get(0));
            }
            return first;
        } catch (IllegalArgumentException malformed) {
            return null;
        }
    }
}
