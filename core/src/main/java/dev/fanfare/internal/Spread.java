package dev.fanfare.internal;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
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
 * Does the same for many keys, channels mostly, so many at a time: a store that pipelines gets pipelines of that length.
 *
 * <p><i>Threads.</i> Thread-safe. Whoever finds nobody at it goes on with the keys that are left.
 *
 * <p><i>Bounds.</i> So many calls under way; whoever asked gave the list of the others.
 */
final class Spread<K, T> {

    private final Map<K, CompletableFuture<T>> outcomes = new LinkedHashMap<>();
    private final Iterator<Map.Entry<K, CompletableFuture<T>>> rest;
    private final Function<K, CompletionStage<T>> call;
    private final AtomicInteger places;
    private final AtomicInteger calls = new AtomicInteger();

    Spread(Collection<K> keys, int atOnce, Function<K, CompletionStage<T>> call) {
        keys.forEach(key -> outcomes.put(key, new CompletableFuture<>()));
        this.rest = outcomes.entrySet().iterator();
        this.places = new AtomicInteger(atOnce);
        this.call = call;
    }

    /** Begins; returns what will become of each. */
    @CanIgnoreReturnValue
    Map<K, CompletableFuture<T>> begin() {
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

    private void next(Map.Entry<K, CompletableFuture<T>> entry) {
        CompletableFuture<T> outcome = entry.getValue();
        CompletionStage<T> asked;
        try {
            asked = call.apply(entry.getKey());
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
