package dev.fanfare.spi;

import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;

/**
 * Places that transports open on one node, and to which they bring bytes from any node: for clients whose
 * requests may land on another node than their connection.
 *
 * <p><b>Threading:</b> thread-safe. Stages complete on any thread, perhaps an event loop, so nothing long or
 * blocking may hang on them.
 */
public interface Mailboxes {

    /** The longest that can be brought to another node, in bytes. */
    int MAX_REMOTE_BYTES = 190 * 1024;

    /**
     * Opens a mailbox on this node.
     *
     * @param address not open yet, and not to be guessed: whoever knows it can post; never written to a log
     * @param receiver takes what is brought, in the order in which it reached this node; called on any thread,
     *     returns at once, does not throw, and answers false if it cannot take it
     * @throws dev.fanfare.RefusedException if there are too many mailboxes
     */
    Mailbox open(String address, Predicate<byte[]> receiver);

    /**
     * Brings bytes to a mailbox. What one node brings to one mailbox arrives in the order of the calls. If the
     * stage fails, with a {@link dev.fanfare.FanfareException}, the other node did not answer in time, and
     * nobody knows whether it got them.
     *
     * @param node the id of the node where the mailbox is
     * @param bytes belong to the receiver from now on
     */
    CompletionStage<Delivery> post(String node, String address, byte[] bytes);

    /** What became of what was posted. */
    enum Delivery {
        /** The receiver took it. */
        DELIVERED,
        /** The receiver could not take it. */
        REFUSED,
        /** No mailbox has that address, or not any more. */
        NO_MAILBOX,
        /** No node has that id, or not any more. */
        NO_NODE,
        /** It is more than can be brought to another node. */
        TOO_LARGE,
        /** Too many wait for the answers of other nodes already, or came for nodes that nobody saw. */
        TOO_MANY
    }

    /** One open mailbox. */
    interface Mailbox {
        /** Closes it; may be called again. */
        void close();
    }
}
