package dev.fanfare.netty.centrifuge;

import dev.fanfare.FanfareException;

/**
 * A payload cannot be sent in a connection's wire format: it is not JSON, and the connection speaks JSON.
 *
 * <p><b>Threading:</b> immutable.
 */
final class UnencodableException extends FanfareException {

    private static final long serialVersionUID = 1;

    UnencodableException(String message) {
        super(message, null, false);
    }
}
