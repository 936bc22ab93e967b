package dev.fanfare.examples.nodes;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A network namespace with two lines to this machine: one that stays, and one that can be cut. Needs root and {@code ip};
 * where it cannot be made, the test is skipped with a loud line, and fails with {@code CI=true}.
 */
final class Namespace implements AutoCloseable {

    private final String name = "fan" + ProcessHandle.current().pid();
    private final int subnet = (int) (ProcessHandle.current().pid() % 120) * 2;
    private final String cuttable = address(1, 1);

    private Namespace() {}

    static Namespace open() {
        Namespace namespace = new Namespace();
        try {
            namespace.make();
        } catch (IOException impossible) {
            namespace.close();
            NotTested.because("no network namespace can be made: " + impossible.getMessage());
        }
        return namespace;
    }

    private void make() throws IOException {
        ip("netns", "add", name);
        ip("-n", name, "link", "set", "lo", "up");
        line("c", 0);
        line("r", 1);
    }

    private void line(String kind, int number) throws IOException {
        ip("link", "add", name + kind, "type", "veth", "peer", "name", name + kind, "netns", name);
        ip("addr", "add", address(number, 1) + "/30", "dev", name + kind);
        ip("link", "set", name + kind, "up");
        ip("-n", name, "addr", "add", address(number, 2) + "/30", "dev", name + kind);
        ip("-n", name, "link", "set", name + kind, "up");
    }

    private String address(int line, int end) {
        return "10.203." + (subnet + line) + "." + end;
    }

    /** Returns the address of this machine that what runs in it reaches by the line that can be cut. */
    String cuttableAddress() {
        return cuttable;
    }

    /** Returns the address at which this machine finds what runs in it, by the line that stays. */
    String address() {
        return address(0, 2);
    }

    /** Returns the command that runs another one in it. */
    List<String> command() {
        return List.of("ip", "netns", "exec", name);
    }

    /** Lets nothing through on the line that can be cut; nobody is told. */
    void cut() {
        mustIp("link", "set", name + "r", "down");
    }

    /** Lets everything through again. */
    void heal() {
        mustIp("link", "set", name + "r", "up");
    }

    private static void mustIp(String... arguments) {
        try {
            ip(arguments);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void ip(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
        try {
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + ": " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    @Override
    public void close() {
        for (String kind : List.of("c", "r")) {
            tryIp("link", "del", name + kind);
        }
        tryIp("netns", "del", name);
    }

    private static void tryIp(String... arguments) {
        try {
            ip(arguments);
        } catch (IOException notThere) {
            System.err.println(notThere.getMessage());
        }
    }
}
