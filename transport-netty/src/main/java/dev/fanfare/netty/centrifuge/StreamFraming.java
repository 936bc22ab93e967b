package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts messages into the body of one endless HTTP/1.1 answer: each piece is a chunk of its own (RFC 9112, 7.1),
 * because some clients take a chunk for whole messages. The end is a push, and then the end of the body.
 *
 * <p><b>Threading:</b> immutable.
 */
enum StreamFraming implements Framing {
    /** The body of {@code http_stream} in JSON. */
    LINES(Sequence.LINES),
    /** The body of {@code http_stream} in Protobuf. */
    DELIMITED(Sequence.DELIMITED),
    /** An event stream. */
    EVENTS(Sequence.EVENTS);

    private static final int LINE_BREAK = '\r' << 8 | '\n';
    private static final byte[] HEX = "0123456789abcdef".getBytes(US_ASCII);
    private static final byte[] END = "0\r\n\r\n".getBytes(US_ASCII);

    private final Sequence sequence;

    StreamFraming(Sequence sequence) {
        this.sequence = sequence;
    }

    @Override
    public ByteBuf frame(ByteBufAllocator allocator, List<MessageBuffer> messages) {
        return chunk(allocator, messages, 0);
    }

    @Override
    public ByteBuf farewell(
            ByteBufAllocator allocator, MessageEncoder messages, DisconnectReason reason, @Nullable HostCode hostCode) {
        MessageBuffer push = hostCode == null
                ? messages.disconnectPush(reason.code(), reason.text(), reason.isReconnect())
                : messages.disconnectPush(hostCode.code(), hostCode.text(), reason.isReconnect());
        return chunk(allocator, List.of(push), END.length).writeBytes(END);
    }

    @Override
    public boolean isFarewellAnswered() {
        return false;
    }

    @Override
    public boolean isTwoWay() {
        return false;
    }

    private ByteBuf chunk(ByteBufAllocator allocator, List<MessageBuffer> messages, int more) {
        int length = sequence.size(messages);
        int digits = digits(length);
        ByteBuf chunk = allocator.directBuffer(digits + 2 + length + 2 + more);
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
            chunk.writeByte(HEX[length >>> shift & 0xf]);
        }
        chunk.writeShort(LINE_BREAK);
        sequence.write(chunk, messages);
        return chunk.writeShort(LINE_BREAK);
    }

    private static int digits(int length) {
        return (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 3) / 4;
    }
}
