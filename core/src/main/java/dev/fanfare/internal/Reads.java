package dev.fanfare.internal;

import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the log for the readers of one topic: those who want the same part share one read. Who asks while
 * that read is under way shares the next one, because what it needs may be younger than the first read.
 *
 * <p><i>Threads.</i> Confined to the topic's stripe; answers go to the asker's loop.
 *
 * <p><i>Bounds.</i> One entry per different read under way, at most one per reader.
 */
final class Reads {

    private record Asker(LoopQueue queue, BiConsumer<@Nullable LogPage, @Nullable Throwable> then) {}

    private final Hub hub;
    private final Stripe stripe;
    /** Who waits for the next read, by the read that is under way. */
    private final Map<LogRead, List<Asker>> next = new HashMap<>(1);

    Reads(Hub hub, Stripe stripe) {
        this.hub = hub;
        this.stripe = stripe;
    }

    void read(LogRead read, LoopQueue queue, BiConsumer<@Nullable LogPage, @Nullable Throwable> then) {
        stripe.execute(() -> {
            Asker asker = new Asker(queue, then);
            List<Asker> waiting = next.get(read);
            if (waiting == null) {
                begin(read, List.of(asker));
            } else {
                waiting.add(asker);
            }
        });
    }

    private void begin(LogRead read, List<Asker> askers) {
        next.put(read, new ArrayList<>(0));
        hub.readForReaders(read, (page, failure) -> stripe.execute(() -> answer(read, askers, page, failure)));
    }

    private void answer(LogRead read, List<Asker> askers, @Nullable LogPage page, @Nullable Throwable failure) {
        List<Asker> waiting = next.remove(read);
        askers.forEach(asker -> asker.queue.add(() -> asker.then.accept(page, failure)));
        if (waiting != null && !waiting.isEmpty()) {
            begin(read, waiting);
        }
    }
}
