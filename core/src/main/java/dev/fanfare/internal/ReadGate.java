package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Lets only so many read the log at a time: when a bus comes back, every topic wants to look at once, when clients come
 * back, every reader wants what it missed, and a store that has just come back too is not to be knocked over.
 *
 * <p><i>State.</i> How many reads are under way, and who waits, first come, first served.
 *
 * <p><i>Threads.</i> Thread-safe. Whoever adds or finishes a read begins those that may begin, one thread at a time;
 * nobody waits for another.
 *
 * <p><i>Bounds.</i> A topic has one comparison and one repair at a time, and a reader one page, so no more wait than there are of those. Each read has its
 * time-out once it has begun.
 */
final class ReadGate {

    private record Waiting(LogRead read, BiConsumer<@Nullable LogPage, @Nullable Throwable> then) {}

    private final int most;
    private final Function<LogRead, CompletionStage<LogPage>> log;
    private final Consumer<ChannelId> delayed;
    private final Queue<Waiting> line = new ConcurrentLinkedQueue<>();
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicInteger calls = new AtomicInteger();

    /**
     * Makes a gate.
     *
     * @param most how many at a time
     * @param log reads
     * @param delayed hears of each read that has to wait
     */
    ReadGate(int most, Function<LogRead, CompletionStage<LogPage>> log, Consumer<ChannelId> delayed) {
        this.most = most;
        this.log = log;
        this.delayed = delayed;
    }

    /** Reads when it is its turn. */
    void read(LogRead read, BiConsumer<@Nullable LogPage, @Nullable Throwable> then) {
        if (underWay.get() >= most) {
            delayed.accept(read.channel());
        }
        line.add(new Waiting(read, then));
        beginWaiting();
    }

    /** Begins reads as far as may be; a read that is answered at once ends up here again, and is left to the loop. */
    private void beginWaiting() {
        if (calls.getAndIncrement() != 0) {
            return;
        }
        int seen = 1;
        while (seen != 0) {
            while (underWay.get() < most && beginNext()) {}
            seen = calls.addAndGet(-seen);
        }
    }

    private boolean beginNext() {
        Waiting next = line.poll();
        if (next == null) {
            return false;
        }
        underWay.incrementAndGet();
        log.apply(next.read).whenComplete((page, failure) -> {
            underWay.decrementAndGet();
            try {
                next.then.accept(page, failure);
            } finally {
                beginWaiting();
            }
        });
        return true;
    }
}
