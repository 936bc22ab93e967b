package dev.fanfare.bench.load;

import static java.util.Objects.requireNonNull;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Puts a server under load and tells what came of it. */
@Command(
        name = "load",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Connects readers, publishes at a fixed rate with POST /api/publish, and checks that each reader gets "
                    + "everything, once, in order.",
            "Latency counts from when a publication was due, whenever it was sent.",
            "Ends with 0 if nothing was lost, repeated, reordered or refused, else with 1."
        })
public final class Load implements Callable<Integer> {

    private static final double MILLIS = 1e6;
    private static final double MICROS = 1e3;
    private static final double SECOND = 1e9;

    /** Where the server is. */
    static final class Server {
        @Option(names = "--host", defaultValue = "127.0.0.1", description = "where the server is (${DEFAULT-VALUE})")
        String host = "127.0.0.1";

        @Option(names = "--port", defaultValue = "8000", description = "its port (${DEFAULT-VALUE})")
        int port;

        @Option(names = "--namespace", defaultValue = "bench", description = "of the channels (${DEFAULT-VALUE})")
        String namespace = "bench";

        @Option(names = "--api-key", defaultValue = "", description = "to publish with")
        String apiKey = "";

        @Option(names = "--pid", description = "process whose processor time is counted, if it is on this machine")
        long pid;
    }

    /** Who reads. */
    static final class Readers {
        @Option(names = "--transport", defaultValue = "WEBSOCKET", description = "WEBSOCKET or SSE (${DEFAULT-VALUE})")
        Transport transport = Transport.WEBSOCKET;

        @Option(
                names = {"-c", "--connections"},
                defaultValue = "1000",
                description = "readers, each of one channel (${DEFAULT-VALUE})")
        int connections;

        @Option(names = "--channels", defaultValue = "1", description = "how many channels (${DEFAULT-VALUE})")
        int channels;

        @Option(
                names = "--stalled",
                defaultValue = "0",
                description = "readers that read nothing until the end, and are to get everything then")
        int stalled;

        @Option(names = "--payload", defaultValue = "128", description = "bytes of a publication (${DEFAULT-VALUE})")
        int payloadBytes;
    }

    /** How much is published. */
    static final class Publishing {
        @Option(
                names = {"-r", "--rate"},
                defaultValue = "40",
                description = "publications a second, all together (${DEFAULT-VALUE})")
        int rate;

        @Option(
                names = {"-t", "--time"},
                defaultValue = "10",
                description = "seconds to measure (${DEFAULT-VALUE})")
        int seconds;

        @Option(names = "--warm-up", defaultValue = "2", description = "seconds before that (${DEFAULT-VALUE})")
        int warmUp;

        @Option(names = "--publishers", defaultValue = "4", description = "connections that publish (${DEFAULT-VALUE})")
        int publishers;
    }

    @ArgGroup(validate = false, heading = "%nServer%n")
    private final Server server = new Server();

    @ArgGroup(validate = false, heading = "%nReaders%n")
    private final Readers readers = new Readers();

    @ArgGroup(validate = false, heading = "%nPublications%n")
    private final Publishing publishing = new Publishing();

    @Option(names = "--picture", description = "file for a picture of the latency over time, .svg or .png")
    private @Nullable Path picture;

    @Spec
    private @Nullable CommandSpec spec;

    /** Runs with the arguments of the command line. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Load()).execute(arguments));
    }

    /** Makes a command that has not been told anything. */
    Load() {}

    @Override
    public Integer call() throws Exception {
        Plan plan = new Plan(
                readers.connections,
                readers.channels,
                publishing.rate,
                Duration.ofSeconds(publishing.warmUp),
                Duration.ofSeconds(publishing.seconds),
                publishing.publishers);
        Target target = new Target(server.host, server.port, server.namespace, server.apiKey);
        Run.Outcome outcome = new Run(target, plan, readers, ServerCost.of(server.pid)).run();
        print(outcome);
        if (picture != null) {
            Picture.of(title(), outcome.ledger().intervals()).save(picture);
        }
        return outcome.isClean() ? 0 : 1;
    }

    private String title() {
        return "%,d %s readers of %,d channels, %,d publications/s"
                .formatted(readers.connections, readers.transport, readers.channels, publishing.rate);
    }

    private void print(Run.Outcome outcome) {
        Ledger ledger = outcome.ledger();
        say("%s", title());
        say(
                "delivered %,d of %,d; readers without everything %d; repeated %d; out of order %d; refused %d",
                ledger.deliveries(),
                ledger.expected(),
                outcome.incomplete(),
                ledger.repeated(),
                ledger.disordered(),
                outcome.refused());
        if (outcome.fault() != null) {
            say("fault: %s", outcome.fault());
        }
        Histogram latency = ledger.latency();
        say(
                "latency ms p50 %.2f p90 %.2f p99 %.2f p99.9 %.2f max %.2f",
                latency.getValueAtPercentile(50) / MILLIS,
                latency.getValueAtPercentile(90) / MILLIS,
                latency.getValueAtPercentile(99) / MILLIS,
                latency.getValueAtPercentile(99.9) / MILLIS,
                latency.getMaxValue() / MILLIS);
        if (!outcome.cost().isZero()) {
            say(
                    "server cpu %.2f s = %.3f us/delivery",
                    outcome.cost().toNanos() / SECOND,
                    outcome.cost().toNanos() / MICROS / Math.max(1, ledger.measuredDeliveries()));
        }
    }

    private void say(String format, Object... arguments) {
        PrintWriter out = requireNonNull(spec).commandLine().getOut();
        out.printf(format + "%n", arguments);
        out.flush();
    }
}
