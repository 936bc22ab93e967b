package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.netty.connection.BufferFrame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.util.IllegalReferenceCountException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WebSocketFramingTest {

    private static final UnpooledByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;

    @Test
    void framesAProtobufReplyWithItsLength() {
        ByteBuf frame = WebSocketFraming.BINARY.frame(ALLOCATOR, new ProtobufMessages().published(3));

        assertThat(hex(frame)).isEqualTo("8205" + "0408034200");
    }

    @Test
    void framesPings() {
        assertThat(hex(WebSocketFraming.BINARY.frame(ALLOCATOR, new ProtobufMessages().ping())))
                .isEqualTo("820100");
        assertThat(hex(WebSocketFraming.TEXT.frame(ALLOCATOR, new JsonMessages().ping())))
                .isEqualTo("81027b7d");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 124, 125, 126, 127, 128, 16_383, 16_384, 65_530, 65_535, 65_536, 200_000})
    void framesAnySize(int size) {
        MessageBuffer message = new MessageBuffer(16);
        message.put("x".repeat(size).getBytes(US_ASCII));

        TextWebSocketFrame text = (TextWebSocketFrame) decoded(WebSocketFraming.TEXT.frame(ALLOCATOR, message));
        BinaryWebSocketFrame binary = (BinaryWebSocketFrame) decoded(WebSocketFraming.BINARY.frame(ALLOCATOR, message));

        assertThat(text.content().readableBytes()).isEqualTo(size);
        assertThat(binary.content().readableBytes()).isEqualTo(size + ProtobufBuffer.varintSize(size));
        text.release();
        binary.release();
    }

    @Test
    void cutsCloseReasonsToWhatFits() {
        CloseWebSocketFrame close =
                (CloseWebSocketFrame) decoded(WebSocketFraming.close(ALLOCATOR, 3500, "r".repeat(200)));

        assertThat(close.statusCode()).isEqualTo(3500);
        assertThat(close.reasonText()).hasSize(123);
        close.release();
    }

    @Test
    void encodesAPublicationOnceIntoADirectBufferToShare() {
        Publication publication = Publication.builder(Payload.of("{}")).build();
        BufferFrame frame = (BufferFrame) WireFormat.JSON.frames().publication(ChannelId.of("c"), publication);

        ByteBuf one = frame.share();
        ByteBuf other = frame.share();
        frame.release();

        assertThat(one.readableBytes()).isEqualTo(frame.bytes());
        assertThat(one.isDirect()).isTrue();
        one.skipBytes(2);
        assertThat(one.toString(US_ASCII)).isEqualTo("{\"push\":{\"channel\":\"c\",\"pub\":{\"data\":{}}}}");
        assertThat(other.readerIndex()).isZero();
        one.release();
        other.release();
        assertThatThrownBy(frame::share).isInstanceOf(IllegalReferenceCountException.class);
    }

    private static WebSocketFrame decoded(ByteBuf frame) {
        EmbeddedChannel client = new EmbeddedChannel(new WebSocket13FrameDecoder(false, false, 1 << 20));
        client.writeInbound(frame);
        WebSocketFrame read = client.readInbound();
        assertThat(client.inboundMessages()).isEmpty();
        client.finish();
        return read;
    }

    private static String hex(ByteBuf frame) {
        try {
            return ByteBufUtil.hexDump(frame);
        } finally {
            frame.release();
        }
    }
}
