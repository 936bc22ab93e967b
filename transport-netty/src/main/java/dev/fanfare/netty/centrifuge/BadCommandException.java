package dev.fanfare.netty.centrifuge;

/**
 * What a client sent is no command of the protocol; it is disconnected for that.
 *
 * <p><b>Threading:</b> immutable.
 */
final class BadCommandException extends Exception {

    private static final long serialVersionUID = 1;

    /** Makes one without a stack trace: clients can cause any number of them. */
    BadCommandException(String message) {
        super(message, null, false, false);
    }
}
