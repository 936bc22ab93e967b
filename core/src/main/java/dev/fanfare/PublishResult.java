package dev.fanfare;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What became of a publish. Ordinary outcomes are values; a store that failed completes the stage
 * with a {@link StoreException}, after which the outcome is unknown: repeat it with the same dedup
 * key.
 *
 * <p><b>Threading:</b> immutable.
 */
public sealed interface PublishResult {

    /** Tells whether the publication is, or was already, accepted. */
    default boolean isAccepted() {
        return !(this instanceof Refused);
    }

    /** Returns the publication's position; empty if refused or if the channel retains nothing. */
    Optional<Cursor> position();

    /**
     * The publication was appended.
     *
     * @param cursor its position
     */
    record Stored(Cursor cursor) implements PublishResult {
        @Override
        public Optional<Cursor> position() {
            return Optional.of(cursor);
        }
    }

    /** The channel retains nothing: the publication was handed on, and no trace is kept. */
    record Sent() implements PublishResult {
        @Override
        public Optional<Cursor> position() {
            return Optional.empty();
        }
    }

    /**
     * The dedup key was seen within its window; nothing was appended.
     *
     * @param cursor the first one's position; null in a channel that retains nothing
     */
    record Duplicate(@Nullable Cursor cursor) implements PublishResult {
        @Override
        public Optional<Cursor> position() {
            return Optional.ofNullable(cursor);
        }
    }

    /**
     * Nothing was appended.
     *
     * @param reason why
     * @param retryAfter when trying again may help; null if it will not, or if nobody can tell
     */
    record Refused(Refusal reason, @Nullable Duration retryAfter) implements PublishResult {

        /** A refusal without a hint when to try again. */
        public Refused(Refusal reason) {
            this(reason, null);
        }

        @Override
        public Optional<Cursor> position() {
            return Optional.empty();
        }
    }
}
