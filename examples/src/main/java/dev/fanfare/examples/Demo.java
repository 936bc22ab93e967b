package dev.fanfare.examples;

import dev.fanfare.StoreException;
import dev.fanfare.netty.TransportException;
import java.io.PrintWriter;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

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
            "FANFARE_LOG says what is logged, to stderr: FANFARE_LOG=INFO ./demo (WARN unless set; DEBUG, TRACE).",
            "Without --redis the rooms are kept in an H2 database in the --data directory, which may be deleted."
        })
public final class Demo implements Callable<Integer> {

    /** What {@code --version} says. */
    static final String VERSION = "Fanfare demo 0.1.0-SNAPSHOT";

    /** Exit code when the port is taken or cannot be used. */
    static final int PORT_UNUSABLE = 3;

    /** Exit code when Redis cannot be used. */
    static final int REDIS_UNUSABLE = 4;

    /** Exit code when the data cannot be opened. */
    static final int DATA_UNUSABLE = 5;

    private static final String HOW_TO_START_REDIS =
            "To start a Redis: redis-server (Debian: apt install redis-server),"
                    + " or docker run --rm -p 6379:6379 redis:7; then ./demo --nodes 3 --redis redis://localhost:6379";

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

    @Option(
            names = "--nodes",
            paramLabel = "N",
            defaultValue = "1",
            description = "How many nodes to run, 1 to 9, on ports one after the other; more than one need --redis.")
    private int nodes;

    @Option(
            names = "--redis",
            paramLabel = "URI",
            description = "The Redis 7 that nodes share and that keeps everything: redis://localhost:6379")
    private @Nullable String redis;

    private Demo() {}

    /**
     * Runs until the process is stopped.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** Does what the arguments say and complains to the writer; returns the exit code once that is over. */
    static int run(PrintWriter err, String... args) {
        return commandLine().setErr(err).execute(args);
    }

    private static CommandLine commandLine() {
        return new CommandLine(new Demo()).setParameterExceptionHandler((wrong, args) -> {
            CommandLine line = wrong.getCommandLine();
            PrintWriter err = line.getErr();
            err.println("demo: " + wrong.getMessage());
            UnmatchedArgumentException.printSuggestions(wrong, err);
            err.println("./" + line.getCommandSpec().qualifiedName() + " --help lists the options.");
            err.flush();
            return line.getCommandSpec().exitCodeOnInvalidInput();
        });
    }

    @Override
    public Integer call() {
        CommandLine line = commandLine(spec);
        if (nodes < 1 || nodes > 9) {
            throw new ParameterException(line, "--nodes must be in 1 to 9: " + nodes);
        }
        refuseTwoPlaces(line);
        if (redis != null) {
            return callWithRedis(line, redis);
        }
        if (nodes > 1) {
            throw new ParameterException(
                    line, "--nodes " + nodes + " needs --redis, through which they are one. " + HOW_TO_START_REDIS);
        }
        return isInMemory ? callInMemory(line) : callWithData(line);
    }

    /** What is kept is kept in one place: nothing that was said of another is passed over in silence. */
    private static void refuseTwoPlaces(CommandLine line) {
        List<String> places = Stream.of("--memory", "--data", "--redis")
                .filter(line.getParseResult()::hasMatchedOption)
                .toList();
        if (places.size() > 1) {
            throw new ParameterException(
                    line, String.join(" and ", places) + " each say where the rooms are kept; choose one");
        }
    }

    private Integer callInMemory(CommandLine line) {
        return serve(line, host, port, DemoServer::start, server -> {
            line.getOut().println();
            line.getOut().println("  Fanfare is running in this one Java process. Everything is kept in its memory.");
            greet(line, server.port());
        });
    }

    private Integer callWithData(CommandLine line) {
        try {
            return serve(line, host, port, (name, number) -> DemoData.start(name, number, data), running -> {
                line.getOut().println();
                line.getOut()
                        .println("  Fanfare is running in this one Java process. The rooms are kept in " + data + ".");
                greet(line, running.server().port());
            });
        } catch (StoreException unusable) {
            line.getErr().println("demo: " + unusable.getMessage());
            line.getErr().flush();
            return DATA_UNUSABLE;
        }
    }

    private Integer callWithRedis(CommandLine line, String uri) {
        try {
            return serve(line, host, port, (name, first) -> DemoNodes.start(name, first, nodes, uri), running -> {
                PrintWriter out = line.getOut();
                out.println();
                out.println("  Fanfare is running: "
                        + (nodes == 1 ? "one node" : nodes + " nodes, one chat, a browser for each")
                        + "; the rooms are kept in Redis.");
                out.println();
                running.ports().forEach(each -> out.println("    " + url(host, each) + "/chat"));
                greet(line, running.ports().get(0));
            });
        } catch (IllegalArgumentException notAnAddress) {
            throw new ParameterException(line, "--redis wants an address such as redis://user:password@localhost:6379");
        } catch (StoreException unusable) {
            line.getErr().println("demo: " + unusable.getMessage() + ". " + whatToDo(unusable));
            line.getErr().flush();
            return REDIS_UNUSABLE;
        }
    }

    /** A server that answered is there already, and wants another name or password. */
    private static String whatToDo(StoreException unusable) {
        String message = String.valueOf(unusable.getMessage());
        return message.contains("NOAUTH") || message.contains("WRONGPASS")
                ? "Give user and password in the address: redis://user:password@localhost:6379"
                : HOW_TO_START_REDIS;
    }

    private void greet(CommandLine line, int port) {
        PrintWriter out = line.getOut();
        String url = url(host, port);
        out.println();
        out.println("    " + url + "          start here");
        out.println("    " + url + "/chat     a team chat; open it in two windows");
        out.println("    " + url + "/stream   the same rooms through plain EventSource");
        out.println("    " + url + "/console/ what the server is doing; its key is '" + DemoServer.API_KEY + "'");
        out.println("    " + url + "/metrics  the same for Prometheus");
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
    }

    private static <R extends Running> int serve(
            CommandLine line, String host, int port, Starter<R> starter, Consumer<R> greeting) {
        if (port < 0 || port > 65_535) {
            throw new ParameterException(line, "--port must be in 0 to 65535: " + port);
        }
        R server;
        try {
            server = starter.start(host, port);
        } catch (TransportException e) {
            PrintWriter err = line.getErr();
            err.println("demo: cannot listen on " + host + ":" + port + ": " + whyNotBound(e));
            err.flush();
            return PORT_UNUSABLE;
        }
        greeting.accept(server);
        awaitEnd(server);
        return 0;
    }

    /** Waits for Ctrl-C or an interrupt, then closes the server: clients are told, nothing is left open. */
    private static void awaitEnd(Running server) {
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
    private interface Starter<R extends Running> {
        R start(String host, int port);
    }

    /** Starts a server that has nothing to look at, and says in one line where it is. */
    private abstract static class Plain implements Callable<Integer> {

        private final String name;
        private final Starter<Server> starter;

        @Spec
        private @Nullable CommandSpec spec;

        @Option(
                names = "--host",
                paramLabel = "NAME",
                description = "Address to listen on (default: ${DEFAULT-VALUE}).")
        private String host = "localhost";

        @Option(
                names = "--port",
                paramLabel = "N",
                description = "Port to listen on, 0 for any free one (default: ${DEFAULT-VALUE}).")
        private int port;

        Plain(String name, int port, Starter<Server> starter) {
            this.name = name;
            this.port = port;
            this.starter = starter;
        }

        @Override
        public Integer call() {
            CommandLine line = commandLine(spec);
            return serve(line, host, port, starter, server -> {
                PrintWriter out = line.getOut();
                out.println(name + " server on " + url(host, server.port()) + ", Ctrl-C stops it");
                out.flush();
            });
        }
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
                "Namespaces: bench: keeps 100 publications for 300 s, deep: 100,000, plain: keeps none.",
                ""
            })
    static final class Bench extends Plain {
        private Bench() {
            super("bench", 7010, BenchServer::start);
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
    static final class Interop extends Plain {
        private Interop() {
            super("interop", 8000, InteropServer::start);
        }
    }
}
