package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Authenticator;
import dev.fanfare.netty.connection.AllowedOrigins;
import dev.fanfare.netty.connection.TransportSettings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CentrifugeUpgradeTest {

    private static final String PATH = "/connection/websocket";

    private EmbeddedClient client = EmbeddedClient.http(
            Authenticator.anonymous(),
            new TransportSettings(
                    Duration.ofSeconds(25),
                    Duration.ofSeconds(8),
                    Duration.ofSeconds(10),
                    65_536,
                    AllowedOrigins.of(List.of("https://*.friend.example"))));

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void answersTheHandshakeOfTheRfc() {
        String answer = client.request(EmbeddedClient.handshake(PATH));

        assertThat(answer)
                .isEqualTo("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    }

    @Test
    void leavesNothingOfHttpInThePipeline() {
        client.request(EmbeddedClient.handshake(PATH));

        assertThat(client.channel.pipeline().toMap().values())
                .hasExactlyElementsOfTypes(WebSocket13FrameDecoder.class, FrameHandler.class);
    }

    @Test
    void hearsWhatTheClientSentTogetherWithTheHandshake() {
        ByteBuf early = EmbeddedClient.frame(0x81, "{\"connect\":{},\"id\":1}".getBytes(UTF_8));
        ByteBuf both = Unpooled.wrappedBuffer(Unpooled.copiedBuffer(EmbeddedClient.handshake(PATH), US_ASCII), early);

        client.request(ByteBufUtil.getBytes(both));

        assertThat(client.texts()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "centrifuge-protobuf | centrifuge-protobuf | true",
                "centrifuge-json | centrifuge-json | false",
                "chat, centrifuge-json ,centrifuge-protobuf | centrifuge-json | false"
            })
    void echoesTheFirstSubprotocolThatItSpeaks(String offered, String echoed, boolean isProtobuf) {
        String answer = client.request(EmbeddedClient.handshake(PATH, "Sec-WebSocket-Protocol: " + offered));

        assertThat(answer).contains("\r\nSec-WebSocket-Protocol: " + echoed + "\r\n");
        assertSpeaks(isProtobuf);
    }

    @ParameterizedTest
    @CsvSource({"?format=protobuf,true", "?a=b&cf_protocol=protobuf,true", "?format=json,false", "'',false"})
    void choosesTheFormatByQueryAndEchoesNothing(String query, boolean isProtobuf) {
        String answer = client.request(EmbeddedClient.handshake(PATH + query));

        assertThat(answer).doesNotContain("Sec-WebSocket-Protocol");
        assertSpeaks(isProtobuf);
    }

    @Test
    void echoesNoSubprotocolThatItDoesNotSpeak() {
        assertThat(client.request(EmbeddedClient.handshake(PATH, "Sec-WebSocket-Protocol: chat")))
                .startsWith("HTTP/1.1 101 ")
                .doesNotContain("Sec-WebSocket-Protocol");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://server.example", "https://SERVER.example", "https://a.friend.example"})
    void allowsPagesOfItsOwnHostAndOfFriends(String origin) {
        assertThat(client.request(EmbeddedClient.handshake(PATH, "Origin: " + origin)))
                .startsWith("HTTP/1.1 101 ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://evil.example",
                "http://server.example:8080",
                "http://server.example.evil.example",
                "http://a.friend.example",
                "https://friend.example",
                "null",
                "%"
            })
    void refusesPagesOfOthers(String origin) {
        assertRefused(EmbeddedClient.handshake(PATH, "Origin: " + origin), "403");
    }

    @Test
    void refusesWhatIsNoHandshake() {
        assertRefused("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "426");
    }

    @Test
    void refusesOtherVersions() {
        String refusal = assertRefused(EmbeddedClient.handshake(PATH).replace("Version: 13", "Version: 8"), "426");
        assertThat(refusal).contains("\r\nSec-WebSocket-Version: 13\r\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Sec-WebSocket-Key: | X-Key: ",
                "dGhlIHNhbXBsZSBub25jZQ== | dGhlIHNhbXBsZSBub25jZQ",
                "dGhlIHNhbXBsZSBub25jZQ== | c2hvcnQ=",
                "dGhlIHNhbXBsZSBub25jZQ== | %%%",
                "HTTP/1.1 | HTTP/1.0",
                "GET | PUT",
                "websocket HTTP | websocket?a=%zz HTTP"
            })
    void refusesMalformedHandshakes(String good, String bad) {
        assertRefused(EmbeddedClient.handshake(PATH).replace(good, bad), "400");
    }

    @CanIgnoreReturnValue
    private String assertRefused(String request, String status) {
        String answer = client.request(request);
        assertThat(answer).startsWith("HTTP/1.1 " + status + " ").contains("\r\nConnection: close\r\n");
        assertThat(client.channel.isOpen()).isFalse();
        return answer;
    }

    private void assertSpeaks(boolean isProtobuf) {
        byte[] connect = isProtobuf ? new byte[] {4, 8, 1, 0x22, 0} : "{\"id\":1,\"connect\":{}}".getBytes(UTF_8);
        client.write(EmbeddedClient.frame(isProtobuf ? 0x82 : 0x81, connect));

        assertThat(client.frames())
                .singleElement()
                .satisfies(reply -> assertThat(reply.firstOctet()).isEqualTo(isProtobuf ? 0x82 : 0x81));
    }
}
