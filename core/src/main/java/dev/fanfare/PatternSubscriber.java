package dev.fanfare;

/**
 * Receives what is published in all channels that match a pattern; implemented by the host.
 *
 * <p>It hears what is published from now on, and cannot resume. The publications of one channel come in its order, each
 * once and without a hole, unless {@link #onMissed} or {@link #onInterrupted} says otherwise; there is no order between
 * channels. Delivery classes and filters do not apply; joins and leaves are not heard.
 *
 * <p><b>Threading:</b> called on the host executor, serially per subscription, never under a lock. A slow call delays
 * other subscribers of the same loop, so hand long work on. It may call back into Fanfare. If a call throws, the
 * subscription ends with {@link UnsubscribeReason#SUBSCRIBER_FAILED}.
 */
@FunctionalInterface
public interface PatternSubscriber {

    /** Receives the next publication of a channel. */
    void onPublication(ChannelId channel, Publication publication);

    /** Learns that publications of the channel may have been missed before what comes next of it. */
    default void onMissed(ChannelId channel) {}

    /**
     * Learns that publications of any channel may have been missed: the bus was interrupted, which is told again each
     * second while it is away, or this subscriber was too slow. What a log still has of a channel comes with that channel's
     * next publication.
     */
    default void onInterrupted() {}

    /** Learns that nothing more will come. */
    default void onEnded(UnsubscribeReason reason) {}
}
