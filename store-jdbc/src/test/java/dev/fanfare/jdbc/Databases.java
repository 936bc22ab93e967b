package dev.fanfare.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.servers.MariaServer;
import dev.fanfare.servers.MysqlServer;
import dev.fanfare.servers.PostgresServer;
import dev.fanfare.servers.SqlServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

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

    static HikariDataSource mysql() {
        return Mysql.POOL;
    }

    /** Fails where everything must be tested, and elsewhere says aloud that MariaDB is not. */
    static void requireMaria() {
        if (!MariaServer.isThere()) {
            String why = "MariaDB IS NOT TESTED: there is no mariadbd on this machine; install mariadb-server-core,"
                    + " or run with -Pmariadb, which downloads 149 MB";
            if ("true".equalsIgnoreCase(System.getenv("CI"))) {
                throw new AssertionError(why);
            }
            System.err.println("\n*** " + why + " ***\n");
            Assumptions.abort(why);
        }
    }

    static HikariDataSource pool(SqlServer server) {
        return pool(server.url());
    }

    static HikariDataSource pool(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(40);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(1500);
        config.setValidationTimeout(1000); // of forty dead connections one after the other
        return new HikariDataSource(config);
    }

    private static final class Postgres {
        static final HikariDataSource POOL = pool(PostgresServer.shared());
    }

    private static final class Maria {
        static final HikariDataSource POOL = pool(MariaServer.shared());
    }

    private static final class Mysql {
        static final HikariDataSource POOL = pool(MysqlServer.shared());
    }

    private static final class H2Memory {
        static final HikariDataSource POOL = pool("jdbc:h2:mem:contract;DB_CLOSE_DELAY=-1");
    }

    private static final class H2File {
        static final HikariDataSource POOL = pool("jdbc:h2:file:" + directory().resolve("contract"));

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
