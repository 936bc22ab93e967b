package dev.fanfare.servers;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * A real PostgreSQL, from a Maven artifact, for tests. It refuses to run as root, so for root it runs as nobody.
 * The unpacked binaries stay under target/.
 */
public final class PostgresServer implements AutoCloseable {

    private static final Path HOME = Path.of("target", "postgresql").toAbsolutePath();
    private static final Duration START = Duration.ofSeconds(60);
    private static final String NOBODY = "65534";

    private final Path binaries;
    private final Path data;
    private final int port;
    private final List<String> settings;
    private Process process;

    private PostgresServer(Path binaries, Path data, int port, List<String> settings) {
        this.binaries = binaries;
        this.data = data;
        this.port = port;
        this.settings = settings;
    }

    /** The server that tests share, started with the first of them. */
    public static PostgresServer shared() {
        return Shared.SERVER;
    }

    private static final class Shared {
        static final PostgresServer SERVER = startFresh();

        private static PostgresServer startFresh() {
            PostgresServer server = PostgresServer.start("-c", "fsync=off", "-c", "full_page_writes=off");
            Runtime.getRuntime().addShutdownHook(new Thread(server::close));
            return server;
        }
    }

    /** Starts a server with an empty cluster of its own. */
    public static PostgresServer start(String... settings) {
        try {
            Path binaries = unpacked();
            Path data = Files.createTempDirectory(Files.createDirectories(HOME.resolve("data")), "cluster");
            int port = freePort();
            PostgresServer server = new PostgresServer(binaries, data, port, List.of(settings));
            server.initialize();
            server.startAgain();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException("PostgreSQL cannot be unpacked", e);
        }
    }

    public String url() {
        return url(port);
    }

    /** Returns its URL by way of a {@link Proxy}. */
    public String url(int proxy) {
        return "jdbc:postgresql://127.0.0.1:" + proxy + "/postgres?user=postgres";
    }

    public int port() {
        return port;
    }

    /** Starts it again after {@link #kill}. */
    public void startAgain() {
        List<String> command = new ArrayList<>(List.of(
                "postgres",
                "-D",
                data.toString(),
                "-p",
                Integer.toString(port),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                "-c",
                "max_connections=200"));
        command.addAll(settings);
        process = run(command);
        long deadline = System.nanoTime() + START.toNanos();
        while (true) {
            try (Connection connection = DriverManager.getConnection(url())) {
                return;
            } catch (SQLException notYet) {
                if (!process.isAlive() || System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("PostgreSQL does not start:\n" + log(), notYet);
                }
                pause();
            }
        }
    }

    /** Returns the processor time that its processes have used. */
    public Duration cpu() {
        return process.descendants().map(PostgresServer::cpu).reduce(Duration.ZERO, Duration::plus);
    }

    /** Returns the processor time that a process has used. */
    public static Duration cpu(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    /** Stops it, and keeps its data. */
    public void stop() {
        try {
            // Fast: otherwise it would wait for the clients.
            run(List.of("pg_ctl", "stop", "-D", data.toString(), "-m", "fast")).waitFor(20, TimeUnit.SECONDS);
            process.onExit().join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Keeps a copy of the data of a stopped server. */
    public void saveData() {
        copy(data, saved());
    }

    /** Goes back to the copy. */
    public void restoreData() {
        delete(data);
        copy(saved(), data);
    }

    private Path saved() {
        return data.resolveSibling(data.getFileName() + "-saved");
    }

    private static void copy(Path from, Path to) {
        try {
            int result = new ProcessBuilder("cp", "-a", from.toString(), to.toString())
                    .inheritIO()
                    .start()
                    .waitFor();
            if (result != 0) {
                throw new IllegalStateException("Cannot copy " + from);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Kills it as a power cut does. */
    public void kill() {
        // The postmaster's children die with it, or hold the data directory: each is killed.
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        process.onExit().join();
        children.forEach(child -> child.onExit().join());
    }

    @Override
    public void close() {
        if (process.isAlive()) {
            stop();
        }
        delete(data);
        delete(saved());
    }

    private static void delete(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException leftForClean) {
            System.err.println("Left behind: " + directory);
        }
    }

    private void initialize() throws IOException {
        if (isRoot()) {
            own(data);
        }
        Process initdb = run(List.of(
                "initdb",
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--no-sync",
                "--no-instructions",
                "-D",
                data.toString()));
        try {
            if (!initdb.waitFor(START.toSeconds(), TimeUnit.SECONDS) || initdb.exitValue() != 0) {
                throw new IllegalStateException("initdb failed:\n" + log());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private Process run(List<String> command) {
        List<String> line = new ArrayList<>();
        if (isRoot()) {
            line.addAll(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", "--"));
        }
        line.add(binaries.resolve("bin").resolve(command.get(0)).toString());
        line.addAll(command.subList(1, command.size()));
        try {
            return new ProcessBuilder(line)
                    .directory(isRoot() ? data.toFile() : HOME.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile().toFile()))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot run " + line, e);
        }
    }

    private Path logFile() {
        return HOME.resolve(data.getFileName() + ".log");
    }

    private String log() {
        try {
            return Files.readString(logFile());
        } catch (IOException e) {
            return "(no log: " + e + ")";
        }
    }

    private static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    private static void own(Path directory) throws IOException {
        Files.setAttribute(directory, "unix:uid", Integer.valueOf(NOBODY));
        Files.setAttribute(directory, "unix:gid", Integer.valueOf(NOBODY));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    // ---- the binaries

    private static Path unpacked() throws IOException {
        String architecture = System.getProperty("os.arch").equals("aarch64") ? "arm_64" : "x86_64";
        String archive = "/postgres-linux-" + architecture + ".txz";
        Path target = HOME.resolve("binaries-"
                + PostgresServer.class.getResource(archive).getPath().hashCode());
        if (Files.isDirectory(target)) {
            return target;
        }
        Path fresh = Files.createTempDirectory(Files.createDirectories(HOME), "unpacking");
        try (InputStream packed = PostgresServer.class.getResourceAsStream(archive);
                TarArchiveInputStream tar = new TarArchiveInputStream(new XZInputStream(packed))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                unpack(tar, entry, fresh);
            }
        }
        openForAll(fresh);
        try {
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileAlreadyExistsException | java.nio.file.DirectoryNotEmptyException another) {
            System.err.println("Another build unpacked PostgreSQL too");
        }
        return target;
    }

    private static void unpack(TarArchiveInputStream tar, TarArchiveEntry entry, Path into) throws IOException {
        Path file = into.resolve(entry.getName()).normalize();
        if (!file.startsWith(into)) {
            throw new IOException("Outside of the archive: " + entry.getName());
        }
        if (entry.isDirectory()) {
            Files.createDirectories(file);
            openForAll(file);
        } else {
            Files.createDirectories(file.getParent());
            if (entry.isSymbolicLink()) {
                Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
            } else {
                Files.copy(tar, file);
                if ((entry.getMode() & 0100) != 0) {
                    openForAll(file);
                }
            }
        }
    }

    /** Lets the other user in whom the server runs as. */
    private static void openForAll(Path file) throws IOException {
        Set<PosixFilePermission> permissions = new HashSet<>(Files.getPosixFilePermissions(file));
        permissions.addAll(Set.of(
                PosixFilePermission.OWNER_EXECUTE,
                PosixFilePermission.GROUP_READ,
                PosixFilePermission.GROUP_EXECUTE,
                PosixFilePermission.OTHERS_READ,
                PosixFilePermission.OTHERS_EXECUTE));
        Files.setPosixFilePermissions(file, permissions);
    }
}
