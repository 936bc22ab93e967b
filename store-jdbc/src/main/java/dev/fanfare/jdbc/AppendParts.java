package dev.fanfare.jdbc;

import dev.fanfare.spi.AppendRequest;
import java.util.List;

/**
 * What it takes to append.
 *
 * <p><b>Threading:</b> thread-safe.
 */
record AppendParts(Database database, Channels channels, Dedup dedup, Trimmer trimmer) {

    /** Returns one attempt at appending those. */
    AppendTransaction transaction(List<AppendRequest> requests) {
        return new AppendTransaction(database, channels, dedup, requests);
    }
}
