package dev.fanfare;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Looks at and acts on the connections of all nodes.
 *
 * <p>Acting is a message to every node; the stage completes when it was handed on, and nodes follow
 * within moments. Looking asks every node and waits at most two seconds for each answer; a node that
 * does not answer completes the stage with a retryable {@link StoreException}.
 *
 * <p><b>Threading:</b> thread-safe; stages complete on the host executor.
 */
public interface Connections {

    /** Counts the connections of all nodes. */
    CompletionStage<Integer> count();

    /**
     * Lists connections of one user, at most 1,000 of each node.
     *
     * @param user the user; {@code ""} lists anonymous ones
     */
    CompletionStage<List<ConnectionInfo>> of(String user);

    /** Lists connections of all users, at most 1,000 of each node. */
    CompletionStage<List<ConnectionInfo>> list();

    /** Closes every connection of the user. */
    CompletionStage<Void> disconnect(String user, DisconnectReason reason);

    /**
     * Subscribes every connection of the user to the channel, from now on; the authorizer is not asked.
     * Connections that are subscribed already stay as they are, and those whose client cannot be told
     * (plain event streams choose their channels when they begin) are passed over. It lasts as long as the
     * connection: for channels that a user always has, let the {@link Authenticator} name them.
     */
    CompletionStage<Void> subscribe(String user, ChannelId channel);

    /** Ends the user's subscriptions to the channel. */
    CompletionStage<Void> unsubscribe(String user, ChannelId channel);
}
