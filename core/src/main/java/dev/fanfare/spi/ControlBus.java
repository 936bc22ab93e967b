package dev.fanfare.spi;

import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Lets the nodes of a cluster talk to each other. Messages are short texts that only Fanfare reads;
 * they may be lost if the bus fails.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks. Handlers are called on any thread, serially per
 * sender, return at once and do not throw.
 *
 * @implSpec
 *     <ol>
 *       <li>A message reaches every node that joined, the sender included.
 *       <li>Messages of one sender arrive in the order sent.
 *       <li>{@link #nodes} lists the nodes that joined and live; a dead one for at most 15 seconds more.
 *     </ol>
 */
public interface ControlBus {

    /** Longest message, in characters. */
    int MAX_MESSAGE_LENGTH = 256 * 1024;

    /** Joins as a node; the stage completes when messages sent later will arrive. */
    CompletionStage<Membership> join(String node, Consumer<String> handler);

    /** Sends a message to every node. */
    CompletionStage<Void> send(String message);

    /** Returns the ids of the nodes. */
    CompletionStage<Set<String>> nodes();

    /** A node's place on the bus. */
    interface Membership {
        /** Gives it up. Does not wait. */
        void close();
    }
}
