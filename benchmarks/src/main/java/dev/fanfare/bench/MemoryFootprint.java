package dev.fanfare.bench;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Fanfare;
import dev.fanfare.HistoryQuery;
import dev.fanfare.Payload;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Locale;
import java.util.function.IntFunction;

/**
 * Prints what the memory store keeps on the heap, after collections: for a channel that was published to and whose log is
 * empty by now, and for a retained publication of 128 bytes.
 * The names of channels, of 14 characters, are part of it.
 */
public final class MemoryFootprint {

    private static final int CHANNELS = 200_000;
    private static final int PUBLICATIONS = 1_000;
    private static final Duration SOON = Duration.ofSeconds(1);

    private MemoryFootprint() {}

    /** Measures and prints; takes no arguments. */
    public static void main(String[] args) throws InterruptedException {
        try (Fanfare fanfare = Fanfare.builder()
                .namespace("brief", rules -> rules.retain(100, SOON))
                .namespace("kept", rules -> kept(rules))
                .build()) {
            publish(fanfare, 1_000, 1, i -> "brief:warm" + i);
            publish(fanfare, 10, PUBLICATIONS, i -> "kept:warm" + i);

            long before = usedBytes();
            publish(fanfare, CHANNELS, 1, MemoryFootprint::briefChannel);
            Thread.sleep(2 * SOON.toMillis());
            for (int i = 0; i < CHANNELS; i++) {
                read(fanfare, briefChannel(i));
            }
            tell("idle channel with an empty log", CHANNELS, before);

            before = usedBytes();
            publish(fanfare, 200, PUBLICATIONS, i -> "kept:" + (100_000_000 + i));
            tell("retained publication of 128 B", 200 * PUBLICATIONS, before);
        }
    }

    private static ChannelRules.Builder kept(ChannelRules.Builder rules) {
        return rules.retain(PUBLICATIONS, Duration.ofHours(1));
    }

    private static String briefChannel(int number) {
        return "brief:" + (10_000_000 + number);
    }

    private static void publish(Fanfare fanfare, int channels, int each, IntFunction<String> name) {
        for (int i = 0; i < channels; i++) {
            ChannelId channel = ChannelId.of(name.apply(i));
            for (int j = 0; j < each; j++) {
                fanfare.publish(channel, Payload.wrap(new byte[128]))
                        .toCompletableFuture()
                        .join();
            }
        }
    }

    private static void read(Fanfare fanfare, String channel) {
        fanfare.history(ChannelId.of(channel), HistoryQuery.latest(1))
                .toCompletableFuture()
                .join();
    }

    private static void tell(String what, int count, long before) {
        System.out.printf(Locale.ROOT, "%-32s %6.1f B%n", what, (double) (usedBytes() - before) / count);
    }

    private static long usedBytes() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
