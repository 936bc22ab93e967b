package dev.fanfare;

import static java.util.Objects.requireNonNull;

/**
 * The application's own state, and from where to follow the channel that tells its changes: {@code
 * StartAt.after(cursor)}.
 *
 * <p>Everything published up to the cursor is in the state, provided that the application changes its state before
 * it publishes, or in the same transaction. The state may hold more: what comes after the cursor may be in it already,
 * so apply changes by version, or such that applying one again does nothing.
 *
 * <p><b>Threading:</b> immutable, if the state is.
 *
 * @param <T> the state
 * @param cursor from where to follow
 * @param state as the loader returned it
 */
public record StateAt<T>(Cursor cursor, T state) {

    /** Checks the cursor. */
    public StateAt {
        requireNonNull(cursor, "cursor");
    }
}
