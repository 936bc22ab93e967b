package dev.fanfare.servers;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * A real Redis 7, started from the binary that a Maven artifact carries. If it cannot start the test fails. The system
 * property {@code fanfare.redis-server} names another binary, such as one of Valkey.
 *
 * <p>Data lie under {@code target/redis}.
 */
public final class RedisServer implements AutoCloseable {

    private static final Path HOME = Path.of("target", "redis").toAbsolutePath();

    private final int port;
    private final Path data;
    private final List<String> options;
    private int tlsPort = -1;
    private String configuration = "";
    private Process process;

    private RedisServer(int port, Path data, List<String> options) {
        this.port = port;
        this.data = data;
        this.options = options;
    }

    /** Starts one that keeps nothing on disk. */
    public static RedisServer start() {
        return start("--save", "", "--appendonly", "no");
    }

    /** Starts one with those options. */
    public static RedisServer start(String... options) {
        try {
            RedisServer server = prepare(List.of(options));
            server.run();
            return server;
        } catch (IOException e) {
            throw new AssertionError("Redis cannot be started", e);
        }
    }

    /** Starts one with those options that has a second port, for TLS. */
    public static RedisServer startWithTls(Path certificate, Path key, String... options) {
        try {
            int tlsPort = Ports.free();
            List<String> all = new ArrayList<>(List.of(
                    "--tls-port",
                    Integer.toString(tlsPort),
                    "--tls-cert-file",
                    certificate.toString(),
                    "--tls-key-file",
                    key.toString(),
                    "--tls-ca-cert-file",
                    certificate.toString(),
                    "--tls-auth-clients",
                    "no"));
            all.addAll(List.of(options));
            RedisServer server = prepare(all);
            server.tlsPort = tlsPort;
            server.run();
            return server;
        } catch (IOException e) {
            throw new AssertionError("Redis cannot be started", e);
        }
    }

    private static RedisServer prepare(List<String> options) throws IOException {
        Files.createDirectories(HOME);
        return new RedisServer(Ports.free(), Files.createTempDirectory(HOME, "data"), options);
    }

    /** Starts a Sentinel that alone decides about the primary of that port, which it calls main. */
    public static RedisServer sentinel(int primaryPort) {
        try {
            Files.createDirectories(HOME);
            Path data = Files.createTempDirectory(HOME, "sentinel");
            Path configuration = data.resolve("sentinel.conf");
            Files.writeString(
                    configuration,
                    "sentinel monitor main 127.0.0.1 " + primaryPort + " 1\n"
                            + "sentinel down-after-milliseconds main 500\n"
                            + "sentinel failover-timeout main 3000\n");
            RedisServer server = new RedisServer(Ports.free(), data, List.of("--sentinel"));
            server.configuration = configuration.toString();
            server.run();
            return server;
        } catch (IOException e) {
            throw new AssertionError("Sentinel cannot be started", e);
        }
    }

    public int port() {
        return port;
    }

    /** Returns the port for TLS, of one that has one. */
    public int tlsPort() {
        return tlsPort;
    }

    public String uri() {
        return "redis://127.0.0.1:" + port;
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Kills it, as a crash would. */
    public void kill() {
        process.destroyForcibly();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                throw new AssertionError("Redis does not die");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Starts it again after {@link #kill}, on the same port and data. */
    public void run() {
        List<String> command = new ArrayList<>();
        command.add(binary().toString());
        if (!configuration.isEmpty()) {
            command.add(configuration);
        }
        command.addAll(List.of(
                "--port",
                Integer.toString(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                data.toString(),
                "--daemonize",
                "no",
                "--loglevel",
                "notice"));
        command.addAll(options);
        try {
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            data.resolve("redis.log").toFile()))
                    .start();
        } catch (IOException e) {
            throw new AssertionError("Redis cannot be started", e);
        }
        // Should the tests be broken off, it goes with them.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        awaitPort();
    }

    private void awaitPort() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (System.nanoTime() < deadline && process.isAlive()) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.getOutputStream().write("PING\r\n".getBytes(US_ASCII));
                byte[] answer = socket.getInputStream().readNBytes(7);
                String text = new String(answer, US_ASCII);
                if (text.startsWith("+PONG") || text.startsWith("-NOAUTH")) {
                    return;
                }
            } catch (IOException notYet) {
                // again
            }
            pause();
        }
        throw new AssertionError("Redis did not start on port " + port + "; see " + data.resolve("redis.log"));
    }

    static void pause() {
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        kill();
    }

    private static synchronized Path binary() {
        String given = System.getProperty("fanfare.redis-server");
        if (given != null) {
            return Path.of(given);
        }
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac") ? "darwin" : "linux";
        String machine = System.getProperty("os.arch");
        String name = "redis-server-7.0.15-" + os + '-'
                + (machine.equals("aarch64") || machine.equals("arm64") ? "arm64" : "amd64");
        Path target = HOME.resolve(name);
        if (Files.isExecutable(target)) {
            return target;
        }
        try (InputStream in = RedisServer.class.getClassLoader().getResourceAsStream(name)) {
            if (in == null) {
                throw new AssertionError("There is no " + name + " on the class path");
            }
            Path fresh = Files.createTempFile(HOME, name, ".new");
            Files.copy(in, fresh, StandardCopyOption.REPLACE_EXISTING);
            if (!fresh.toFile().setExecutable(true)) {
                throw new AssertionError(fresh + " cannot be made executable");
            }
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
            return target;
        } catch (IOException e) {
            throw new AssertionError("The binary of Redis cannot be extracted", e);
        }
    }
}
