package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.Health;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Wakes the nodes that watch a channel. It is a hint: announcements may be lost, repeated or late, and
 * nodes repair from the log.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks. Stages complete on any thread that may run short
 * internal work, never under a lock.
 *
 * @implSpec
 *     <ol>
 *       <li>Once the stage of {@link #watch} has completed, every announcement made later reaches the
 *           watcher, unless the bus fails.
 *       <li>Announcements of one channel made one after the other arrive in that order, and one at a
 *           time.
 *       <li>After a failure through which announcements may have been lost, every watcher's {@link
 *           Watcher#interrupted} is called. A watch that knows of it is not {@linkplain Watch#isEffective effective} until
 *           then.
 *       <li>A closed watch gets no announcement that is made later.
 *       <li>All this holds for {@link #watchMatching} too, with each channel that matches; announcements of different
 *           channels may come at the same time. Who watches a channel by itself and by patterns hears of it each time.
 *     </ol>
 */
public interface Bus {

    /** Begins to watch a channel; the stage completes when the watch is effective. */
    CompletionStage<Watch> watch(ChannelId channel, Watcher watcher);

    /**
     * Begins to watch all channels whose names match; the stage completes when the watch is effective. A bus that has no
     * such thing, which is the default, fails with an {@link UnsupportedOperationException}.
     */
    default CompletionStage<Watch> watchMatching(ChannelPattern pattern, Watcher watcher) {
        return CompletableFuture.failedStage(
                new UnsupportedOperationException(getClass().getSimpleName() + " cannot watch channels by pattern"));
    }

    /** Tells all watchers of the announcement's channel; completes when it was handed on. */
    CompletionStage<Void> announce(Announcement announcement);

    /** Tells whether announcements get through, as {@link Store#health} says; by default always. */
    default Health health() {
        return Health.up();
    }

    /** An effective watch. */
    interface Watch {
        /**
         * Tells whether announcements reach the watcher, as far as is known; by default always. While they do not, whoever
         * comes back to the channel is judged by the log alone.
         */
        default boolean isEffective() {
            return true;
        }

        /** Ends the watch. Does not wait. */
        void close();
    }

    /**
     * Hears the announcements of one channel, or of those that match.
     *
     * <p><b>Threading:</b> called on any thread, serially per channel; returns at once, does not throw.
     */
    interface Watcher {
        /** Hears one announcement. */
        void announced(Announcement announcement);

        /** Learns that announcements may have been lost. */
        void interrupted();
    }
}
