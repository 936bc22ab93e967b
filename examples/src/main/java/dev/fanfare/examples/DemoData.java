package dev.fanfare.examples;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool.PoolInitializationException;
import dev.fanfare.StoreException;
import dev.fanfare.examples.chat.TeamChat;
import dev.fanfare.jdbc.JdbcStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;

/**
 * The demo on a database: H2, in a file, in this process. What is said survives the process, however that ends.
 *
 * <p><b>Threading:</b> thread-safe.
 *
 * @param server what clients see
 * @param store that keeps its tables in the file
 * @param pool of connections to the file
 */
record DemoData(Server server, JdbcStore store, HikariDataSource pool) implements Running {

    private static final int IN_USE = 90_020;
    private static final String ELSEWHERE =
            "choose another directory with --data, or keep everything in memory with --memory";

    /**
     * Starts it with the database in that directory, which is made if it is not there.
     *
     * @throws StoreException if that cannot be opened; the message says what to do
     */
    static DemoData start(String host, int port, Path directory) {
        HikariDataSource pool = open(directory);
        JdbcStore store = JdbcStore.of(pool);
        boolean started = false;
        try {
            migrate(store, directory);
            Server server =
                    DemoServer.start(host, port, TeamChat.create(), builder -> builder.store(store), registry -> {});
            started = true;
            return new DemoData(server, store, pool);
        } finally {
            if (!started) {
                store.close();
                pool.close();
            }
        }
    }

    private static HikariConfig config(Path directory) {
        HikariConfig config = new HikariConfig();
        // Without the delay a publication that was accepted is in the file.
        config.setJdbcUrl("jdbc:h2:file:" + directory.toAbsolutePath().resolve("fanfare")
                + ";WRITE_DELAY=0;DB_CLOSE_ON_EXIT=FALSE" // the demo closes it
                + ";TRACE_LEVEL_FILE=0"); // H2 would fill a disk with it, or stderr
        config.setMaximumPoolSize(10);
        config.setInitializationFailTimeout(1); // one try
        config.setConnectionTimeout(3000);
        return config;
    }

    private static HikariDataSource open(Path directory) {
        try {
            return new HikariDataSource(config(directory));
        } catch (PoolInitializationException failure) {
            throw new StoreException(whyNot(directory, failure), failure, false);
        }
    }

    private static void migrate(JdbcStore store, Path directory) {
        try {
            store.migrate();
        } catch (StoreException failure) {
            throw new StoreException(whyNot(directory, failure), failure, false);
        }
    }

    private static String whyNot(Path directory, Throwable failure) {
        if (isInUse(failure)) {
            return directory + " is in use by another process; stop that one, " + ELSEWHERE;
        } else if (Files.isRegularFile(directory)) {
            return directory + " is a file and no directory; " + ELSEWHERE;
        } else if (Files.isDirectory(directory) && !Files.isWritable(directory)) {
            return directory + " cannot be written to; " + ELSEWHERE;
        }
        return "the data in " + directory + " cannot be opened (" + failure.getMessage() + "); " + ELSEWHERE;
    }

    private static boolean isInUse(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql && sql.getErrorCode() == IN_USE) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        server.close();
        store.close();
        pool.close();
    }
}
