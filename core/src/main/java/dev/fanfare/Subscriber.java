package dev.fanfare;

import dev.fanfare.presence.PresenceEvent;

/**
 * Receives what happens in a channel; implemented by the host for in-process subscriptions.
 *
 * <p>The calls of one subscription are: {@link #onReady} once; then publications, each following the
 * one before without a hole, unless an {@link #onReset} or {@link #onSkipped} says otherwise; then
 * {@link #onEnded} once.
 *
 * <p><b>Threading:</b> called on the host executor, serially per subscription, never under a lock.
 * A slow call delays the other subscribers of the same loop, so hand long work on; a subscriber that
 * falls behind catches up from the log. It may call back into Fanfare. If a call throws, the
 * subscription ends with {@link UnsubscribeReason#SUBSCRIBER_FAILED}.
 */
@FunctionalInterface
public interface Subscriber {

    /** Receives the next publication. */
    void onPublication(Publication publication);

    /** Learns how the subscription begins; called before any publication. */
    default void onReady(Resume resume) {}

    /** Learns that the run is broken, why, and where it goes on. */
    default void onReset(Resume.Reset reset) {}

    /** Learns that so many publications were left out, as the channel's delivery class allows. */
    default void onSkipped(long count) {}

    /** Learns that so many joins and leaves found no room: the snapshot of the presence has what they said. */
    default void onPresenceSkipped(long count) {}

    /** Learns that a user joined or left; only in namespaces with presence. */
    default void onPresence(PresenceEvent event) {}

    /** Learns that nothing more will come. */
    default void onEnded(UnsubscribeReason reason) {}
}
