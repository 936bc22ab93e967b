package dev.fanfare.netty.centrifuge;

import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts messages into whole WebSocket frames, so that the pipeline needs no encoder.
 *
 * <p><b>Threading:</b> immutable.
 */
enum WebSocketFraming implements Framing {
    /** Text frames, with JSON. */
    TEXT(0x1, Sequence.SEPARATED_LINES),
    /** Binary frames, with Protobuf. */
    BINARY(0x2, Sequence.DELIMITED);

    private static final int FINAL = 0x80;
    private static final int COMPRESSED = 0x40;
    private static final int CLOSE = 0x8;
    private static final int PING = 0x9;
    private static final int PONG = 0xA;
    private static final int MAX_CONTROL_BYTES = 125;

    private final int opcode;
    private final Sequence sequence;

    WebSocketFraming(int opcode, Sequence sequence) {
        this.opcode = opcode;
        this.sequence = sequence;
    }

    @Override
    public ByteBuf frame(ByteBufAllocator allocator, List<MessageBuffer> messages) {
        int payload = sequence.size(messages);
        ByteBuf frame = allocator.directBuffer(headerSize(payload) + payload);
        writeHeader(frame, opcode, payload);
        sequence.write(frame, messages);
        return frame;
    }

    /** Returns how many bytes the messages have as one payload. */
    int size(List<MessageBuffer> messages) {
        return sequence.size(messages);
    }

    /** Returns the messages as one payload of that size. */
    byte[] payload(List<MessageBuffer> messages, int size) {
        byte[] plain = new byte[size];
        sequence.write(Unpooled.wrappedBuffer(plain).clear(), messages);
        return plain;
    }

    /** Returns a frame with a payload that is compressed. */
    ByteBuf compressedFrame(ByteBufAllocator allocator, byte[] payload) {
        ByteBuf frame = allocator.directBuffer(headerSize(payload.length) + payload.length);
        writeHeader(frame, COMPRESSED | opcode, payload.length);
        return frame.writeBytes(payload);
    }

    @Override
    public ByteBuf farewell(
            ByteBufAllocator allocator, MessageEncoder messages, DisconnectReason reason, @Nullable HostCode hostCode) {
        return hostCode == null
                ? close(allocator, reason.code(), reason.text())
                : close(allocator, hostCode.code(), hostCode.text());
    }

    @Override
    public boolean isFarewellAnswered() {
        return true;
    }

    @Override
    public boolean isTwoWay() {
        return true;
    }

    /** Returns a Close frame. */
    static ByteBuf close(ByteBufAllocator allocator, int code, String reason) {
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(text.length, MAX_CONTROL_BYTES - 2);
        ByteBuf frame = allocator.directBuffer(2 + 2 + length);
        writeHeader(frame, CLOSE, 2 + length);
        return frame.writeShort(code).writeBytes(text, 0, length);
    }

    /** Returns a Close frame with the content of the other side's. */
    static ByteBuf closeEcho(ByteBufAllocator allocator, ByteBuf content) {
        return control(allocator, CLOSE, content);
    }

    /** Returns a Ping frame. */
    static ByteBuf ping(ByteBufAllocator allocator) {
        return control(allocator, PING, Unpooled.EMPTY_BUFFER);
    }

    /** Returns the answer to a Ping frame with that content. */
    static ByteBuf pong(ByteBufAllocator allocator, ByteBuf content) {
        return control(allocator, PONG, content);
    }

    private static ByteBuf control(ByteBufAllocator allocator, int opcode, ByteBuf content) {
        int length = content.readableBytes();
        ByteBuf frame = allocator.directBuffer(2 + length);
        writeHeader(frame, opcode, length);
        return frame.writeBytes(content, content.readerIndex(), length);
    }

    private static int headerSize(int payload) {
        if (payload < 126) {
            return 2;
        }
        return payload <= 0xffff ? 4 : 10;
    }

    private static void writeHeader(ByteBuf frame, int opcode, int payload) {
        frame.writeByte(FINAL | opcode);
        if (payload < 126) {
            frame.writeByte(payload);
        } else if (payload <= 0xffff) {
            frame.writeByte(126).writeShort(payload);
        } else {
            frame.writeByte(127).writeLong(payload);
        }
    }
}
