package dev.fanfare.micrometer;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.LongAdder;

/** A counter that many threads add to without waiting for each other. Thread-safe. */
final class Adder {

    private final LongAdder sum = new LongAdder();

    private Adder() {}

    /** Makes a counter and registers it. */
    static Adder register(MeterRegistry registry, String name, String description, String... tags) {
        Adder adder = new Adder();
        FunctionCounter.builder(name, adder, each -> each.sum.sum())
                .description(description)
                .tags(tags)
                .register(registry);
        return adder;
    }

    void add(long count) {
        sum.add(count);
    }
}
