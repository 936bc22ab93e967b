package dev.fanfare.netty;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Payload;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The answer to an {@link HttpCall}.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class HttpAnswer {

    /** Headers that the transport writes itself. */
    private static final Set<String> OURS = Set.of("content-type", "content-length", "connection", "transfer-encoding");

    private static final String NAME_MARKS = "!#$%&'*+-.^_`|~";

    private final int status;
    private final String contentType;
    private final Payload body;
    private final List<String> headers;

    private HttpAnswer(int status, String contentType, Payload body, List<String> headers) {
        this.status = status;
        this.contentType = contentType;
        this.body = body;
        this.headers = headers;
    }

    /** Answers with JSON. */
    public static HttpAnswer json(int status, String json) {
        return of(status, "application/json", Payload.of(json));
    }

    /** Answers with plain text. */
    public static HttpAnswer text(int status, String text) {
        return of(status, "text/plain; charset=utf-8", Payload.of(text));
    }

    /** Answers with a page. */
    public static HttpAnswer html(int status, String html) {
        return of(status, "text/html; charset=utf-8", Payload.of(html));
    }

    /** Answers with bytes of any kind; copied. */
    public static HttpAnswer bytes(int status, String contentType, byte[] bytes) {
        return of(status, contentType, Payload.of(bytes));
    }

    /** Answers with a status alone. */
    public static HttpAnswer empty(int status) {
        return of(status, "text/plain; charset=utf-8", Payload.EMPTY);
    }

    /**
     * Answers with bytes of any kind.
     *
     * @param status 200 to 599
     * @param contentType such as {@code image/png}
     */
    public static HttpAnswer of(int status, String contentType, Payload body) {
        if (status < 200 || status > 599) {
            throw new IllegalArgumentException("status must be in [200, 599]: " + status);
        }
        return new HttpAnswer(status, oneLine(contentType), requireNonNull(body, "body"), List.of());
    }

    /**
     * Returns the same answer with one header more.
     *
     * @throws IllegalArgumentException if the name or value is not valid, or the transport's own to write
     */
    public HttpAnswer withHeader(String name, String value) {
        String lower = name.toLowerCase(Locale.ROOT);
        if (OURS.contains(lower) || lower.isEmpty() || !lower.chars().allMatch(HttpAnswer::isNameCharacter)) {
            throw new IllegalArgumentException("No header of that name can be set: " + name);
        }
        List<String> more = new ArrayList<>(headers);
        more.add(lower);
        more.add(oneLine(value));
        return new HttpAnswer(status, contentType, body, List.copyOf(more));
    }

    /** Returns the status. */
    public int status() {
        return status;
    }

    /** Returns the content type. */
    public String contentType() {
        return contentType;
    }

    /** Returns the body. */
    public Payload body() {
        return body;
    }

    /** Returns the further headers: name, value, name, value. */
    List<String> headers() {
        return headers;
    }

    private static boolean isNameCharacter(int c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || NAME_MARKS.indexOf(c) >= 0;
    }

    private static String oneLine(String value) {
        if (value.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("A header's value must not contain control characters");
        }
        return value;
    }

    /** Tells status, type and size. */
    @Override
    public String toString() {
        return "HttpAnswer[" + status + ", " + contentType + ", " + body.size() + " bytes]";
    }
}
