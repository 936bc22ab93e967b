package dev.fanfare;

/** Says why something a client or publisher asked for was not done. */
public enum Refusal {
    /** The {@link Authorizer} said no, failed, or was not set. */
    NOT_ALLOWED("permission denied", false),
    /** The token was good once; a new one is needed. */
    TOKEN_EXPIRED("token expired", false),
    /** The permission is over, and a new token does not help by itself. */
    EXPIRED("expired", false),
    /** The channel's namespace has no rules. */
    UNKNOWN_NAMESPACE("unknown namespace", false),
    /** The request makes no sense: a bad name, a bad position, an argument out of range. */
    BAD_REQUEST("bad request", false),
    /** The namespace, or the host, does not offer it: history, presence, rpc. */
    NOT_AVAILABLE("not available", false),
    /** The position cannot be resumed, and the caller wanted no subscription without. */
    UNRECOVERABLE("unrecoverable position", false),
    /** The connection is already subscribed to that channel. */
    ALREADY_SUBSCRIBED("already subscribed", false),
    /** A limit on counts, such as channels per connection, is reached. */
    LIMIT_EXCEEDED("limit exceeded", false),
    /** The payload is larger than the namespace takes. */
    TOO_LARGE("message too large", false),
    /** The same dedup key was used within its window for another body. */
    DEDUP_CONFLICT("dedup key was used with another body", false),
    /** Too many in too short a time; try again later. */
    TOO_MANY_REQUESTS("too many requests", true),
    /** The connection, subscription or Fanfare was closed meanwhile. */
    CLOSED("closed", false),
    /** The store failed or did not answer in time; try again later. */
    UNAVAILABLE("temporarily unavailable", true);

    private final String text;
    private final boolean temporary;

    Refusal(String text, boolean temporary) {
        this.text = text;
        this.temporary = temporary;
    }

    /** Returns a few plain words that may be shown to a client. */
    public String text() {
        return text;
    }

    /** Tells whether trying the same again later can help. */
    public boolean isTemporary() {
        return temporary;
    }
}
