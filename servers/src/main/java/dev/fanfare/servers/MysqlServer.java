package dev.fanfare.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real MySQL 8, for tests, from a Maven artifact that only the profile "mysql" has. It starts on an empty directory. */
public final class MysqlServer extends SqlServer {

    private static final Path HOME = Path.of("target", "mysql").toAbsolutePath();
    private static final Archive BINARIES = new Archive(HOME, "/mysql-Linux-amd64.tar.gz");

    private final Path base;

    private MysqlServer(Path base, Path data, List<String> settings) throws IOException {
        super(HOME, data, settings);
        this.base = base;
    }

    /** Tells whether there is one to start. */
    public static boolean isThere() {
        return BINARIES.isThere();
    }

    /** The server that tests share, started with the first of them. */
    public static MysqlServer shared() {
        return Shared.SERVER;
    }

    private static final class Shared {
        static final MysqlServer SERVER = startFresh();

        private static MysqlServer startFresh() {
            MysqlServer server = MysqlServer.start("--innodb-flush-log-at-trx-commit=0");
            Runtime.getRuntime().addShutdownHook(new Thread(server::close));
            return server;
        }
    }

    /** Starts a server with an empty database of its own. */
    public static MysqlServer start(String... settings) {
        try {
            MysqlServer server = new MysqlServer(BINARIES.unpacked(), freshData(HOME), List.of(settings));
            Files.writeString(server.script(), """
                    CREATE DATABASE IF NOT EXISTS fanfare;
                    CREATE USER IF NOT EXISTS fanfare@'%';
                    GRANT ALL ON *.* TO fanfare@'%';
                    """);
            server.initialize();
            server.startAgain();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException("MySQL cannot be started", e);
        }
    }

    /** Of MySQL's own driver, as most hosts have it. */
    @Override
    public String url(int proxy) {
        return "jdbc:mysql://127.0.0.1:" + proxy
                + "/fanfare?user=fanfare&sslMode=DISABLED&connectTimeout=5000&socketTimeout=10000";
    }

    @Override
    Process launch(boolean isSmall) {
        List<String> options = new ArrayList<>(List.of(
                "--init-file=" + script(),
                "--port=" + port(),
                "--bind-address=127.0.0.1",
                "--socket=" + data.resolve("s"),
                "--mysqlx=OFF",
                "--skip-log-bin",
                "--innodb-stats-persistent=OFF",
                "--innodb-autoextend-increment=1",
                "--max-connections=200"));
        options.addAll(settings);
        return run(line(options, isSmall));
    }

    @Override
    void requestStop(Process running) {
        running.destroy();
    }

    private void initialize() {
        Process making = run(line(List.of("--initialize-insecure"), false));
        try {
            if (!making.waitFor(START.toSeconds(), TimeUnit.SECONDS) || making.exitValue() != 0) {
                throw new IllegalStateException("mysqld --initialize failed:\n" + log());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private List<String> line(List<String> options, boolean isSmall) {
        List<String> line = new ArrayList<>(List.of(
                base.resolve("bin").resolve("mysqld").toString(),
                "--no-defaults",
                "--basedir=" + base,
                "--datadir=" + data,
                "--innodb-file-per-table=OFF",
                "--innodb-data-file-path=ibdata1:12M:autoextend" + (isSmall ? ":max:40M" : "")));
        if (isRoot()) {
            line.add("--user=root");
        }
        line.addAll(options);
        return line;
    }

    private Path script() {
        return data.resolveSibling(data.getFileName() + ".sql");
    }
}
