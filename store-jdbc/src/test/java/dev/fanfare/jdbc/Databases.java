package dev.fanfare.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.servers.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Pools over the databases that tests run on, one each for the whole JVM. */
final class Databases {

    private Databases() {}

    static HikariDataSource postgres() {
        return Postgres.POOL;
    }

    static HikariDataSource h2Memory() {
        return H2Memory.POOL;
    }

    static HikariDataSource h2File() {
        return H2File.POOL;
    }

    static HikariDataSource maria() {
        return Maria.POOL;
    }

    static HikariDataSource pool(String url, String user) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setUsername(user);
        config.setMaximumPoolSize(40);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(3000);
        return new HikariDataSource(config);
    }

    private static final class Postgres {
        static final HikariDataSource POOL = pool(PostgresServer.shared().url(), "postgres");
    }

    private static final class Maria {
        static final HikariDataSource POOL = pool(MariaServer.shared().url(), "root");
    }

    private static final class H2Memory {
        static final HikariDataSource POOL = pool("jdbc:h2:mem:contract;DB_CLOSE_DELAY=-1", "sa");
    }

    private static final class H2File {
        static final HikariDataSource POOL = pool("jdbc:h2:file:" + directory().resolve("contract"), "sa");

        private static Path directory() {
            try {
                return Files.createTempDirectory(
                        Files.createDirectories(Path.of("target", "h2").toAbsolutePath()), "db");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
