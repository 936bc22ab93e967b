package dev.fanfare.jdbc;

import dev.fanfare.Health;
import dev.fanfare.StoreException;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Looks every few seconds whether the database takes writes. */
final class Probe {

    /*
     * Threads: look() runs on a store thread, one at a time; so it is late, and that counts as failed, if all of those
     * wait for the database or for the pool. health() may be called from anywhere.
     */

    static final Duration PERIOD = Duration.ofSeconds(2);
    private static final long OVERDUE_NANOS = TimeUnit.SECONDS.toNanos(8);

    private final Database database;
    private volatile long lookedNanos = System.nanoTime();
    private volatile @Nullable String trouble;

    Probe(Database database) {
        this.database = database;
    }

    void look() {
        try {
            database.queryNow("look at the database", connection -> {
                try (PreparedStatement update = database.prepare(
                        connection, "UPDATE " + database.tables().counter() + " SET val = val WHERE name = 'probe'")) {
                    return update.executeUpdate();
                }
            });
            trouble = null;
        } catch (StoreException failure) {
            Throwable cause = failure.getCause();
            trouble = database.describe(cause == null ? failure : cause);
        }
        lookedNanos = System.nanoTime();
    }

    Health health() {
        String known = trouble;
        if (known == null && System.nanoTime() - lookedNanos > OVERDUE_NANOS) {
            known = "does not answer, or its pool is exhausted";
        }
        if (known == null) {
            known = database.writeTrouble();
        }
        return known == null ? Health.up() : Health.down("jdbc: " + known);
    }
}
