package dev.fanfare;

import java.util.concurrent.CompletionStage;

/**
 * A host's handle on one subscription to all channels that match a pattern.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public interface PatternSubscription extends AutoCloseable {

    /** Returns the pattern. */
    ChannelPattern pattern();

    /**
     * Returns a stage that completes when everything published later is heard, or exceptionally with a {@link
     * FanfareException} if nothing ever will be. Completes on the host executor.
     */
    CompletionStage<Void> ready();

    /** Ends the subscription; {@link PatternSubscriber#onEnded} follows. Does not wait. */
    @Override
    void close();
}
