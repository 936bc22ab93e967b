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
 * Reads the log for the readers of one topic: those who want the same part at the same time share one
 * read.
 *
 * <p><i>Threads.</i> Confined to the topic's stripe; answers go to the asker's loop.
 *
 * <p><i>Bounds.</i> One entry per different read under way, at most one per reader.
 */
final class Reads {

    private record Asker(LoopQueue queue, BiConsumer<@Nullable LogPage, @Nullable Throwable> then) {}

    private final Hub hub;
    private final Stripe stripe;
    private final Map<LogRead, List<Asker>> underWay = new HashMap<>(1);

    Reads(Hub hub, Stripe stripe) {
        this.hub = hub;
        this.stripe = stripe;
    }

    void read(LogRead read, LoopQueue queue, BiConsumer<@Nullable LogPage, @Nullable Throwable> then) {
        stripe.execute(() -> {
            List<Asker> askers = underWay.get(read);
            if (askers != null) {
                askers.add(new Asker(queue, then));
                return;
            }
            askers = new ArrayList<>(1);
            askers.add(new Asker(queue, then));
            underWay.put(read, askers);
            hub.read(read).whenComplete((page, failure) -> stripe.execute(() -> answer(read, page, failure)));
        });
    }

    private void answer(LogRead read, @Nullable LogPage page, @Nullable Throwable failure) {
        List<Asker> askers = underWay.remove(read);
        if (askers != null) {
            askers.forEach(asker -> asker.queue.add(() -> asker.then.accept(page, failure)));
        }
    }
}
