package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authenticator;
import dev.fanfare.netty.connection.AllowedOrigins;
import dev.fanfare.netty.connection.TransportSettings;
import dev.fanfare.spi.FrameEncoder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who shares what is encoded. A publication is encoded once per encoder, as {@code FanOutTest} has it, so it is compressed
 * once if all connections that compress have the same.
 */
class SharedFramesTest {

    private static final String OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";

    private final TransportSettings settings = new TransportSettings(
            Duration.ofSeconds(25),
            Duration.ofSeconds(8),
            Duration.ofSeconds(10),
            65_536,
            AllowedOrigins.sameHost(),
            true);
    private final List<EmbeddedClient> clients = new ArrayList<>();

    @AfterEach
    void close() {
        clients.forEach(EmbeddedClient::close);
    }

    private FrameEncoder encoder(String query, String... headers) {
        EmbeddedClient client = clients.isEmpty()
                ? EmbeddedClient.http(Authenticator.anonymous(), settings)
                : clients.get(0).another();
        clients.add(client);
        client.request(EmbeddedClient.handshake("/connection/websocket" + query, headers));
        boolean isProtobuf = !query.isEmpty();
        client.write(EmbeddedClient.frame(
                isProtobuf ? 0x82 : 0x81,
                (isProtobuf ? Wire.PROTOBUF : Wire.JSON).encode(List.of("{\"id\":1,\"connect\":{}}"))));
        return client.connection().outlet.encoder();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "?format=protobuf"})
    void allConnectionsThatCompressHaveOneEncoderAndTheOthersAnother(String query) {
        FrameEncoder compressing = encoder(query, OFFER);

        assertThat(encoder(query, OFFER)).isSameAs(compressing);
        assertThat(encoder(query)).isNotSameAs(compressing).isSameAs(encoder(query));
    }
}
