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
 * @param pingSeconds how often it is pinged; more than 0
 * @param emulated where it sends its commands; null if over the connection itself
 */
record Welcome(
        String client,
        @Nullable Payload data,
        Map<String, SubscriptionStart> subs,
        int pingSeconds,
        @Nullable Emulated emulated) {}
