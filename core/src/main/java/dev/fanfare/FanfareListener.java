package dev.fanfare;

import dev.fanfare.presence.PresenceEvent;
import org.jspecify.annotations.Nullable;

/**
 * Sees everything that happens in one Fanfare: for metrics, logs and the host's own rules.
 *
 * <p><b>Threading:</b> called on whatever thread it happens on, an event loop included, concurrently;
 * per connection the calls are in order: connect, then subscribe and unsubscribe in pairs, then
 * disconnect. It must return at once, must not block, and must not throw: what it throws is logged
 * once per class and dropped. It may call back into Fanfare.
 */
public interface FanfareListener {

    /** A client connected. */
    default void onConnect(ConnectionInfo connection) {}

    /** A client's connection closed. */
    default void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {}

    /** A subscription went live; the connection is null for an in-process one. */
    default void onSubscribe(@Nullable ConnectionInfo connection, ChannelId channel, Resume resume) {}

    /** A subscription that had gone live ended; the connection is null for an in-process one. */
    default void onUnsubscribe(@Nullable ConnectionInfo connection, ChannelId channel, UnsubscribeReason reason) {}

    /** A publish came to its end, good or bad. */
    default void onPublish(ChannelId channel, PublishResult result) {}

    /** The log took so long to take a publication, or to find it a duplicate. */
    default void onAppend(ChannelId channel, long nanos) {}

    /** A publish failed in the store; its outcome is unknown. */
    default void onPublishFailed(ChannelId channel, Throwable failure) {}

    /**
     * The log has a publication that the bus would not take. Nodes find it in the log, late.
     *
     * @param willRetry whether the bus is told again when it is back; if not, since too many channels wait for that, the
     *     nodes' next look at the log finds it
     */
    default void onAnnounceFailed(ChannelId channel, boolean willRetry) {}

    /** Something a client asked for was refused. */
    default void onRefuse(ConnectionInfo connection, @Nullable ChannelId channel, Refusal reason) {}

    /** A request or handshake was turned away before it was a connection of anybody. */
    default void onReject(Rejection reason) {}

    /** A publication was handed to so many subscribers of one event loop; the bytes are those of all together. */
    default void onDeliver(ChannelId channel, int subscribers, int bytes) {}

    /**
     * A publication has been written for the subscribers of one event loop, so long after it was next in its
     * channel on this node.
     */
    default void onFanOut(ChannelId channel, long nanos) {}

    /** Publications, or joins and leaves, were not given to a subscriber, and it is told so. */
    default void onDrop(ChannelId channel, DropReason reason, long count) {}

    /** A subscriber was told that its run is broken; also when it resumed in vain. */
    default void onReset(ChannelId channel, ResetReason reason) {}

    /** A subscriber that could not be written to began to catch up from the log. */
    default void onCatchUp(ChannelId channel) {}

    /** A subscriber that resumes or catches up waits for its turn to read the log, because so many others do already. */
    default void onCatchUpDelayed(ChannelId channel) {}

    /** A hole in the announcements of a channel made this node read the log. */
    default void onRepair(ChannelId channel, boolean reset) {}

    /** A channel that wants to look at the log for lost announcements waits, because so many others do already. */
    default void onRepairDelayed(ChannelId channel) {}

    /** Somebody asked a {@link StateCache} for the state of a channel, and got it from there. */
    default void onStateAsked(ChannelId channel, StateCache.Source source) {}

    /** A user joined or left a channel, as announced by this node. */
    default void onPresence(ChannelId channel, PresenceEvent event) {}
}
