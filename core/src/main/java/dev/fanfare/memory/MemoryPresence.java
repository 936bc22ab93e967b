package dev.fanfare.memory;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.PresenceStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Keeps who is present on the heap. */
final class MemoryPresence implements PresenceStore {

    /*
     * State: the leases by node, and a fixed number of shards over the channels.
     *
     * Threads: thread-safe. Leases have no lock, shards one each, of which at most one is held.
     *
     * Ordering: a lease that a shard has seen ended cannot be renewed any more, so that a node never believes
     * in members that were buried.
     *
     * Bounds: one lease per node, dropped by the first sweep after its end; for shards see there.
     */

    private static final int SHARDS = 32;

    private final Clock clock;
    private final ConcurrentHashMap<String, NodeLease> leases = new ConcurrentHashMap<>();
    private final PresenceShard[] shards = new PresenceShard[SHARDS];
    private final AtomicInteger sweeps = new AtomicInteger();

    MemoryPresence(Clock clock) {
        this.clock = clock;
        for (int i = 0; i < SHARDS; i++) {
            shards[i] = new PresenceShard();
        }
    }

    @Override
    public CompletionStage<Boolean> renew(String node, Duration timeToLive) {
        long now = clock.now();
        long deadline = now + Clock.nanosOf(timeToLive);
        NodeLease fresh = new NodeLease(deadline);
        NodeLease held = leases.compute(
                requireNonNull(node, "node"),
                (name, lease) -> lease != null && lease.renew(now, deadline) ? lease : fresh);
        return CompletableFuture.completedStage(held != fresh);
    }

    @Override
    public CompletionStage<Void> retire(String node) {
        NodeLease lease = leases.remove(node);
        if (lease != null) {
            lease.end(clock.now());
        }
        return CompletableFuture.completedStage(null);
    }

    @Override
    public CompletionStage<Boolean> enter(String node, ChannelId channel, Member member, Duration grace) {
        long now = clock.now();
        NodeLease held = leases.get(node);
        // Without a lease the connection counts as gone at once, and leaves after its grace: a node that is
        // late with its renewal enters its members again in time, and no watcher notices.
        NodeLease lease = held == null ? new NodeLease(now) : held;
        return CompletableFuture.completedStage(
                shard(channel).enter(lease, channel, requireNonNull(member, "member"), Clock.nanosOf(grace), now));
    }

    @Override
    public CompletionStage<Boolean> leave(ChannelId channel, Member member, Duration grace) {
        return CompletableFuture.completedStage(
                shard(channel).leave(channel, member, Clock.nanosOf(grace), clock.now()));
    }

    @Override
    public CompletionStage<List<Departure>> sweep(int limit) {
        long now = clock.now();
        List<Departure> found = new ArrayList<>();
        int first = sweeps.getAndIncrement();
        for (int i = 0; i < SHARDS && found.size() < limit; i++) {
            shards[Math.floorMod(first + i, SHARDS)].sweep(found, limit, now);
        }
        leases.values().removeIf(lease -> lease.hasEnded(now));
        return CompletableFuture.completedStage(List.copyOf(found));
    }

    @Override
    public CompletionStage<PresenceSnapshot> snapshot(ChannelId channel, int limit) {
        return CompletableFuture.completedStage(shard(channel).snapshot(channel, limit, clock.now()));
    }

    private PresenceShard shard(ChannelId channel) {
        int hash = channel.hashCode();
        return shards[(hash ^ hash >>> 8 ^ hash >>> 16) & (SHARDS - 1)];
    }
}
