package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fanfare.Authenticator;
import dev.fanfare.Fanfare;
import dev.fanfare.netty.connection.AllowedOrigins;
import dev.fanfare.netty.connection.TransportSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What E1 and E10 of the conformance list say of pings and of time, of which some has to pass here. */
@ParameterizedClass
@EnumSource(Wire.class)
class PulseConformanceTest {

    private static final int PING_FRAME = 0x89;
    private static final int PONG_FRAME = 0x8A;

    private final Wire wire;
    private final Fanfare fanfare = Fanfare.builder().build();
    private final WireServer server = new WireServer(
            fanfare,
            Authenticator.anonymous(),
            new TransportSettings(
                    Duration.ofMillis(800),
                    Duration.ofMillis(700),
                    Duration.ofSeconds(1),
                    65_536,
                    AllowedOrigins.sameHost()));
    private final List<ProtocolClient> clients = new ArrayList<>();

    PulseConformanceTest(Wire wire) {
        this.wire = wire;
    }

    @AfterEach
    void close() {
        clients.forEach(ProtocolClient::close);
        fanfare.close();
        server.close();
    }

    private ProtocolClient open(String query) {
        ProtocolClient client = new ProtocolClient(server.port(), wire, query);
        clients.add(client);
        return client;
    }

    @Test
    void aPingIsAnsweredOnceInTimeAndAConnectComesInTimeToo() {
        ProtocolClient stale = open("");
        ProtocolClient silent = open("");
        silent.connect("");
        ProtocolClient eager = open("");
        JsonNode welcome = eager.connect("").path("connect");
        assertThat(welcome.path("ping").asInt()).isEqualTo(1);
        assertThat(welcome.path("pong").asBoolean()).isTrue();

        assertThat(eager.next()).isEmpty();
        eager.send("{}");
        assertThat(eager.next()).isEmpty();
        eager.send("{}");
        eager.send("{}");

        assertThat(eager.closeCode()).isEqualTo(3501);
        assertThat(silent.closeCode()).isEqualTo(3012);
        assertThat(stale.closeCode()).isEqualTo(3502);
    }

    @Test
    void whoAsksForItIsPingedByFramesAndToldOfNoOtherPings() {
        ProtocolClient client = open("?cf_ws_frame_ping_pong=true");
        JsonNode welcome = client.connect("").path("connect");
        assertThat(welcome.has("ping")).isFalse();
        assertThat(welcome.has("pong")).isFalse();

        assertThat(client.frame().firstOctet()).isEqualTo(PING_FRAME);
        client.sendFrame(PONG_FRAME);
        client.sendFrame(PONG_FRAME); // unasked, which WebSocket allows
        assertThat(client.frame().firstOctet()).isEqualTo(PING_FRAME);

        assertThat(client.closeCode()).isEqualTo(3012);
    }
}
