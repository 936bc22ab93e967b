package dev.fanfare.bench.load;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * Keeps account of what each reader received: that it is all, once, in order, and how late.
 *
 * <p>Latency counts from when the publication was due, not from when it was sent, so a server that makes the
 * publisher wait does not look better for it (coordinated omission). The order is checked among the publications
 * that came through one connection of a publisher; between two connections there is none.
 *
 * <p><b>Threading:</b> confined to the event loop; to be read when that has ended.
 */
final class Ledger {

    /**
     * How late publications were that arrived in one stretch of time.
     *
     * @param seconds the end of that stretch, since the start of measuring
     */
    record Interval(double seconds, Histogram latency) {}

    private static final int DIGITS = 3;
    private static final int INTERVALS = 120;
    private static final long SHORTEST_NANOS = 100_000_000;
    private static final double SECOND = 1e9;

    private final Plan plan;
    private final BitSet[] received;
    private final int[][] newest;
    private final Histogram latency = new Histogram(DIGITS);
    private final List<Interval> intervals = new ArrayList<>();
    private final long intervalNanos;
    private Histogram current = new Histogram(DIGITS);
    private long startNanos;
    private long deliveries;
    private long measured;
    private long repeated;
    private long disordered;

    Ledger(Plan plan) {
        this.plan = plan;
        received = new BitSet[plan.readers()];
        Arrays.setAll(received, reader -> new BitSet());
        newest = new int[plan.readers()][plan.publishers()];
        for (int[] each : newest) {
            Arrays.fill(each, -1);
        }
        intervalNanos = Math.max(SHORTEST_NANOS, plan.time().toNanos() / INTERVALS);
    }

    /** Takes note of when the first publication is due. */
    void started(long nanos) {
        startNanos = nanos;
    }

    /** Takes note that a reader has received a publication. */
    void received(int reader, int publication, long nanos) {
        int number = publication / plan.channels();
        if (received[reader].get(number)) {
            repeated++;
            return;
        }
        received[reader].set(number);
        deliveries++;
        int publisher = plan.publisherOf(publication);
        if (newest[reader][publisher] > number) {
            disordered++;
        }
        newest[reader][publisher] = Math.max(number, newest[reader][publisher]);
        if (publication >= plan.firstMeasured()) {
            measured++;
            record(Math.max(0, nanos - startNanos - plan.dueNanos(publication)), nanos);
        }
    }

    private void record(long late, long nanos) {
        long sinceMeasuring = nanos - startNanos - plan.dueNanos(plan.firstMeasured());
        while (sinceMeasuring > (intervals.size() + 1L) * intervalNanos) {
            endInterval();
        }
        latency.recordValue(late);
        current.recordValue(late);
    }

    private void endInterval() {
        intervals.add(new Interval((intervals.size() + 1) * intervalNanos / SECOND, current));
        current = new Histogram(DIGITS);
    }

    /** Returns how late the measured publications were, over time. */
    List<Interval> intervals() {
        List<Interval> all = new ArrayList<>(intervals);
        if (current.getTotalCount() > 0) {
            all.add(new Interval((all.size() + 1) * intervalNanos / SECOND, current));
        }
        return all;
    }

    /** Returns how late the measured publications were, in nanoseconds. */
    Histogram latency() {
        return latency;
    }

    /** Returns how many deliveries there were. */
    long deliveries() {
        return deliveries;
    }

    /** Returns how many deliveries there were of publications that are measured. */
    long measuredDeliveries() {
        return measured;
    }

    /** Returns how many deliveries there are when all is there. */
    long expected() {
        long all = 0;
        for (int reader = 0; reader < plan.readers(); reader++) {
            all += expectedBy(reader);
        }
        return all;
    }

    private int expectedBy(int reader) {
        int channel = reader % plan.channels();
        return (plan.publications() - channel + plan.channels() - 1) / plan.channels();
    }

    /** Tells whether a reader has received all it was to. */
    boolean isComplete(int reader) {
        return received[reader].cardinality() == expectedBy(reader);
    }

    /** Returns how many deliveries were repetitions. */
    long repeated() {
        return repeated;
    }

    /** Returns how many deliveries came after a younger publication of the same publisher. */
    long disordered() {
        return disordered;
    }
}
