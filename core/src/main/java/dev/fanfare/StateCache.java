package dev.fanfare;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Keeps the application's own state of channels beside the positions from which to follow them, for pages that show a
 * state and then its changes: however many open such a page, there is one load and one subscription per channel.
 *
 * <pre>{@code
 * StateCache progress = fanfare.stateCache("progress", batch -> loadProgress(batch)).start();
 * progress.latest("batch:42").thenAccept(at -> reply(at.state(), at.cursor()));
 * }</pre>
 *
 * <p>A publication in the channel makes its state stale: who asks next has it loaded again, while others who ask
 * meanwhile get the same. Nodes give each other what they loaded, as long as it is not stale. As of {@link StateAt}, the
 * application changes its state before it publishes, and applying a change again does nothing; then whoever follows from
 * the position that comes with the state misses nothing, however old that is: also who asks right after a publish, and still
 * gets the state before it, with the position before it.
 *
 * <p><b>Bounds:</b> {@link Builder#maxChannels} states; a channel that nobody asked for within {@link Builder#timeToLive}
 * is forgotten, and its subscription ended.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks.
 */
public interface StateCache extends AutoCloseable {

    /**
     * Returns the state of a channel and the position from which to follow it.
     *
     * @return completes with a {@link RefusedException} if the channel has no history, with what the loader failed with,
     *     with {@link Refusal#UNAVAILABLE} if the channel cannot be subscribed to now
     * @throws ClosedException if this was closed
     */
    CompletionStage<StateAt<Payload>> latest(ChannelId channel);

    /**
     * Returns the state of a channel and the position from which to follow it.
     *
     * @throws IllegalArgumentException if the channel's name is not valid
     */
    default CompletionStage<StateAt<Payload>> latest(String channel) {
        return latest(ChannelId.of(channel));
    }

    /** Returns how often what was asked for was there. */
    Counts counts();

    /** Ends all its subscriptions. What is being loaded is still given to who waits. */
    @Override
    void close();

    /** Where an answer came from. */
    enum Source {
        /** It was here, or being loaded. */
        HIT,
        /** Another node had loaded it. */
        SHARED,
        /** It was loaded. */
        LOADED,
        /** It could not be loaded. */
        FAILED
    }

    /**
     * How often answers came from where.
     *
     * @param hits from here
     * @param shared from what another node had loaded
     * @param loaded from the loader
     * @param failed not at all
     */
    record Counts(long hits, long shared, long loaded, long failed) {

        /** Returns the share that needed no load, between 0 and 1; 1 if nobody asked. */
        public double hitRatio() {
            long all = hits + shared + loaded + failed;
            return all == 0 ? 1 : (double) (hits + shared) / all;
        }
    }

    /**
     * Starts one; each setter checks its argument at once.
     *
     * <p><b>Threading:</b> not thread-safe.
     */
    interface Builder {
        /**
         * Sets for how long a state is kept that no publication made stale, 100 ms to 1 day; default 5 minutes. It bounds
         * how old a state gets that the application changes without publishing.
         */
        @CanIgnoreReturnValue
        Builder timeToLive(Duration time);

        /**
         * Sets of how many channels states are kept, 1 to 1,000,000; default 10,000. Beyond it those not asked for longest
         * go, up to a sixteenth of all at a time.
         */
        @CanIgnoreReturnValue
        Builder maxChannels(int count);

        /** Starts. */
        StateCache start();
    }
}
