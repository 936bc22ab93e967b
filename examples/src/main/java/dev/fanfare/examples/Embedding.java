package dev.fanfare.examples;

import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.PublishOptions;
import dev.fanfare.StartAt;
import dev.fanfare.Subscription;
import dev.fanfare.netty.NettyTransport;
import java.time.Duration;
import java.util.function.Consumer;

/** The sample that README quotes: Fanfare inside an application, in ten lines. */
final class Embedding {

    private Embedding() {}

    static Server start(int port, Consumer<String> log) {
        // README: begin
        Fanfare fanfare = Fanfare.builder()
                .namespace(
                        "chat",
                        rules -> rules.retain(50_000, Duration.ofDays(30)).presence())
                .authorizer(Authorizer.allowAll()) // who may do what: your rules
                .build();
        NettyTransport transport = NettyTransport.builder(fanfare)
                .port(port) // WebSocket and EventSource; apiKey(…) adds the API
                .authenticator(Authenticator.anonymous()) // who is who: your tokens
                .start();

        Subscription lobby = fanfare.subscribe(
                ChannelId.of("chat:lobby"),
                StartAt.latest(50),
                publication -> log.accept(publication.data().text()));
        fanfare.publish("chat:lobby", "{\"text\":\"hello\"}", PublishOptions.dedupKey("order-42"))
                .thenAccept(result -> log.accept(lobby.channel() + ": " + result));
        // README: end
        return new Server(fanfare, transport);
    }
}
