package dev.fanfare.examples;

import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelRules;
import dev.fanfare.Fanfare;
import dev.fanfare.netty.NettyTransport;
import java.time.Duration;

/**
 * What the test suites of the published Centrifuge SDKs expect to find: their namespaces, their secrets, and
 * nobody who forbids anything.
 */
final class InteropServer {

    private static final Duration FIVE_MINUTES = Duration.ofMinutes(5);

    private InteropServer() {}

    static Server start(String host, int port) {
        Fanfare fanfare = Fanfare.builder()
                .namespace("", InteropServer::withoutNamespace)
                .namespace("recovery", rules -> rules.retain(100, FIVE_MINUTES).binary())
                .namespace("smallhistory", rules -> rules.retain(2, FIVE_MINUTES).binary())
                .namespace("delta", rules -> rules.retain(100, FIVE_MINUTES).binary())
                .authorizer(Authorizer.allowAll())
                .build();
        return DemoServer.listening(
                fanfare,
                () -> NettyTransport.builder(fanfare)
                        .host(host)
                        .port(port)
                        .authenticator(Authenticator.anonymous())
                        .openApi()
                        .allowedOrigins("*")
                        .start());
    }

    /** Retained, with presence, and joins and leaves for everybody, at once: no suite waits for a grace period. */
    private static ChannelRules.Builder withoutNamespace(ChannelRules.Builder rules) {
        return rules.retain(100, FIVE_MINUTES).binary().presenceForAll().presenceGrace(Duration.ZERO);
    }
}
