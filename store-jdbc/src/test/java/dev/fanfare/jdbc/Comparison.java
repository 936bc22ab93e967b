package dev.fanfare.jdbc;

import dev.fanfare.servers.PostgresServer;
import java.time.Duration;
import java.util.Arrays;

/**
 * Compares two ways to do the same, in turns of a second each, so that whatever else the machine does hits both.
 *
 * <p>Prints the median of each and the median of the turns' ratios.
 */
final class Comparison {

    private static final Duration TURN = Duration.ofSeconds(1);

    /** Until the compilers are done with both: they work on the same cores. */
    private static final int WARM_UP = Integer.getInteger("warmUp", 12);

    private final PostgresServer server;
    private final int turns;

    Comparison(PostgresServer server, int turns) {
        this.server = server;
        this.turns = turns;
    }

    void run(String what, Way byHand, Way ours) throws Exception {
        double[] hand = new double[turns];
        double[] store = new double[turns];
        double[] ratios = new double[turns];
        double[] handCost = new double[turns];
        double[] storeCost = new double[turns];
        double[] handServer = new double[turns];
        double[] storeServer = new double[turns];
        for (int turn = -WARM_UP; turn < turns; turn++) {
            Measured first = measure(byHand);
            Measured second = measure(ours);
            if (turn >= 0) {
                hand[turn] = first.perSecond;
                store[turn] = second.perSecond;
                ratios[turn] = second.perSecond / first.perSecond;
                handCost[turn] = first.clientMicros;
                storeCost[turn] = second.clientMicros;
                handServer[turn] = first.serverMicros;
                storeServer[turn] = second.serverMicros;
            }
        }
        System.out.printf(
                "%-42s by hand %,8.0f/s | store %,8.0f/s | ratio %.2f (%.2f to %.2f)%n",
                what,
                quantile(hand, 0.5),
                quantile(store, 0.5),
                quantile(ratios, 0.5),
                quantile(ratios, 0.25),
                quantile(ratios, 0.75));
        System.out.printf(
                "%-42s by hand %.1f + %.1f us | store %.1f + %.1f us%n",
                "    processor time per row, client + server",
                quantile(handCost, 0.5),
                quantile(handServer, 0.5),
                quantile(storeCost, 0.5),
                quantile(storeServer, 0.5));
    }

    private Measured measure(Way way) throws Exception {
        Duration client = PostgresServer.cpu(ProcessHandle.current());
        Duration both = server.cpu();
        long begin = System.nanoTime();
        double perSecond = way.perSecond(TURN);
        double rows = perSecond * (System.nanoTime() - begin) / 1e9;
        return new Measured(
                perSecond,
                PostgresServer.cpu(ProcessHandle.current()).minus(client).toNanos() / 1e3 / rows,
                server.cpu().minus(both).toNanos() / 1e3 / rows);
    }

    private record Measured(double perSecond, double clientMicros, double serverMicros) {}

    static double quantile(double[] values, double share) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[(int) Math.min(sorted.length - 1, sorted.length * share)];
    }

    /** One of the two. */
    @FunctionalInterface
    interface Way {
        /** Does it for so long, and returns how often it was done per second. */
        double perSecond(Duration length) throws Exception;
    }
}
