package dev.fanfare.examples.nodes;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A TCP connection from within a network namespace: a process there passes on what it is given and what it gets. */
final class RemoteSocket implements AutoCloseable {

    private final Process process;

    private RemoteSocket(Process process) {
        this.process = process;
    }

    /** Connects from there to that port of this machine, by the line that can be cut. */
    static RemoteSocket connect(Namespace from, int port) {
        List<String> command = new ArrayList<>(from.command());
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx32m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                RemoteSocket.class.getName(),
                from.cuttableAddress(),
                Integer.toString(port)));
        try {
            return new RemoteSocket(new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Is that process.
     *
     * @param args the address and the port to connect to
     */
    public static void main(String[] args) throws IOException {
        try (Socket socket = new Socket(args[0], Integer.parseInt(args[1]))) {
            Thread up = new Thread(() -> passOn(System.in, socket), "up");
            up.setDaemon(true);
            up.start();
            pass(socket.getInputStream(), System.out);
        }
    }

    private static void passOn(InputStream in, Socket socket) {
        try {
            pass(in, socket.getOutputStream());
        } catch (IOException over) {
            // the other direction says so
        }
    }

    private static void pass(InputStream in, OutputStream out) throws IOException {
        byte[] some = new byte[2048];
        for (int length = in.read(some); length >= 0; length = in.read(some)) {
            out.write(some, 0, length);
            out.flush();
        }
    }

    /** Sends that. */
    void send(byte[] bytes) {
        try {
            process.getOutputStream().write(bytes);
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads until that was said; the test's own time-out ends a wait for what never comes. */
    void readUntil(String text) {
        StringBuilder received = new StringBuilder();
        byte[] some = new byte[2048];
        try {
            while (received.indexOf(text) < 0) {
                int length = process.getInputStream().read(some);
                if (length < 0) {
                    throw new AssertionError("It ended before it said " + text + ": " + received);
                }
                received.append(new String(some, 0, length, UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the process; what it had to say over a line that is cut nobody hears. */
    @Override
    public void close() {
        process.destroyForcibly();
        process.onExit().join();
    }
}
