package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ClientLimits;
import dev.fanfare.Fanfare;
import dev.fanfare.netty.NettyTransport;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Clients that ask for much at once, before anything of it is decided. */
class PipeliningTest {

    private static final int UNDER_WAY = 64;
    private static final int HELD = 256;
    private static final int CHANNELS = 128;
    private static final int MANY = 10_000;

    private static String subscribe(int i) {
        return "{\"id\":" + (i + 2) + ",\"subscribe\":{\"channel\":\"" + i + "\"}}";
    }

    @Test
    void ofTenThousandSubscribesOnlySoManyAreReadBeforeOthersAreAnswered() {
        try (EmbeddedClient client = EmbeddedClient.connected()) {
            int sent = 0;
            while (sent < MANY && client.channel.config().isAutoRead()) {
                client.send(subscribe(sent++));
            }

            assertThat(sent).isEqualTo(UNDER_WAY + HELD + 1);
            assertThat(client.connection().calls).hasSize(UNDER_WAY);
        }
    }

    @Test
    void manySmallCommandsInFewMessagesMayNotWaitForEver() {
        try (EmbeddedClient client = EmbeddedClient.connected()) {
            String message = "{\"id\":2,\"rpc\":{}}\n".repeat(3000);

            client.send(message);
            assertThat(client.frames()).as("what was read is not thrown away").isEmpty();
            client.send(message);

            client.assertClosed(3013);
        }
    }

    @Test
    void tenThousandSubscribesAreAllAnsweredAndNoMoreChannelsAreAskedForThanMayBe() {
        AllAsked authorizer = new AllAsked();
        Fanfare fanfare = Fanfare.builder()
                .authorizer(authorizer)
                .limits(ClientLimits.unlimited())
                .build();
        try (NettyTransport transport = NettyTransport.builder(fanfare)
                        .host("127.0.0.1")
                        .port(0)
                        .start();
                SocketClient client = SocketClient.connected(transport.port())) {
            CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
                for (int i = 0; i < MANY; i++) {
                    client.send(subscribe(i));
                }
            });

            List<String> replies =
                    IntStream.range(0, MANY).mapToObj(i -> client.next()).collect(Collectors.toUnmodifiableList());
            sending.join();
            assertThat(authorizer.asked).hasValue(CHANNELS);
            assertThat(replies)
                    .filteredOn(reply -> reply.contains("\"subscribe\":{"))
                    .hasSize(CHANNELS);
            assertThat(replies)
                    .filteredOn(reply -> reply.contains("\"code\":106"))
                    .hasSize(MANY - CHANNELS);
        } finally {
            fanfare.close();
        }
    }
}
