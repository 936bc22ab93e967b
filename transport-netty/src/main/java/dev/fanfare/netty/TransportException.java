package dev.fanfare.netty;

import dev.fanfare.FanfareException;

/** The transport could not be started; the message says why and what to do. */
public final class TransportException extends FanfareException {

    private static final long serialVersionUID = 1;

    /** Makes one. */
    public TransportException(String message, Throwable cause) {
        super(message, cause, false);
    }
}
