package dev.fanfare;

import static java.util.Objects.requireNonNull;

/**
 * Where a subscription begins.
 *
 * <p><b>Threading:</b> immutable.
 */
public sealed interface StartAt {

    /** Begins with what is published from now on. */
    static StartAt live() {
        return Live.NOW;
    }

    /** Resumes after that position; the answer is Continued or Reset. */
    static StartAt after(Cursor cursor) {
        return new After(cursor);
    }

    /**
     * Begins with the newest publications, oldest of them first, and goes on live.
     *
     * @param count 0 to {@link HistoryQuery#MAX_LIMIT}
     */
    static StartAt latest(int count) {
        return new Latest(count);
    }

    /** From now on. */
    enum Live implements StartAt {
        /** The one value. */
        NOW
    }

    /**
     * After a position.
     *
     * @param cursor what the subscriber has
     */
    record After(Cursor cursor) implements StartAt {
        /** Checks the cursor. */
        public After {
            requireNonNull(cursor, "cursor");
        }
    }

    /**
     * With the newest few.
     *
     * @param count how many
     */
    record Latest(int count) implements StartAt {
        /** Checks the count. */
        public Latest {
            if (count < 0 || count > HistoryQuery.MAX_LIMIT) {
                throw new IllegalArgumentException("count must be in [0, " + HistoryQuery.MAX_LIMIT + "]: " + count);
            }
        }
    }
}
