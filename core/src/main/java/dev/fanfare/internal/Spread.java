package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.PublishResult;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * Publishes to many channels, {@link #AT_ONCE} at a time: a store that pipelines gets pipelines of that length.
 *
 * <p><i>Threads.</i> Thread-safe. Whoever finds nobody at it goes on with the channels that are left.
 *
 * <p><i>Bounds.</i> So many publishes under way; the host gave the list of the others.
 */
final class Spread {

    static final int AT_ONCE = 500;

    private final Map<ChannelId, CompletableFuture<PublishResult>> outcomes = new LinkedHashMap<>();
    private final Iterator<Map.Entry<ChannelId, CompletableFuture<PublishResult>>> rest;
    private final Function<ChannelId, CompletionStage<PublishResult>> publish;
    private final AtomicInteger places = new AtomicInteger(AT_ONCE);
    private final AtomicInteger calls = new AtomicInteger();

    Spread(Collection<ChannelId> channels, Function<ChannelId, CompletionStage<PublishResult>> publish) {
        channels.forEach(channel -> outcomes.put(channel, new CompletableFuture<>()));
        this.rest = outcomes.entrySet().iterator();
        this.publish = publish;
    }

    /** Begins; returns what will become of each. */
    Map<ChannelId, CompletableFuture<PublishResult>> begin() {
        goOn();
        return Collections.unmodifiableMap(outcomes);
    }

    private void goOn() {
        int seen = calls.incrementAndGet();
        if (seen > 1) {
            return;
        }
        while (seen > 0) {
            while (places.get() > 0 && rest.hasNext()) {
                places.decrementAndGet();
                next(rest.next());
            }
            seen = calls.addAndGet(-seen);
        }
    }

    private void next(Map.Entry<ChannelId, CompletableFuture<PublishResult>> entry) {
        CompletableFuture<PublishResult> outcome = entry.getValue();
        CompletionStage<PublishResult> asked;
        try {
            asked = publish.apply(entry.getKey());
        } catch (RuntimeException closed) {
            asked = CompletableFuture.failedFuture(closed);
        }
        asked.whenComplete((result, failure) -> {
            places.incrementAndGet();
            goOn();
            if (failure == null) {
                outcome.complete(result);
            } else {
                outcome.completeExceptionally(failure);
            }
        });
    }
}
