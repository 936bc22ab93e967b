package dev.fanfare.netty.connection;

import dev.fanfare.ChannelId;
import dev.fanfare.Refusal;

/** The errors of the client protocol that we answer with; the server API and event streams use the same codes. */
public enum ErrorCode {
    INTERNAL(100, "internal server error", true),
    UNAUTHORIZED(101, "unauthorized", false),
    UNKNOWN_CHANNEL(102, Refusal.UNKNOWN_NAMESPACE.text(), false),
    PERMISSION_DENIED(103, "permission denied", false),
    METHOD_NOT_FOUND(104, "method not found", false),
    ALREADY_SUBSCRIBED(105, "already subscribed", false),
    LIMIT_EXCEEDED(106, "limit exceeded", false),
    BAD_REQUEST(107, "bad request", false),
    NOT_AVAILABLE(108, "not available", false),
    TOKEN_EXPIRED(109, "token expired", false),
    EXPIRED(110, "expired", false),
    TOO_MANY_REQUESTS(111, "too many requests", true),
    UNRECOVERABLE_POSITION(112, "unrecoverable position", false);

    /** What a channel's name must be like, for errors. */
    public static final String CHANNEL_NAME =
            "channel must have 1 to " + ChannelId.MAX_LENGTH + " characters, none of them a control character";

    private final int code;
    private final String text;
    private final boolean temporary;

    ErrorCode(int code, String text, boolean temporary) {
        this.code = code;
        this.text = text;
        this.temporary = temporary;
    }

    /** Returns the code. */
    public int code() {
        return code;
    }

    /** Returns the words that go with it. */
    public String text() {
        return text;
    }

    /** Tells whether SDKs try again by themselves. */
    public boolean isTemporary() {
        return temporary;
    }

    /** Returns the protocol's word for a refusal of the core. */
    public static ErrorCode of(Refusal refusal) {
        return switch (refusal) {
            case NOT_ALLOWED -> PERMISSION_DENIED;
            case TOKEN_EXPIRED -> TOKEN_EXPIRED;
            case EXPIRED -> EXPIRED;
            case UNKNOWN_NAMESPACE -> UNKNOWN_CHANNEL;
            case BAD_REQUEST, TOO_LARGE, DEDUP_CONFLICT -> BAD_REQUEST;
            case NOT_AVAILABLE -> NOT_AVAILABLE;
            case ALREADY_SUBSCRIBED -> ALREADY_SUBSCRIBED;
            case LIMIT_EXCEEDED -> LIMIT_EXCEEDED;
            case TOO_MANY_REQUESTS -> TOO_MANY_REQUESTS;
            case UNRECOVERABLE -> UNRECOVERABLE_POSITION;
            case CLOSED, UNAVAILABLE -> INTERNAL;
        };
    }
}
