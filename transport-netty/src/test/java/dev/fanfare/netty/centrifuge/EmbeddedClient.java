package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Authenticator;
import dev.fanfare.netty.connection.BufferFrame;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.netty.connection.TransportSettings;
import dev.fanfare.spi.Frame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.util.IllegalReferenceCountException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A client on an embedded channel: what it sends is handled at once, and time passes as the test says. */
final class EmbeddedClient implements AutoCloseable {

    private static final byte[] MASK = {0x12, 0x34, 0x56, 0x78};

    final ScriptedGateway gateway;
    final EmbeddedChannel channel;
    private final CentrifugeUpgrade upgrade;
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
    private final ByteBuf received = Unpooled.buffer();

    private EmbeddedClient(ScriptedGateway gateway, CentrifugeUpgrade upgrade) {
        this.gateway = gateway;
        this.upgrade = upgrade;
        channel = new EmbeddedChannel();
        channel.config().setAllocator(allocator);
        channel.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(100), new Router(upgrade));
    }

    /** Opens a TCP connection, on which HTTP is spoken so far. */
    static EmbeddedClient http(Authenticator authenticator, TransportSettings settings) {
        ScriptedGateway gateway = new ScriptedGateway();
        return new EmbeddedClient(
                gateway, new CentrifugeUpgrade(new TransportContext(gateway, authenticator, settings)));
    }

    /** Opens another TCP connection to the same transport. */
    EmbeddedClient another() {
        return new EmbeddedClient(gateway, upgrade);
    }

    /** Opens a WebSocket. */
    static EmbeddedClient open(Authenticator authenticator, String subprotocol) {
        EmbeddedClient client = http(authenticator, TransportSettings.defaults());
        String answer = client.request(handshake(
                "/connection/websocket?q=1",
                subprotocol.isEmpty() ? "X-Test: y" : "Sec-WebSocket-Protocol: " + subprotocol));
        assertThat(answer).startsWith("HTTP/1.1 101 ");
        return client;
    }

    /** Opens a WebSocket for JSON, and connects. */
    static EmbeddedClient connected() {
        EmbeddedClient client = open(Authenticator.anonymous(), "");
        client.send("{\"connect\":{},\"id\":1}");
        assertThat(client.texts())
                .containsExactly(
                        "{\"id\":1,\"connect\":{\"client\":\"client-1\",\"version\":\"Fanfare\",\"ping\":25,\"pong\":true}}");
        return client;
    }

    static String handshake(String uri, String... headers) {
        return "GET " + uri + " HTTP/1.1\r\nHost: server.example\r\nConnection: keep-alive, Upgrade\r\n"
                + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + String.join("\r\n", headers)
                + (headers.length == 0 ? "\r\n" : "\r\n\r\n");
    }

    @CanIgnoreReturnValue
    String request(String request) {
        return request(request.getBytes(UTF_8));
    }

    /** Sends bytes, and returns what comes back, as text. */
    @CanIgnoreReturnValue
    String request(byte[] request) {
        write(Unpooled.wrappedBuffer(request));
        collect();
        int end = received.toString(UTF_8).indexOf("\r\n\r\n");
        assertThat(end).isPositive();
        return received.readCharSequence(end + 4, UTF_8).toString();
    }

    ScriptedConnection connection() {
        return gateway.connection();
    }

    /** Sends the lines in one text frame. */
    void send(String... lines) {
        write(frame(0x81, String.join("\n", lines).getBytes(UTF_8)));
    }

    void write(ByteBuf bytes) {
        channel.writeInbound(channel.alloc().buffer().writeBytes(bytes));
        bytes.release();
        settle();
    }

    static ByteBuf frame(int firstOctet, byte[] payload) {
        ByteBuf frame = Unpooled.buffer().writeByte(firstOctet);
        if (payload.length < 126) {
            frame.writeByte(0x80 | payload.length);
        } else if (payload.length <= 0xffff) {
            frame.writeByte(0x80 | 126).writeShort(payload.length);
        } else {
            frame.writeByte(0x80 | 127).writeLong(payload.length);
        }
        frame.writeBytes(MASK);
        for (int i = 0; i < payload.length; i++) {
            frame.writeByte(payload[i] ^ MASK[i % 4]);
        }
        return frame;
    }

    /** Runs what is due now. */
    void settle() {
        channel.runPendingTasks();
    }

    /** Lets time pass, a little at a time. */
    void pass(Duration time) {
        for (long millis = time.toMillis(); millis > 0; millis -= 100) {
            channel.advanceTimeBy(Math.min(millis, 100), TimeUnit.MILLISECONDS);
            channel.runScheduledPendingTasks();
            channel.runPendingTasks();
        }
    }

    /** Returns the frames that came since the last time. */
    @CanIgnoreReturnValue
    List<Received> frames() {
        collect();
        List<Received> frames = new ArrayList<>();
        while (received.isReadable()) {
            frames.add(Received.read(received));
        }
        return frames;
    }

    /** Returns the texts that came since the last time, and nothing else may have come. */
    List<String> texts() {
        List<Received> frames = frames();
        assertThat(frames).allMatch(Received::isText);
        return frames.stream().map(Received::text).toList();
    }

    /** Asserts that the connection was closed with that code and a reason, as the last thing said. */
    void assertClosed(int code) {
        List<Received> frames = frames();
        assertThat(frames).isNotEmpty();
        Received last = frames.get(frames.size() - 1);
        assertThat(last.isClose()).as("a Close frame: %s", last).isTrue();
        assertThat(last.closeCode()).isEqualTo(code);
        assertThat(last.closeReason()).matches("[a-zA-Z][ a-zA-Z0-9]+");
    }

    private void collect() {
        settle();
        for (ByteBuf bytes = channel.readOutbound(); bytes != null; bytes = channel.readOutbound()) {
            received.writeBytes(bytes);
            bytes.release();
        }
    }

    /** Drops the connection, and looks that nothing was kept. */
    @Override
    public void close() {
        channel.close();
        settle();
        collect();
        channel.finishAndReleaseAll();
        channel.checkException();
        gateway.connections.forEach(connection -> connection.frames.forEach(EmbeddedClient::assertReleased));
        assertThat(allocator.metric().usedDirectMemory()).isZero();
        assertThat(allocator.metric().usedHeapMemory()).isZero();
    }

    private static void assertReleased(Frame frame) {
        assertThatThrownBy(((BufferFrame) frame)::share).isInstanceOf(IllegalReferenceCountException.class);
    }

    /** One frame of the server. */
    record Received(int firstOctet, byte[] payload) {

        static Received read(ByteBuf bytes) {
            int first = bytes.readUnsignedByte();
            int length = bytes.readUnsignedByte();
            if (length == 126) {
                length = bytes.readUnsignedShort();
            } else if (length == 127) {
                length = (int) bytes.readLong();
            }
            byte[] payload = new byte[length];
            bytes.readBytes(payload);
            return new Received(first, payload);
        }

        boolean isText() {
            return firstOctet == 0x81;
        }

        boolean isClose() {
            return firstOctet == 0x88;
        }

        String text() {
            return new String(payload, UTF_8);
        }

        int closeCode() {
            return ((payload[0] & 0xff) << 8) | (payload[1] & 0xff);
        }

        String closeReason() {
            return new String(payload, 2, payload.length - 2, UTF_8);
        }

        @Override
        public String toString() {
            return Integer.toHexString(firstOctet) + " " + text();
        }
    }

    private static final class Router extends SimpleChannelInboundHandler<HttpRequest> {
        private final CentrifugeUpgrade upgrade;

        Router(CentrifugeUpgrade upgrade) {
            this.upgrade = upgrade;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, HttpRequest request) {
            upgrade.upgrade(ctx, request);
        }
    }
}
