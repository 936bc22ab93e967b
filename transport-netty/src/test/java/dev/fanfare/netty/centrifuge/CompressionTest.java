package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.netty.NettyTransport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** WebSocket messages that are compressed, each for itself. */
class CompressionTest {

    private static final int TEXT = 0x81;
    private static final int COMPRESSED_TEXT = 0xc1;
    private static final String OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
    private static final Deflate DEFLATE = new Deflate();
    private static final String LONG = "{\"text\":\"" + "all work and no play ".repeat(100) + "\"}";

    private final Fanfare fanfare = Fanfare.builder()
            .namespace("", rules -> rules.maxMessageBytes(256 * 1024))
            .authorizer(Authorizer.allowAll())
            .build();
    private final List<SocketClient> clients = new ArrayList<>();
    private NettyTransport transport = NettyTransport.builder(fanfare)
            .host("127.0.0.1")
            .port(0)
            .compression()
            .start();

    @AfterEach
    void close() {
        clients.forEach(SocketClient::close);
        fanfare.close();
        transport.close();
    }

    @Test
    void largerPublicationsAreCompressedForThoseWhoCan() throws Exception {
        SocketClient can = subscribed(OFFER);
        SocketClient cannot = subscribed("X-Nothing: offered");

        publish(LONG);

        EmbeddedClient.Received compressed = can.frame();
        assertThat(compressed.firstOctet()).isEqualTo(COMPRESSED_TEXT);
        assertThat(compressed.payload()).hasSizeLessThan(LONG.length() / 10);
        assertThat(new String(DEFLATE.inflate(compressed.payload(), 100_000), UTF_8))
                .contains(LONG);
        EmbeddedClient.Received plain = cannot.frame();
        assertThat(plain.firstOctet()).isEqualTo(TEXT);
        assertThat(plain.text()).contains(LONG);
    }

    @Test
    void theAnswerPromisesThatEveryMessageStandsForItself() {
        assertThat(open(OFFER).answer())
                .contains("Sec-WebSocket-Extensions: permessage-deflate; "
                        + "server_no_context_takeover; client_no_context_takeover");
    }

    @Test
    void smallMessagesAreNotCompressed() {
        SocketClient client = subscribed(OFFER);

        publish("{\"n\":1}");

        assertThat(client.frame().firstOctet()).isEqualTo(TEXT);
    }

    @Test
    void whatCompressionDoesNotShortenIsLeftAsItIs() throws Exception {
        byte[] noise = new byte[600];
        new Random(1).nextBytes(noise);

        assertThat(DEFLATE.compress(noise, noise.length)).isNull();
        for (int length = 1; length < 600; length++) {
            byte[] shorter = DEFLATE.compress(new byte[length], length);
            assertThat(shorter == null ? new byte[length] : DEFLATE.inflate(shorter, length))
                    .isEqualTo(new byte[length]);
        }
    }

    @Test
    void compressedCommandsAreTaken() {
        SocketClient client = open(OFFER);

        client.sendFrame(COMPRESSED_TEXT, compressed("{\"id\":1,\"connect\":{}}" + " ".repeat(500)));

        assertThat(client.next()).startsWith("{\"id\":1,\"connect\":");
    }

    @Test
    void compressedCommandsMayComeInFragments() {
        SocketClient client = open(OFFER);
        byte[] whole = compressed("{\"id\":1,\"connect\":{}}" + " ".repeat(500));

        client.sendFrame(0x41, Arrays.copyOf(whole, 5));
        client.sendFrame(0x80, Arrays.copyOfRange(whole, 5, whole.length));

        assertThat(client.next()).startsWith("{\"id\":1,\"connect\":");
    }

    @Test
    void aMessageThatInflatesBeyondTheLimitIsTooBig() {
        SocketClient client = open(OFFER);
        byte[] bomb = compressed(" ".repeat(10_000_000));
        assertThat(bomb).hasSizeLessThan(64 * 1024);

        client.sendFrame(COMPRESSED_TEXT, bomb);

        client.assertClosed(1009);
    }

    @Test
    void aMessageOfJustTheLimitIsTaken() {
        SocketClient client = open(OFFER);
        String connect = "{\"id\":1,\"connect\":{}}";

        client.sendFrame(COMPRESSED_TEXT, compressed(connect + " ".repeat(64 * 1024 - connect.length())));

        assertThat(client.next()).startsWith("{\"id\":1,\"connect\":");
    }

    @Test
    void garbageInsteadOfCompressionClosesTheConnection() {
        SocketClient client = open(OFFER);

        client.sendFrame(COMPRESSED_TEXT, new byte[] {(byte) 0xff, (byte) 0xff, 1, 2, 3});

        client.assertClosed(1007);
    }

    @ParameterizedTest
    @ValueSource(ints = {0xa1, 0x91})
    void otherReservedBitsCloseTheConnection(int firstOctet) {
        SocketClient client = open(OFFER);

        client.sendFrame(firstOctet, "{}".getBytes(UTF_8));

        client.assertClosed(1002);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "X-Nothing: offered",
                "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10",
                "Sec-WebSocket-Extensions: permessage-bzip2",
            })
    void whoOffersNothingThatWeTakeGetsNoCompressionAndMayNotUseIt(String offer) {
        SocketClient client = open(offer);
        assertThat(client.answer()).doesNotContain("Extensions");

        client.sendFrame(COMPRESSED_TEXT, compressed("{\"id\":1,\"connect\":{}}" + " ".repeat(500)));

        client.assertClosed(1002);
    }

    @Test
    void ofSeveralOffersTheFirstThatWeTakeCounts() {
        String offers = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10, permessage-deflate";

        assertThat(open(offers).answer()).contains("permessage-deflate; server_no_context_takeover");
    }

    @Test
    void compressionIsOffUnlessItIsAskedFor() {
        transport.close();
        transport = NettyTransport.builder(fanfare).host("127.0.0.1").port(0).start();

        assertThat(open(OFFER).answer()).doesNotContain("Extensions");
    }

    private SocketClient open(String header) {
        SocketClient client = new SocketClient(transport.port(), "", header);
        clients.add(client);
        return client;
    }

    private SocketClient subscribed(String header) {
        SocketClient client = open(header);
        client.call("{\"id\":1,\"connect\":{}}");
        client.call("{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
        return client;
    }

    private void publish(String json) {
        fanfare.publish(ChannelId.of("a"), Payload.of(json), PublishOptions.none())
                .toCompletableFuture()
                .join();
    }

    private static byte[] compressed(String text) {
        byte[] plain = text.getBytes(ISO_8859_1);
        byte[] shorter = DEFLATE.compress(plain, plain.length);
        if (shorter == null) {
            throw new IllegalArgumentException("too short to be compressed: " + text);
        }
        return shorter;
    }
}
