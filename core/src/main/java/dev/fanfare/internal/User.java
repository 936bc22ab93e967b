package dev.fanfare.internal;

import dev.fanfare.ClientLimits;
import dev.fanfare.spi.TokenBucket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One user's connections on this node, and what they may still do together. It lasts as long as the user has a
 * connection here.
 *
 * <p><i>Threads.</i> Thread-safe; the set is changed only within {@link Clients}' map.
 */
final class User {

    final Set<ClientConnection> connections = ConcurrentHashMap.newKeySet(1);
    final TokenBucket publishes;
    final TokenBucket subscribes;

    User(ClientLimits limits) {
        this.publishes = new TokenBucket(limits.publishesPerUser());
        this.subscribes = new TokenBucket(limits.subscribesPerUser());
    }
}
