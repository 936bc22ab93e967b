package dev.fanfare.netty.http;

/**
 * Ends the handling of a request that makes no sense or is not allowed. Thrown by an {@link Endpoint},
 * it becomes the answer.
 */
public final class RequestRefused extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final int status;
    private final int code;

    /**
     * Makes one.
     *
     * @param status the HTTP status
     * @param code the error's code in the body
     * @param message for the client
     */
    public RequestRefused(int status, int code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.code = code;
    }

    /** Refuses with 400 and the code for bad requests. */
    public static RequestRefused badRequest(String what) {
        return new RequestRefused(400, 107, "bad request: " + what);
    }

    /** Returns the HTTP status. */
    public int status() {
        return status;
    }

    /** Returns the code for the body. */
    public int code() {
        return code;
    }

    /** Returns the words for the client. */
    public String text() {
        return String.valueOf(getMessage());
    }
}
