package dev.fanfare;

import java.util.List;

/**
 * The answer to a {@link HistoryQuery}. A store that failed completes the stage with a
 * {@link StoreException} instead.
 *
 * <p><b>Threading:</b> immutable.
 */
public sealed interface HistoryResult {

    /**
     * A part of the history, without a hole: each publication follows the one before it, or reversed precedes it.
     *
     * @param publications in the order asked for; unmodifiable
     * @param top the position of the newest publication when the read was made; none of the page is beyond it
     */
    record Page(List<Publication> publications, Cursor top) implements HistoryResult {
        /** Copies the list. */
        public Page {
            publications = List.copyOf(publications);
        }
    }

    /**
     * The position asked for cannot be continued: it is of another life of the log, or of another history,
     * or what comes after it is no longer retained. A position without a tag is checked by its epoch alone.
     * It is also the answer when one of these happened to the log in the middle of a large read, wherever that began.
     *
     * @param reason why
     * @param top the position of the newest publication
     */
    record Unrecoverable(ResetReason reason, Cursor top) implements HistoryResult {}

    /**
     * The channel has no history to read, or the caller may not.
     *
     * @param reason why
     */
    record Refused(Refusal reason) implements HistoryResult {}
}
