package dev.fanfare.netty.centrifuge;

import dev.fanfare.Payload;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a client learns when it has connected.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param client the id of its connection
 * @param data from the host, for the client alone
 * @param subs how the subscriptions begin that the server made, by channel
 * @param pingSeconds how often it is pinged by messages; 0 if it is not
 * @param ttlSeconds how soon the client must have shown a new token; 0 if it need not
 * @param emulated where it sends its commands; null if over the connection itself
 */
record Welcome(
        String client,
        @Nullable Payload data,
        Map<String, SubscriptionStart> subs,
        int pingSeconds,
        int ttlSeconds,
        @Nullable Emulated emulated) {

    Welcome withoutPings() {
        return new Welcome(client, data, subs, 0, ttlSeconds, emulated);
    }
}
