package dev.fanfare.examples;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.StoreException;
import dev.fanfare.jdbc.JdbcStore;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Locale;

/**
 * The demo's database: H2, in a file, in this process. It survives the process, however that ends.
 *
 * <p><b>Threading:</b> thread-safe.
 *
 * @param pool of connections to the file
 * @param store that keeps its tables there
 */
record DemoData(HikariDataSource pool, JdbcStore store) implements AutoCloseable {

    private static final int IN_USE = 90_020;

    /**
     * Opens the database in that directory, or makes it.
     *
     * @throws IllegalStateException if that cannot be; the message says what to do
     */
    static DemoData open(Path directory) {
        HikariConfig config = new HikariConfig();
        // Without the delay a publication that was accepted is in the file.
        config.setJdbcUrl("jdbc:h2:file:" + directory.toAbsolutePath().resolve("fanfare") + ";WRITE_DELAY=0");
        config.setMaximumPoolSize(10);
        config.setInitializationFailTimeout(-1);
        config.setConnectionTimeout(3000);
        HikariDataSource pool = new HikariDataSource(config);
        JdbcStore store = JdbcStore.of(pool);
        try {
            store.migrate();
            return new DemoData(pool, store);
        } catch (StoreException failure) {
            store.close();
            pool.close();
            throw new IllegalStateException(whyNot(directory, failure), failure);
        }
    }

    private static String whyNot(Path directory, Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            boolean isInUse = cause instanceof SQLException sql && sql.getErrorCode() == IN_USE;
            if (isInUse
                    || String.valueOf(cause.getMessage())
                            .toLowerCase(Locale.ROOT)
                            .contains("already in use")) {
                return directory + " is in use by another process; stop that one, choose another directory with --data,"
                        + " or keep everything in memory with --memory";
            }
        }
        return "the data in " + directory + " cannot be opened (" + failure.getMessage()
                + "); choose another directory with --data, or keep everything in memory with --memory";
    }

    @Override
    public void close() {
        store.close();
        pool.close();
    }
}
