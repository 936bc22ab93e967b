package dev.fanfare.examples.nodes;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A {@link ClusterNode} in a process of its own, which can be killed, stopped and continued. */
final class NodeProcess implements AutoCloseable {

    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    private final Process process;
    private final String host;
    private final int port;

    private NodeProcess(Process process, String host, int port) {
        this.process = process;
        this.host = host;
        this.port = port;
    }

    /** Starts one on this machine. */
    static NodeProcess start(String redis) {
        return start(List.of(), redis, "127.0.0.1");
    }

    /**
     * Starts one.
     *
     * @param wrapper a command that runs a command
     */
    static NodeProcess start(List<String> wrapper, String redis, String host) {
        List<String> command = new ArrayList<>(wrapper);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + System.getProperty("fanfare.node.heap", "160m"),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-D" + ClusterNode.LEASE_SECONDS + "=" + ClusterNode.LEASE.toSeconds(),
                "-cp",
                System.getProperty("java.class.path"),
                ClusterNode.class.getName(),
                redis,
                host));
        try {
            Path log = Files.createTempFile(Files.createDirectories(Path.of("target", "nodes")), "node", ".log");
            Process process =
                    new ProcessBuilder(command).redirectError(log.toFile()).start();
            BufferedReader said = process.inputReader();
            for (String line = said.readLine(); line != null; line = said.readLine()) {
                if (line.startsWith(ClusterNode.PORT)) {
                    int port = Integer.parseInt(line.substring(ClusterNode.PORT.length()));
                    drain(said);
                    return new NodeProcess(process, host, port);
                }
            }
            throw new AssertionError("A node did not start: " + Files.readString(log));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads what nobody wants, so that the process does not wait for it. */
    private static void drain(BufferedReader said) {
        Thread thread = new Thread(() -> said.lines().forEach(line -> {}), "node-output");
        thread.setDaemon(true);
        thread.start();
    }

    URI webSocket(String user) {
        return URI.create("ws://" + host + ":" + port + "/connection/websocket?user=" + user);
    }

    URI http(String path) {
        return URI.create("http://" + host + ":" + port + path);
    }

    /** Returns whether it says that it is ready, within two seconds. */
    boolean isReady() {
        try {
            return get("/health/ready", Duration.ofSeconds(2)).startsWith("200");
        } catch (IOException noAnswer) {
            return false;
        }
    }

    /** Returns whether it answers, and says that it is not ready. */
    boolean isRed() {
        try {
            return get("/health/ready", Duration.ofSeconds(2)).startsWith("503");
        } catch (IOException noAnswer) {
            return false;
        }
    }

    /** Returns how often it has read the log for subscribers. */
    long logReads() {
        try {
            return Long.parseLong(get("/reads", Duration.ofSeconds(20)).substring(4));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String get(String path, Duration patience) throws IOException {
        try {
            var answer = HTTP.send(
                    HttpRequest.newBuilder(http(path)).timeout(patience).build(), BodyHandlers.ofString());
            return answer.statusCode() + " " + answer.body();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /** Sends the clients away within that time, and waits for the process to end by itself. */
    void drain(Duration window) {
        try {
            Writer orders = process.outputWriter();
            orders.write(ClusterNode.DRAIN + window.toMillis() + "\n");
            orders.flush();
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new AssertionError("The node did not end well: " + process);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Stops it in the middle of whatever it does. */
    void stop() {
        signal("STOP");
    }

    /** Lets it go on. */
    void goOn() {
        signal("CONT");
    }

    private void signal(String name) {
        try {
            int result = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .inheritIO()
                    .start()
                    .waitFor();
            if (result != 0) {
                throw new AssertionError("kill -" + name + " failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Kills it, as a crash would. */
    @Override
    public void close() {
        process.destroyForcibly();
        process.onExit().join();
    }
}
