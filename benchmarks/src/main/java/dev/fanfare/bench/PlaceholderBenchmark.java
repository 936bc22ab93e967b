package dev.fanfare.bench;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Holds the package until its first real benchmark. */
@State(Scope.Benchmark)
public class PlaceholderBenchmark {
    private String text;

    @Setup
    public void prepare() {
        text = "fanfare";
    }

    @Benchmark
    public int baseline() {
        return text.length();
    }
}
