package dev.fanfare.bench;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.StartAt;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Publish to 1,000 in-process subscribers, to the last delivery. One operation is one delivery; run it with
 * {@code -prof gc} to see what a delivery allocates.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class LocalFanOutBenchmark {

    private static final int SUBSCRIBERS = 1_000;
    private static final int BATCH = 100;

    /** Whether the channel keeps its publications. */
    @Param({"plain:a", "logged:a"})
    public String channelName = "plain:a";

    private final AtomicLong delivered = new AtomicLong();
    private final Payload data = Payload.of(new byte[128]);
    private ChannelId channel = ChannelId.of("plain:a");
    private ExecutorService host = Executors.newSingleThreadExecutor();
    private Fanfare fanfare = Fanfare.builder().build();

    /** Makes a benchmark. */
    public LocalFanOutBenchmark() {}

    /** Subscribes. */
    @Setup
    public void subscribe() {
        channel = ChannelId.of(channelName);
        fanfare = Fanfare.builder()
                .hostExecutor(host)
                .namespace("plain", rules -> rules)
                .namespace("logged", rules -> rules.retain(100, Duration.ofMinutes(5)))
                .build();
        for (int i = 0; i < SUBSCRIBERS; i++) {
            fanfare.subscribe(channel, StartAt.live(), publication -> delivered.lazySet(delivered.get() + 1))
                    .ready()
                    .toCompletableFuture()
                    .join();
        }
    }

    /** Publishes a batch and waits until all of it has arrived. */
    @Benchmark
    @OperationsPerInvocation(SUBSCRIBERS * BATCH)
    public void publishAndDeliver() {
        long target = delivered.get() + (long) SUBSCRIBERS * BATCH;
        for (int i = 0; i < BATCH; i++) {
            fanfare.publish(channel, data, PublishOptions.none())
                    .toCompletableFuture()
                    .join();
        }
        while (delivered.get() < target) {
            LockSupport.parkNanos(1_000);
        }
    }

    /** Ends everything. */
    @TearDown
    public void close() {
        fanfare.close();
        host.shutdown();
    }
}
