package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.DisconnectReason;
import dev.fanfare.Refusal;
import dev.fanfare.faults.CausesFault;
import dev.fanfare.netty.http.TransportClosing;
import dev.fanfare.spi.Connection.RpcResult;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameHandlerTest {

    private static final int TEXT = 0x81;
    private static final int BINARY = 0x82;

    private final EmbeddedClient client = EmbeddedClient.connected();
    private final ScriptedConnection core = client.connection();

    @AfterEach
    void close() {
        client.close();
    }

    // ---- messages

    @Test
    void readsTextAlsoFromABinaryFrame() {
        frame(BINARY, "{\"send\":{\"data\":1}}");

        assertThat(core.calls).containsExactly("message 1");
    }

    @Test
    void putsFragmentsTogetherAlsoAroundAPing() {
        frame(0x01, "{\"send\":");
        frame(0x89, "ping");
        frame(0x00, "{\"data\"");
        frame(0x80, ":\"é\"}}");

        assertThat(core.calls).containsExactly("message \"é\"");
        assertThat(client.frames()).singleElement().hasToString("8a ping");
    }

    @Test
    void readsAFrameThatComesByteByByte() {
        byte[] bytes = ByteBufUtil.getBytes(EmbeddedClient.frame(TEXT, "{\"send\":{\"data\":1}}".getBytes(UTF_8)));
        for (byte octet : bytes) {
            client.write(Unpooled.wrappedBuffer(new byte[] {octet}));
        }

        assertThat(core.calls).containsExactly("message 1");
    }

    @Test
    void takesAMessageOfTheLargestSize() {
        String command = "{\"send\":{\"data\":\"\"}}";
        frame(TEXT, command.replace("\"\"", "\"" + "x".repeat(65_535 - command.length()) + "\""));

        assertThat(core.calls).hasSize(1);
    }

    @Test
    void closesForFragmentsThatAreTooMuchTogether() {
        frame(0x01, "x".repeat(40_000));

        frame(0x80, "x".repeat(30_000));

        client.assertClosed(1009);
    }

    @Test
    void putsManySmallAndEmptyFragmentsTogether() {
        String command = "{\"send\":{\"data\":\"" + "x".repeat(400) + "\"}}";
        frame(0x01, "");
        for (char c : command.toCharArray()) {
            frame(0x00, String.valueOf(c));
            frame(0x00, "");
        }
        frame(0x80, "");
        frame(TEXT, "{\"send\":{\"data\":2}}");

        assertThat(core.calls).containsExactly("message \"" + "x".repeat(400) + "\"", "message 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x"})
    void closesForAMessageInTooManyFragments(String fragment) {
        frame(0x01, fragment);
        for (int i = 2; i < MessageAssembly.MAX_FRAGMENTS; i++) {
            frame(0x00, fragment);
        }
        assertThat(client.frames()).isEmpty();

        frame(0x00, fragment);

        client.assertClosed(1002);
        assertThat(core.calls).isEmpty();
    }

    @Test
    void closesForAFrameThatIsTooLargeBeforeItIsThere() {
        client.write(Unpooled.wrappedBuffer(new byte[] {(byte) TEXT, (byte) 0xff, 0, 0, 0, 0, 0, 2, 0, 0, 1, 2, 3, 4}));

        client.assertClosed(1009);
        assertThat(core.ends).containsExactly(DisconnectReason.BAD_REQUEST);
    }

    @Test
    void tellsHowLargeAMessageMayBe() {
        client.write(Unpooled.wrappedBuffer(new byte[] {(byte) TEXT, (byte) 0xff, 0, 0, 0, 0, 0, 2, 0, 0, 1, 2, 3, 4}));

        assertThat(client.frames())
                .singleElement()
                .extracting(EmbeddedClient.Received::closeReason)
                .isEqualTo("message larger than 65536 bytes");
    }

    @Test
    void closesForAFrameWithoutMask() {
        client.write(Unpooled.wrappedBuffer(new byte[] {(byte) TEXT, 2, '{', '}'}));

        client.assertClosed(1002);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x80, 0xc1, 0x83, 0x09})
    void closesForWhatWebSocketForbids(int firstOctet) {
        frame(firstOctet, "x");

        client.assertClosed(1002);
    }

    @Test
    void ignoresPongFrames() {
        frame(0x8a, "");

        assertThat(client.frames()).isEmpty();
    }

    // ---- the end

    @Test
    void answersACloseWithTheSameAtOnce() {
        client.write(EmbeddedClient.frame(0x88, new byte[] {0x03, (byte) 0xe8, 'b', 'y', 'e'}));

        assertThat(client.frames()).singleElement().satisfies(close -> {
            assertThat(close.closeCode()).isEqualTo(1000);
            assertThat(close.closeReason()).isEqualTo("bye");
        });
        assertThat(client.channel.isOpen()).isFalse();
        assertThat(core.ends).containsExactly(DisconnectReason.BY_CLIENT);
    }

    @Test
    void answersACloseWithoutCode() {
        frame(0x88, "");

        assertThat(client.frames())
                .singleElement()
                .satisfies(close -> assertThat(close.payload()).isEmpty());
        assertThat(client.channel.isOpen()).isFalse();
    }

    @Test
    void waitsForTheClientsCloseAfterItsOwn() {
        core.outlet.disconnect(DisconnectReason.SHUTDOWN);
        client.assertClosed(3001);
        assertThat(client.channel.isOpen()).isTrue();

        frame(0x88, "");

        assertThat(client.channel.isOpen()).isFalse();
        assertThat(client.frames()).isEmpty();
    }

    @Test
    void waitsForTheClientsCloseOnlySoLong() {
        core.outlet.disconnect(DisconnectReason.SHUTDOWN);
        client.pass(Duration.ofMillis(4_900));
        assertThat(client.channel.isOpen()).isTrue();

        client.pass(Duration.ofSeconds(2));

        assertThat(client.channel.isOpen()).isFalse();
        assertThat(core.ends).containsExactly(DisconnectReason.SHUTDOWN);
    }

    @Test
    void throwsAwayWhatComesAfterTheEnd() {
        core.outlet.disconnect(DisconnectReason.SHUTDOWN);
        client.assertClosed(3001);

        frame(TEXT, "{\"send\":{\"data\":1}}");
        frame(0x01, "x".repeat(60_000));
        frame(0x89, "ping");
        client.write(Unpooled.copiedBuffer("no frame at all", US_ASCII));

        assertThat(core.calls).isEmpty();
        assertThat(client.frames()).isEmpty();
    }

    @Test
    void tellsTheCoreOnceThatAClientIsGone() {
        client.channel.close();
        client.settle();

        core.outlet.disconnect(DisconnectReason.SHUTDOWN);
        client.settle();

        assertThat(core.ends).containsExactly(DisconnectReason.BY_CLIENT);
    }

    @Test
    void saysFarewellWhenTheTransportCloses() {
        client.channel.pipeline().fireUserEventTriggered(TransportClosing.NOW);

        client.assertClosed(3001);
    }

    @Test
    void closesWhenTheNetworkFails() {
        client.channel.pipeline().fireExceptionCaught(new IOException("connection reset"));
        client.settle();

        assertThat(client.channel.isOpen()).isFalse();
        assertThat(core.ends).containsExactly(DisconnectReason.BY_CLIENT);
    }

    @Test
    @CausesFault("A WebSocket failed")
    void disconnectsWhenItFailsItself() {
        client.channel.pipeline().fireExceptionCaught(new IllegalStateException("the test wants this"));

        client.assertClosed(3004);
    }

    @Test
    @CausesFault("A command failed")
    void disconnectsWhenAnAnswerCannotBeHandled() {
        client.send("{\"id\":2,\"rpc\":{}}");

        core.answer("no answer of this kind");

        client.assertClosed(3004);
    }

    // ---- a client that does not read

    @Test
    void beginsNoCommandsWhileTheClientDoesNotRead() {
        writable(false);
        core.writableCalls = 0;
        client.send("{\"send\":{\"data\":1}}", "{\"send\":{\"data\":2}}");
        frame(0x89, "ping");
        assertThat(core.calls).isEmpty();
        assertThat(client.frames()).isEmpty();

        writable(true);

        assertThat(core.calls).containsExactly("message 1", "message 2");
        assertThat(core.writableCalls).isEqualTo(1);
    }

    @Test
    void readsNoMoreWhenTheClientSendsButDoesNotRead() {
        writable(false);
        frame(TEXT, "{\"send\":{\"data\":\"" + "x".repeat(40_000) + "\"}}");
        assertThat(client.channel.config().isAutoRead()).isTrue();

        frame(TEXT, "{\"send\":{\"data\":\"" + "x".repeat(40_000) + "\"}}");
        assertThat(client.channel.config().isAutoRead()).isFalse();

        writable(true);
        assertThat(client.channel.config().isAutoRead()).isTrue();
        assertThat(core.calls).hasSize(2);
    }

    @Test
    void keepsOnlySoManyCommandsUnderWay() {
        for (int i = 0; i < 100; i++) {
            client.send("{\"id\":" + (i + 2) + ",\"rpc\":{\"method\":\"" + i + "\"}}");
        }
        assertThat(core.calls).hasSize(64);

        core.answer(new RpcResult.Refused(Refusal.UNAVAILABLE));

        assertThat(core.calls).hasSize(65).last().isEqualTo("rpc 64 ");
    }

    private void writable(boolean isWritable) {
        client.channel.unsafe().outboundBuffer().setUserDefinedWritability(1, isWritable);
        client.settle();
    }

    private void frame(int firstOctet, String payload) {
        client.write(EmbeddedClient.frame(firstOctet, payload.getBytes(UTF_8)));
    }

    @Test
    void aClientThatSaysGoodbyeAndDoesNotReadIsClosedAnyway() {
        client.channel.pipeline().addFirst(new ChannelOutboundHandlerAdapter() {
            @Override
            public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
                ReferenceCountUtil.release(message); // and the promise is never kept: the peer's window is shut
            }
        });

        client.write(EmbeddedClient.frame(0x88, new byte[] {0x03, (byte) 0xe8}));
        assertThat(client.channel.isOpen()).isTrue();
        client.pass(Duration.ofSeconds(7));

        assertThat(client.channel.isOpen()).isFalse();
    }
}
