package dev.fanfare.jdbc;

import dev.fanfare.spi.AppendRequest;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;

/**
 * What it takes to append.
 *
 * <p><b>Threading:</b> thread-safe.
 */
record AppendParts(Database database, Channels channels, Dedup dedup, Trimmer trimmer) {

    /** Appends those that can be appended in one statement, where the database has one for it; else all. */
    AppendTransaction.Outcome append(Connection connection, List<AppendRequest> requests) throws SQLException {
        PostgresAppend quick = database.dialect().quickAppend(database, requests);
        if (quick != null) {
            AppendTransaction.Outcome outcome = quick.run(connection);
            if (outcome.results().stream().anyMatch(Objects::nonNull)) {
                return outcome;
            }
        }
        return transaction(requests).run(connection);
    }

    /** Returns one attempt at appending all of those, which looks first. */
    AppendTransaction transaction(List<AppendRequest> requests) {
        return new AppendTransaction(database, channels, dedup, requests);
    }
}
