package dev.fanfare.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real SQL database of its own process and data, that can be killed, filled up, and led back to an earlier state. */
public abstract class SqlServer implements AutoCloseable {

    static final Duration START = Duration.ofSeconds(60);

    final Path data;
    final List<String> settings;
    private final Path home;
    private final int port;
    private Process process;
    private boolean isSmall;

    SqlServer(Path home, Path data, List<String> settings) {
        this.home = home;
        this.data = data;
        this.settings = settings;
        this.port = Ports.free();
    }

    static Path freshData(Path home) throws IOException {
        return Files.createTempDirectory(Files.createDirectories(home.resolve("data")), "server");
    }

    public int port() {
        return port;
    }

    /** Returns its URL, with the user in it. */
    public String url() {
        return url(port);
    }

    /** Returns its URL by way of a {@link Proxy}. */
    public abstract String url(int proxy);

    /** Starts it again after {@link #kill} or {@link #stop}. */
    public void startAgain() {
        process = launch(isSmall);
        long deadline = System.nanoTime() + START.toNanos();
        while (true) {
            try (Connection connection = DriverManager.getConnection(url())) {
                return;
            } catch (SQLException notYet) {
                if (!process.isAlive() || System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException(getClass().getSimpleName() + " does not start:\n" + log(), notYet);
                }
                pause();
            }
        }
    }

    /** Starts the server; a small one has room for some megabytes, and then says that the disk is full. */
    abstract Process launch(boolean isSmall);

    /** Stops it and starts it again with hardly any room, or with all there is. */
    public void restart(boolean isSmall) {
        stop();
        this.isSmall = isSmall;
        startAgain();
    }

    /** Stops it, and keeps its data. */
    public void stop() {
        requestStop(process);
        try {
            if (!process.waitFor(START.toSeconds(), TimeUnit.SECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    abstract void requestStop(Process running);

    /** Kills it as a power cut does. */
    public void kill() {
        // A postmaster's children die with it, or hold the data directory: each is killed.
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        process.onExit().join();
        children.forEach(child -> child.onExit().join());
    }

    /** Returns the processor time that its processes have used. */
    public Duration cpu() {
        return process.descendants().map(SqlServer::cpu).reduce(cpu(process.toHandle()), Duration::plus);
    }

    /** Returns the processor time that a process has used. */
    public static Duration cpu(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    /** Keeps a copy of the data of a stopped server. */
    public void saveData() {
        delete(saved());
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

    @Override
    public void close() {
        if (process.isAlive()) {
            kill();
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

    Process run(List<String> command) {
        try {
            return new ProcessBuilder(command)
                    .directory(isRoot() ? data.toFile() : home.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile().toFile()))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot run " + command, e);
        }
    }

    private Path logFile() {
        return home.resolve(data.getFileName() + ".log");
    }

    String log() {
        try {
            return Files.readString(logFile());
        } catch (IOException e) {
            return "(no log: " + e + ")";
        }
    }

    static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
