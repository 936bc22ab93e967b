package dev.fanfare.internal;

import dev.fanfare.UnsubscribeReason;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What the host runs in this process: subscriptions, workers, caches; and the loops on which subscribers are called.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Bounds.</i> As many as the host begins and does not close.
 */
final class InProcess {

    private final SerialLoop[] loops;
    private final AtomicInteger nextLoop = new AtomicInteger();
    private final Set<LocalSubscription> subscriptions = ConcurrentHashMap.newKeySet();
    private final Set<MatchingSubscription> matching = ConcurrentHashMap.newKeySet();
    private final Set<JobRunner> runners = ConcurrentHashMap.newKeySet();
    private final Set<CachedStates> caches = ConcurrentHashMap.newKeySet();

    InProcess(Calls calls) {
        this.loops = new SerialLoop[Runtime.getRuntime().availableProcessors()];
        for (int i = 0; i < loops.length; i++) {
            loops[i] = new SerialLoop(calls);
        }
    }

    /** Returns the loop for the next subscription. */
    Executor nextLoop() {
        return loops[Math.floorMod(nextLoop.getAndIncrement(), loops.length)];
    }

    void add(LocalSubscription subscription) {
        subscriptions.add(subscription);
    }

    void add(MatchingSubscription subscription) {
        matching.add(subscription);
    }

    void add(JobRunner runner) {
        runners.add(runner);
    }

    void add(CachedStates cache) {
        caches.add(cache);
    }

    void forget(LocalSubscription subscription) {
        subscriptions.remove(subscription);
    }

    void forget(MatchingSubscription subscription) {
        matching.remove(subscription);
    }

    void forget(JobRunner runner) {
        runners.remove(runner);
    }

    void forget(CachedStates cache) {
        caches.remove(cache);
    }

    /** Ends everything; subscribers are told on their loops. */
    void endAll() {
        subscriptions.forEach(subscription -> subscription.end(UnsubscribeReason.SHUTDOWN));
        matching.forEach(subscription -> subscription.end(UnsubscribeReason.SHUTDOWN));
        runners.forEach(JobRunner::close);
        caches.forEach(CachedStates::close);
    }

    /** Tells whether all subscribers were told of their end. */
    boolean isOver() {
        return subscriptions.isEmpty() && matching.isEmpty();
    }
}
