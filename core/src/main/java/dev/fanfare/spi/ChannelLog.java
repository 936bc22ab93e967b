package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Durability;
import dev.fanfare.Health;
import dev.fanfare.Publication;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the publications of channels: the truth that everything else is measured against.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks. A stage completes on any thread that may run
 * short internal work, never under a lock of the store.
 *
 * @implSpec The contract suite of the testkit numbers its cases by these clauses.
 *     <ol>
 *       <li>Within an epoch offsets are 1, 2, 3 … without holes, in the order in which publications
 *           become readable, under any number of writers.
 *       <li>Each publication has a random tag other than 0, and the tag of the one before it; the first
 *           has previous tag 0.
 *       <li>A request with a dedup key that was used on the same channel within the window appends
 *           nothing and returns the first one's position; with another body it is a conflict. Check,
 *           append and remembering are one atomic step. Keys of different channels never meet. A failed
 *           append is not remembered.
 *       <li>A log keeps at most so many publications and none older than the request's retention says;
 *           an expired one is never returned.
 *       <li>The head (epoch, top offset, tag) outlives the publications until the head's time is over;
 *           then the channel starts a new epoch, never used before.
 *       <li>A read returns head and publications of one instant: dense, in order, none beyond the
 *           head.
 *       <li>A channel that was never written has an epoch too, offset 0, and keeps that epoch when its
 *           first publication comes.
 *       <li>A request without retention is not logged: it gets offset 0, yet its dedup key is honoured.
 *       <li>If {@link #announcesOn} says so, each publication, logged or not, is announced exactly as often as
 *           it was appended, per channel in the order of the log; if it says no, none is announced, since the
 *           core then does.
 *     </ol>
 */
public interface ChannelLog {

    /** Appends one publication, unless its dedup key says it is there already. */
    CompletionStage<AppendResult> append(AppendRequest request);

    /** Reads a part of a channel and its head, both of one instant. */
    CompletionStage<LogPage> read(LogRead read);

    /** Forgets all publications of a channel; the head stays. */
    CompletionStage<Void> clear(ChannelId channel);

    /**
     * Tells whether {@link #append} itself announces on that bus, in one step with the append; then
     * nobody else needs to.
     */
    default boolean announcesOn(Bus bus) {
        return false;
    }

    /**
     * Tells whether what was accepted with {@link Durability#SYNC} survives a crash of the store. Then who resumes while the log
     * cannot be read may go on with what the node has, since the log will have it too when it is back; else it is to come
     * again.
     */
    default boolean isDurable() {
        return false;
    }

    /** Returns the work queues over this log's own entries, if it offers them. */
    default Optional<WorkQueues> workQueues() {
        return Optional.empty();
    }

    /** Tells whether publications can be appended and read, as {@link Store#health} says; by default always. */
    default Health health() {
        return Health.up();
    }

    /**
     * Which part of a channel to read.
     *
     * @param channel of which channel
     * @param afterOffset exclusive start: forward from there, or if reversed, backward from there; for
     *     a reverse read {@code Long.MAX_VALUE} means from the top
     * @param limit at most that many; 0 reads only the head. A log may give fewer, so that a page does not get too
     *     large, but one if there is one
     * @param isReverse newest first
     */
    record LogRead(ChannelId channel, long afterOffset, int limit, boolean isReverse) {

        /** Reads only the head. */
        public static LogRead head(ChannelId channel) {
            return new LogRead(channel, 0, 0, false);
        }

        /** Reads what comes after the offset, oldest first. */
        public static LogRead after(ChannelId channel, long offset, int limit) {
            return new LogRead(channel, offset, limit, false);
        }

        /** Reads the newest, newest first. */
        public static LogRead newest(ChannelId channel, int limit) {
            return new LogRead(channel, Long.MAX_VALUE, limit, true);
        }
    }

    /**
     * What a read found.
     *
     * @param head the position of the newest publication; offset 0 if there never was one
     * @param publications in the order asked for; unmodifiable
     */
    record LogPage(Cursor head, List<Publication> publications) {}

    /** What became of an append. */
    sealed interface AppendResult {
        /**
         * Appended.
         *
         * @param publication with its position; offset 0 if the request had no retention
         */
        record Appended(Publication publication) implements AppendResult {}

        /**
         * The dedup key was there already, with the same body.
         *
         * @param first the first one's position; null if that was not logged
         */
        record Repeated(@Nullable Cursor first) implements AppendResult {}

        /** The dedup key was there already, with another body. */
        enum Conflict implements AppendResult {
            /** The one value. */
            OTHER_BODY
        }

        /**
         * The store cannot take it now.
         *
         * @param retryAfterMillis when to try again
         */
        record Full(long retryAfterMillis) implements AppendResult {}
    }
}
