package dev.fanfare.internal;

import dev.fanfare.ClientLimits;
import dev.fanfare.spi.TokenBucket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One user's connections on this node, and what they may still do together. It lasts as long as the user has a
 * connection here, and until it tells nothing any more: closing a connection gives back nothing that was used up.
 *
 * <p><i>Threads.</i> Thread-safe; the set is changed only within {@link Clients}' map.
 */
final class User {

    final Set<ClientConnection> connections = ConcurrentHashMap.newKeySet(1);
    final TokenBucket publishes;
    final TokenBucket subscribes;
    final TokenBucket requests;
    /** Whether somebody will come to look if this can go. */
    final AtomicBoolean isToBeForgotten = new AtomicBoolean();
    /** Whether it is counted among those without a connection; changed only within the map. */
    boolean isGone;

    User(ClientLimits limits) {
        this.publishes = new TokenBucket(limits.publishesPerUser());
        this.subscribes = new TokenBucket(limits.subscribesPerUser());
        this.requests = new TokenBucket(limits.requestsPerUser());
    }

    /** Returns in how many nanoseconds this user may do as much as one who was never here. */
    long nanosUntilFull(long nanos) {
        return Math.max(
                requests.nanosUntilFull(nanos),
                Math.max(publishes.nanosUntilFull(nanos), subscribes.nanosUntilFull(nanos)));
    }
}
