package dev.fanfare.internal;

import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ClientLimits;
import dev.fanfare.FanfareListener;
import dev.fanfare.RpcHandler;
import dev.fanfare.SubscriptionAuthenticator;
import dev.fanfare.spi.Store;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** What the host asked for; null stands for the default. */
public record Settings(
        Map<String, ChannelRules> namespaces,
        @Nullable Store store,
        StoreParts parts,
        @Nullable Authorizer authorizer,
        @Nullable SubscriptionAuthenticator subscriptionAuthenticator,
        @Nullable RpcHandler rpcHandler,
        RpcHandler.@Nullable MessageHandler messageHandler,
        List<FanfareListener> listeners,
        @Nullable Executor hostExecutor,
        @Nullable TimeSource timeSource,
        int maxChannelsPerConnection,
        int repairReads,
        Duration presenceLease,
        ClientLimits limits) {

    @Nullable
    ChannelRules rules(ChannelId channel) {
        return namespaces.get(channel.namespace());
    }
}
