package dev.fanfare;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

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

    /**
     * Lists the channels that have subscribers, with how many, in-process ones included; at most 5,000 of each
     * node.
     *
     * @param pattern which; {@code *} stands for any characters, also none
     */
    CompletionStage<Map<ChannelId, Integer>> channels(String pattern);

    /** Closes the connections. */
    @CanIgnoreReturnValue
    CompletionStage<Void> disconnect(Selection who, DisconnectReason reason);

    /** Closes the connections, in the host's own words. */
    @CanIgnoreReturnValue
    CompletionStage<Void> disconnect(Selection who, HostCode code);

    /** Closes every connection of the user. */
    @CanIgnoreReturnValue
    default CompletionStage<Void> disconnect(String user, DisconnectReason reason) {
        return disconnect(Selection.ofUser(user), reason);
    }

    /**
     * Moves the end of the connections, as their {@link Authenticator} set it: for hosts that decide by sessions
     * of their own. Who is to prolong it next stays as it was; if there was no end, that is the host.
     *
     * @param until null for no end
     */
    @CanIgnoreReturnValue
    CompletionStage<Void> refresh(Selection who, @Nullable Instant until);

    /** Moves the end of every connection of the user; null for no end. */
    @CanIgnoreReturnValue
    default CompletionStage<Void> refresh(String user, @Nullable Instant until) {
        return refresh(Selection.ofUser(user), until);
    }

    /**
     * Subscribes the connections to the channel, from now on; the authorizer is not asked. Those that are
     * subscribed already stay so, with the end moved, and those whose client cannot be told (plain event
     * streams choose their channels when they begin) are passed over. It lasts as long as the connection, or
     * until the end: for channels that a user always has, let the {@link Authenticator} name them.
     *
     * @param until when the subscription ends, unless this is called again before; null for with the connection,
     *     and to leave an existing subscription as it is
     */
    @CanIgnoreReturnValue
    CompletionStage<Void> subscribe(Selection who, ChannelId channel, @Nullable Instant until);

    /** Subscribes every connection of the user to the channel. */
    @CanIgnoreReturnValue
    default CompletionStage<Void> subscribe(String user, ChannelId channel) {
        return subscribe(Selection.ofUser(user), channel, null);
    }

    /**
     * Ends the connections' subscriptions to the channel: because the permission for it ended, say. What the client
     * may do next is for the authorizer to say, or for tokens.
     */
    @CanIgnoreReturnValue
    CompletionStage<Void> unsubscribe(Selection who, ChannelId channel);

    /** Ends the connections' subscriptions to the channel, in the host's own words. */
    @CanIgnoreReturnValue
    CompletionStage<Void> unsubscribe(Selection who, ChannelId channel, HostCode code);

    /** Ends the user's subscriptions to the channel. */
    @CanIgnoreReturnValue
    default CompletionStage<Void> unsubscribe(String user, ChannelId channel) {
        return unsubscribe(Selection.ofUser(user), channel);
    }
}
