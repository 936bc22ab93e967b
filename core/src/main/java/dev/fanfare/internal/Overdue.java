package dev.fanfare.internal;

import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a store would not take, and is offered again until it does: every so often any one of it, and if the store takes that,
 * the rest too.
 *
 * <p><i>State.</i> A value per key. At rest while there is none; else waiting for the next round, or in one.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Bounds.</i> One round at a time, with {@link #AT_ONCE} calls under way, so that a store that is just back is not run
 * over. Who adds keys bounds how many there are.
 */
final class Overdue<K, V> {

    private static final int AT_ONCE = 64;

    private final TimeSource time;
    private final Duration pause;
    private final BiFunction<K, V, ? extends CompletionStage<?>> call;
    private final Map<K, Item<V>> items = new ConcurrentHashMap<>();
    private final AtomicBoolean isGoingOn = new AtomicBoolean();
    private volatile boolean isClosed;

    /** Compared by identity: what is added again while it is under way is still to be done. */
    private static final class Item<V> {
        final V value;

        Item(V value) {
            this.value = value;
        }
    }

    /**
     * Makes one.
     *
     * @param pause between rounds
     * @param call offers a value again; it fails, or it is done
     */
    Overdue(TimeSource time, Duration pause, BiFunction<K, V, ? extends CompletionStage<?>> call) {
        this.time = time;
        this.pause = pause;
        this.call = call;
    }

    /** Adds what has just failed, in place of what there was for that key. */
    void add(K key, V value) {
        items.put(key, new Item<>(value));
        tryLater();
    }

    /** Adds what is due now. */
    void addAll(Map<K, V> values) {
        values.forEach((key, value) -> items.put(key, new Item<>(value)));
        if (!isClosed && isGoingOn.compareAndSet(false, true)) {
            tryOne();
        }
    }

    /** Takes out what there is for a key. */
    @Nullable
    V remove(K key) {
        Item<V> item = items.remove(key);
        return item == null ? null : item.value;
    }

    boolean contains(K key) {
        return items.containsKey(key);
    }

    int size() {
        return items.size();
    }

    private void tryLater() {
        if (!isClosed && isGoingOn.compareAndSet(false, true)) {
            time.schedule(pause, this::tryOne);
        }
    }

    /** Offers one: not always the same, since a part of the store may be back before others. */
    private void tryOne() {
        List<K> keys = List.copyOf(items.keySet());
        CompletionStage<Void> round = keys.isEmpty()
                ? CompletableFuture.completedStage(null)
                : again(keys.get(ThreadLocalRandom.current().nextInt(keys.size())))
                        .thenCompose(taken -> tryRest());
        round.whenComplete((done, failure) -> {
            isGoingOn.set(false);
            if (!items.isEmpty()) {
                tryLater();
            }
        });
    }

    private CompletionStage<Void> tryRest() {
        List<K> keys = List.copyOf(items.keySet());
        return CompletableFuture.allOf(
                new Spread<>(keys, AT_ONCE, this::again).begin().values().toArray(CompletableFuture[]::new));
    }

    private CompletionStage<Void> again(K key) {
        Item<V> item = items.get(key);
        return item == null
                ? CompletableFuture.completedStage(null)
                : call.apply(key, item.value).thenAccept(taken -> items.remove(key, item));
    }

    /** Gives up what there is. */
    void close() {
        isClosed = true;
        items.clear();
    }
}
