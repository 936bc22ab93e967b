package dev.fanfare;

import java.util.concurrent.CompletionStage;

/**
 * A host's handle on one in-process subscription.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public interface Subscription extends AutoCloseable {

    /** Returns the channel. */
    ChannelId channel();

    /**
     * Returns a stage that completes when the subscription is live, after
     * {@link Subscriber#onReady}, or exceptionally with a {@link FanfareException} if it never will
     * be. Completes on the host executor.
     */
    CompletionStage<Resume> ready();

    /**
     * Returns the position after the last publication that the subscriber was given; save it with
     * the effects to resume later. Before {@link #ready} it is the position asked for, or offset 0.
     */
    Cursor cursor();

    /** Ends the subscription; {@link Subscriber#onEnded} follows. Does not wait. */
    @Override
    void close();
}
