package dev.fanfare.netty.http;

import dev.fanfare.Rejection;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a request's head must be like, where the decoder is more lenient than RFC 9112: requests that two servers can
 * read in two ways are how one is smuggled past the other.
 */
final class HttpRules {

    private static final int MAX_LENGTH_DIGITS = 18;
    private static final int FIRST_BEYOND_ASCII = 0x80;

    private HttpRules() {}

    /** Tells whether it is a version that we speak. */
    static boolean isKnownVersion(HttpRequest request) {
        HttpVersion version = request.protocolVersion();
        return version.equals(HttpVersion.HTTP_1_1) || version.equals(HttpVersion.HTTP_1_0);
    }

    /** Returns what is wrong with the head, or null. */
    static @Nullable String faultOf(HttpRequest request) {
        HttpHeaders headers = request.headers();
        int hosts = headers.getAll(HttpHeaderNames.HOST).size();
        if (hosts > 1 || (hosts == 0 && request.protocolVersion().equals(HttpVersion.HTTP_1_1))) {
            return "exactly one Host header is needed"; // RFC 9112, 3.2
        }
        if (request.uri().chars().anyMatch(c -> c >= FIRST_BEYOND_ASCII)) {
            return "the target is not percent-encoded"; // RFC 3986, 2.1; read as Latin-1, it would be other words
        }
        if (request.uri().chars().anyMatch(c -> c == ' ' || Character.isISOControl(c))) {
            return "control characters in the target"; // RFC 9112, 3.2; and they would be logged
        }
        List<String> lengths = headers.getAll(HttpHeaderNames.CONTENT_LENGTH);
        if (lengths.size() > 1 || (lengths.size() == 1 && !isLength(lengths.get(0)))) {
            return "Content-Length is no number"; // RFC 9110, 8.6
        }
        if (!lengths.isEmpty() && headers.contains(HttpHeaderNames.TRANSFER_ENCODING)) {
            return "either Content-Length or Transfer-Encoding"; // RFC 9112, 6.1
        }
        List<String> encodings = headers.getAll(HttpHeaderNames.TRANSFER_ENCODING);
        if (!encodings.isEmpty() && !isChunksAlone(request, encodings)) {
            return "no Transfer-Encoding but chunked"; // RFC 9112, 6.1 and 6.3; else nobody knows where the body ends
        }
        return null;
    }

    private static boolean isChunksAlone(HttpRequest request, List<String> encodings) {
        return encodings.size() == 1
                && HttpHeaderValues.CHUNKED.contentEqualsIgnoreCase(encodings.get(0))
                && request.protocolVersion().equals(HttpVersion.HTTP_1_1);
    }

    /** Tells whether a body follows a head that has no fault. */
    static boolean hasBody(HttpRequest request) {
        return announced(request) > 0 || HttpUtil.isTransferEncodingChunked(request);
    }

    /** Returns how many bytes of a body a head without fault announces; 0 also if it does not say how many. */
    static long announced(HttpRequest request) {
        return HttpUtil.getContentLength(request, 0L);
    }

    private static boolean isLength(String text) {
        boolean isPadded = text.length() > 1 && text.charAt(0) == '0';
        return !text.isEmpty()
                && text.length() <= MAX_LENGTH_DIGITS
                && !isPadded
                && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    /** Returns what a refusal of an endpoint is counted as. */
    static Rejection rejection(RequestRefused refused) {
        return switch (refused.status()) {
            case 413 -> Rejection.TOO_LARGE;
            case 503 -> Rejection.CONNECTION_LIMIT;
            default -> Rejection.BAD_REQUEST;
        };
    }

    /** Returns the status that says so. */
    static int status(Rejection reason) {
        return switch (reason) {
            case HTTP_VERSION -> 505;
            case LINE_TOO_LONG -> 414;
            case HEADERS_TOO_LARGE -> 431;
            case TOO_LARGE -> 413;
            case SLOW_REQUEST -> 408;
            case REQUESTS_LIMIT -> 503;
            default -> 400;
        };
    }
}
