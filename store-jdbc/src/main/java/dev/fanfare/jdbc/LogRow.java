package dev.fanfare.jdbc;

import org.jspecify.annotations.Nullable;

/**
 * A row of the log.
 *
 * <p><b>Threading:</b> immutable, as long as nobody writes to the arrays.
 *
 * @param life the channel's life
 * @param offset within the life
 * @param tag its own
 * @param previousTag the one before
 * @param storedAt by the database's clock, never less than the one before
 * @param data the payload
 * @param extra the rest, as {@link Wire} writes it; null if there is none
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, and copied nowhere on its way to the driver
record LogRow(
        long life, long offset, long tag, long previousTag, long storedAt, byte[] data, byte @Nullable [] extra) {}
