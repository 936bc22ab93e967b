package dev.fanfare.redis;

import java.util.concurrent.atomic.LongAdder;

/** Counts what went wrong. Thread-safe. */
final class Counters {

    final LongAdder malformed = new LongAdder();
    final LongAdder overflows = new LongAdder();
    final LongAdder interruptions = new LongAdder();
    final LongAdder reconnects = new LongAdder();
    final LongAdder failovers = new LongAdder();
    final LongAdder refusals = new LongAdder();
    final LongAdder dropped = new LongAdder();
}
