package dev.fanfare.internal;

import dev.fanfare.ClientLimits;
import dev.fanfare.spi.TimeSource;
import dev.fanfare.spi.TokenBucket;
import org.jspecify.annotations.Nullable;

/**
 * What one connection may still do in how short a time, by itself and as one of its user's.
 *
 * <p><i>Threads.</i> Confined to the connection's loop; the user's part is shared and thread-safe.
 */
final class Allowance {

    private final ClientLimits limits;
    private final TimeSource time;
    private final @Nullable User user;
    private @Nullable TokenBucket publishes;
    private @Nullable TokenBucket subscribes;
    private @Nullable TokenBucket requests;

    Allowance(ClientLimits limits, TimeSource time, @Nullable User user) {
        this.limits = limits;
        this.time = time;
        this.user = user;
    }

    boolean mayPublish() {
        if (publishes == null) {
            publishes = new TokenBucket(limits.publishes());
        }
        long now = time.nanos();
        return publishes.tryTake(now) && (user == null || user.publishes.tryTake(now));
    }

    boolean maySubscribe() {
        if (subscribes == null) {
            subscribes = new TokenBucket(limits.subscribes());
        }
        long now = time.nanos();
        return subscribes.tryTake(now) && (user == null || user.subscribes.tryTake(now));
    }

    /** Tells whether it may read or call once more: history, presence, rpc. */
    boolean mayRequest() {
        if (requests == null) {
            requests = new TokenBucket(limits.requests());
        }
        long now = time.nanos();
        return requests.tryTake(now) && (user == null || user.requests.tryTake(now));
    }
}
