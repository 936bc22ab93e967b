package dev.fanfare.examples;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishResult;
import dev.fanfare.StateCache;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How far batches are: a page shows the state, and follows its channel from there. However many open it, the state is loaded
 * once per change.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class BatchProgress implements AutoCloseable {

    /** Stands for a table in the host's database. */
    private final Map<ChannelId, Integer> done = new ConcurrentHashMap<>();

    private final Fanfare fanfare;
    private final StateCache progress;

    BatchProgress(Fanfare fanfare) {
        this.fanfare = fanfare;
        this.progress = fanfare.stateCache("progress", this::load).start();
    }

    private CompletionStage<Payload> load(ChannelId batch) {
        return CompletableFuture.supplyAsync(() -> progress(done.getOrDefault(batch, 0)));
    }

    private static Payload progress(int count) {
        return Payload.of("{\"done\":" + count + "}");
    }

    // README: begin
    CompletionStage<PublishResult> advance(ChannelId batch) {
        int now = done.merge(batch, 1, Integer::sum); // first the state, then those who follow it
        return fanfare.publish(batch, progress(now));
    }

    CompletionStage<String> page(ChannelId batch) { // then the page opens /sse?channel=…&cursor=…
        return progress.latest(batch)
                .thenApply(at -> "{\"state\":" + at.state().text() + ",\"cursor\":\"" + at.cursor() + "\"}");
    }
    // README: end

    /** Returns how often states were asked for, and from where they came. */
    StateCache.Counts counts() {
        return progress.counts();
    }

    @Override
    public void close() {
        progress.close();
    }
}
