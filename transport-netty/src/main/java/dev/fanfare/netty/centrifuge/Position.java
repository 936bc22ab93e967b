package dev.fanfare.netty.centrifuge;

import dev.fanfare.Cursor;

/**
 * A stream position as clients name it.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param epoch perhaps {@code ""}, for any, or text that is no epoch at all
 * @param offset 0 or more
 */
record Position(String epoch, long offset) {

    /** No store makes such an epoch, so it never matches. */
    private static final String NO_EPOCH = "0".repeat(32);

    /** Returns the cursor that means the same; for text that is no epoch, one that never matches. */
    Cursor cursor() {
        if (epoch.isEmpty()) {
            return Cursor.ofUnknownEpoch(offset);
        }
        try {
            return Cursor.of(epoch, offset);
        } catch (IllegalArgumentException noEpoch) {
            return Cursor.of(NO_EPOCH, offset);
        }
    }
}
