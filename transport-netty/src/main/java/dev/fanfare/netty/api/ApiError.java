package dev.fanfare.netty.api;

import dev.fanfare.ClosedException;
import dev.fanfare.FanfareException;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.netty.connection.ErrorCode;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.MediaTypes;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * An error as the API and the event stream write it: {@code {"code":…,"message":…}}, with {@code
 * "temporary":true} if the same can be tried again later. Codes below 400 are those of the Centrifuge
 * protocol; for what it has no code, the HTTP status that says it.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param code the code
 * @param message for the client
 * @param isTemporary whether trying again can help
 * @param retryAfter when to try again; null if nobody can tell
 */
public record ApiError(
        int code,
        String message,
        boolean isTemporary,
        @Nullable Duration retryAfter) {

    static final int BAD_REQUEST = ErrorCode.BAD_REQUEST.code();
    private static final int INTERNAL = ErrorCode.INTERNAL.code();
    private static final int CONFLICT = 409;
    private static final int TOO_LARGE = 413;

    /** Fanfare is closed here; another node, or the next process, can do it. */
    static final ApiError CLOSED = new ApiError(INTERNAL, "closed", true, null);

    /** Returns the error for a refusal. */
    public static ApiError of(Refusal reason) {
        return of(reason, null);
    }

    static ApiError of(Refusal reason, @Nullable Duration retryAfter) {
        return new ApiError(code(reason), reason.text(), reason.isTemporary(), retryAfter);
    }

    /** Returns the error for a stage that failed. */
    static ApiError of(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof ClosedException) {
            return CLOSED;
        }
        if (cause instanceof RefusedException refused) {
            return of(refused.reason());
        }
        if (cause instanceof FanfareException known && known.isRetryable()) {
            return of(Refusal.UNAVAILABLE);
        }
        return new ApiError(INTERNAL, "internal server error", false, null);
    }

    private static int code(Refusal reason) {
        return switch (reason) {
            case DEDUP_CONFLICT -> CONFLICT;
            case TOO_LARGE -> TOO_LARGE;
            default -> ErrorCode.of(reason).code();
        };
    }

    /** Returns the same error with more words: the channel, or a limit. */
    public ApiError about(String detail) {
        return new ApiError(code, message + ": " + detail, isTemporary, retryAfter);
    }

    /** Answers with it: {@code {"error":…}}. */
    public void answer(Exchange exchange, int status) {
        ApiReply.error(exchange.begin(status, MediaTypes.JSON), this);
        exchange.end();
    }

    /** Writes it as an object. */
    void writeTo(ByteBuf out) {
        JsonText.raw(out, "{\"code\":");
        JsonText.number(out, code);
        JsonText.raw(out, ",\"message\":");
        JsonText.string(out, message);
        if (isTemporary) {
            JsonText.raw(out, ",\"temporary\":true");
        }
        if (retryAfter != null) {
            JsonText.raw(out, ",\"retry_after_ms\":");
            JsonText.number(out, retryAfter.toMillis());
        }
        out.writeByte('}');
    }
}
