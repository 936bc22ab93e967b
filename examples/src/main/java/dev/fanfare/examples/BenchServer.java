package dev.fanfare.examples;

import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.Fanfare;
import dev.fanfare.netty.NettyTransport;
import java.time.Duration;

/** What the load harness measures: the library as it is, with everything allowed. */
final class BenchServer {

    private BenchServer() {}

    static Server start(String host, int port) {
        Fanfare fanfare = Fanfare.builder()
                .namespace("bench", rules -> rules.retain(100, Duration.ofMinutes(5)))
                .namespace("plain", rules -> rules)
                .authorizer(Authorizer.allowAll())
                .build();
        return DemoServer.listening(
                fanfare,
                () -> NettyTransport.builder(fanfare)
                        .host(host)
                        .port(port)
                        .authenticator(Authenticator.anonymous())
                        .openApi()
                        .start());
    }
}
