package dev.fanfare.examples;

import dev.fanfare.netty.TransportException;
import java.io.PrintWriter;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Starts the demo server, or one of the servers that are there to be tested. */
@Command(
        name = "demo",
        subcommands = {Demo.Bench.class, Demo.Interop.class},
        mixinStandardHelpOptions = true,
        version = Demo.VERSION,
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = {"Serves the examples: a team chat, an event stream, and an API for curl.", ""},
        optionListHeading = "Options:%n",
        commandListHeading = "%nOther servers:%n",
        footer = {
            "",
            "JAVA_OPTS goes to the JVM: JAVA_OPTS=-Xmx256m ./demo",
            "The rooms are kept in an H2 database in that directory, and survive a restart. It may be deleted."
        })
public final class Demo implements Callable<Integer> {

    /** What {@code --version} says. */
    static final String VERSION = "Fanfare demo 0.1.0-SNAPSHOT";

    /** Exit code when the port is taken or cannot be used. */
    static final int PORT_UNUSABLE = 3;

    /** Exit code when the data cannot be opened. */
    static final int DATA_UNUSABLE = 4;

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--host",
            paramLabel = "NAME",
            defaultValue = "localhost",
            description = {
                "Address to listen on (default: ${DEFAULT-VALUE}).",
                "The demo asks for no passwords: do not open it to a network that you do not trust."
            })
    private String host = "localhost";

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8080",
            description = "Port to listen on, 0 for any free one (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--data",
            paramLabel = "DIRECTORY",
            defaultValue = "demo-data",
            description = "Where the rooms are kept (default: ${DEFAULT-VALUE}).")
    private Path data = Path.of("demo-data");

    @Option(names = "--memory", description = "Keep everything in memory instead; it is gone when the server stops.")
    private boolean isInMemory;

    private Demo() {}

    /**
     * Runs until the process is stopped.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Demo()).execute(args));
    }

    /** Does what the arguments say and complains to the writer; returns the exit code once that is over. */
    static int run(PrintWriter err, String... args) {
        return new CommandLine(new Demo()).setErr(err).execute(args);
    }

    @Override
    public Integer call() {
        CommandLine line = commandLine(spec);
        Starter starter = isInMemory ? DemoServer::start : (name, number) -> DemoServer.start(name, number, data);
        return serve(line, host, port, starter, server -> {
            PrintWriter out = line.getOut();
            String url = url(host, server.port());
            out.println();
            out.println("  Fanfare is running. Nothing else is: one Java process, everything in "
                    + (isInMemory ? "memory." : data + "."));
            out.println();
            out.println("    " + url + "          start here");
            out.println("    " + url + "/chat     a team chat; open it in two windows");
            out.println("    " + url + "/stream   the same rooms through plain EventSource");
            out.println();
            out.println("  And from a terminal:");
            out.println();
            out.println("    curl -N '" + url + "/sse?channel=chat:lobby&history=5'");
            out.println("    curl -H 'X-API-Key: " + DemoServer.API_KEY + "' " + url + "/api/publish \\");
            out.println("         -d '{\"channel\":\"chat:lobby\",\"data\":{\"user\":\"curl\",\"text\":\"hello\"}}'");
            out.println();
            out.println("  Ctrl-C stops it.");
            out.println();
            out.flush();
        });
    }

    private static int serve(CommandLine line, String host, int port, Starter starter, Consumer<Server> greeting) {
        if (port < 0 || port > 65_535) {
            throw new ParameterException(line, "--port must be in 0 to 65535: " + port);
        }
        Server server;
        try {
            server = starter.start(host, port);
        } catch (TransportException e) {
            PrintWriter err = line.getErr();
            err.println("demo: cannot listen on " + host + ":" + port + ": " + whyNotBound(e));
            err.flush();
            return PORT_UNUSABLE;
        } catch (IllegalStateException e) {
            line.getErr().println("demo: " + e.getMessage());
            line.getErr().flush();
            return DATA_UNUSABLE;
        }
        greeting.accept(server);
        awaitEnd(server);
        return 0;
    }

    /** Waits for Ctrl-C or an interrupt, then closes the server: clients are told, nothing is left open. */
    private static void awaitEnd(Server server) {
        CountDownLatch closed = new CountDownLatch(1);
        Thread hook = new Thread(
                () -> {
                    server.close();
                    closed.countDown();
                },
                "demo-shutdown");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            closed.await();
        } catch (InterruptedException stopped) {
            Runtime.getRuntime().removeShutdownHook(hook);
            server.close();
        }
    }

    /** Returns where a browser on this machine finds the server. */
    private static String url(String host, int port) {
        boolean isAnywhere = host.equals("0.0.0.0") || host.equals("::");
        String name = isAnywhere ? "localhost" : host.contains(":") ? "[" + host + "]" : host;
        return "http://" + name + ":" + port;
    }

    private static String whyNotBound(TransportException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        if (cause instanceof UnresolvedAddressException) {
            return "no such host; choose an address of this machine with --host";
        }
        String message = String.valueOf(cause.getMessage());
        return message.contains("in use")
                ? "the port is taken; choose another with --port, or any free one with --port 0"
                : message;
    }

    private static CommandLine commandLine(@Nullable CommandSpec spec) {
        if (spec == null) {
            throw new IllegalStateException("picocli sets it");
        }
        return spec.commandLine();
    }

    /** Starts one of the servers. */
    @FunctionalInterface
    private interface Starter {
        Server start(String host, int port);
    }

    /** Starts the server that the load harness measures. */
    @Command(
            name = "bench",
            mixinStandardHelpOptions = true,
            version = Demo.VERSION,
            sortOptions = false,
            usageHelpAutoWidth = true,
            description = {
                "Serves nothing but the library's end points, to be measured: everybody may do everything.",
                "Namespaces: bench: keeps 100 publications for 300 s, plain: keeps none.",
                ""
            })
    static final class Bench implements Callable<Integer> {

        @Spec
        private @Nullable CommandSpec spec;

        @Option(
                names = "--host",
                paramLabel = "NAME",
                defaultValue = "localhost",
                description = "Address to listen on (default: ${DEFAULT-VALUE}).")
        private String host = "localhost";

        @Option(
                names = "--port",
                paramLabel = "N",
                defaultValue = "7010",
                description = "Port to listen on, 0 for any free one (default: ${DEFAULT-VALUE}).")
        private int port;

        private Bench() {}

        @Override
        public Integer call() {
            CommandLine line = commandLine(spec);
            return serve(line, host, port, BenchServer::start, server -> {
                PrintWriter out = line.getOut();
                out.println("bench server on " + url(host, server.port()) + ", Ctrl-C stops it");
                out.flush();
            });
        }
    }

    /** Starts the server that the test suites of the SDKs expect. */
    @Command(
            name = "interop",
            mixinStandardHelpOptions = true,
            version = Demo.VERSION,
            sortOptions = false,
            usageHelpAutoWidth = true,
            description = {
                "Serves what the test suites of the Centrifuge SDKs expect: everybody may do everything.",
                "Namespaces: none, recovery:, smallhistory:, delta:.",
                ""
            })
    static final class Interop implements Callable<Integer> {

        @Spec
        private @Nullable CommandSpec spec;

        @Option(
                names = "--host",
                paramLabel = "NAME",
                defaultValue = "localhost",
                description = "Address to listen on (default: ${DEFAULT-VALUE}).")
        private String host = "localhost";

        @Option(
                names = "--port",
                paramLabel = "N",
                defaultValue = "8000",
                description = "Port to listen on, 0 for any free one (default: ${DEFAULT-VALUE}).")
        private int port;

        private Interop() {}

        @Override
        public Integer call() {
            CommandLine line = commandLine(spec);
            return serve(line, host, port, InteropServer::start, server -> {
                PrintWriter out = line.getOut();
                out.println("interop server on http://" + host + ":" + server.port() + ", Ctrl-C stops it");
                out.flush();
            });
        }
    }
}
