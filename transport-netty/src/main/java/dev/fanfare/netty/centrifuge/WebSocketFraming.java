package dev.fanfare.netty.centrifuge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.charset.StandardCharsets;

/**
 * Puts messages into whole WebSocket frames, so that the pipeline needs no encoder.
 *
 * <p><b>Threading:</b> immutable.
 */
enum WebSocketFraming {
    /** Text frames, with the message as it is. */
    TEXT(0x1, false),
    /** Binary frames, with the message's length in front of it. */
    BINARY(0x2, true);

    private static final int FINAL = 0x80;
    private static final int CLOSE = 0x8;
    private static final int PONG = 0xA;
    private static final int MAX_CONTROL_BYTES = 125;

    private final int opcode;
    private final boolean isDelimited;

    WebSocketFraming(int opcode, boolean isDelimited) {
        this.opcode = opcode;
        this.isDelimited = isDelimited;
    }

    /** Returns one frame with one message, in a direct buffer of just that size. */
    ByteBuf frame(ByteBufAllocator allocator, MessageBuffer message) {
        int prefix = isDelimited ? ProtobufBuffer.varintSize(message.size()) : 0;
        int payload = prefix + message.size();
        ByteBuf frame = allocator.directBuffer(headerSize(payload) + payload);
        writeHeader(frame, opcode, payload);
        if (isDelimited) {
            writeVarint(frame, message.size());
        }
        message.writeTo(frame);
        return frame;
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

    private static void writeVarint(ByteBuf frame, int value) {
        int rest = value;
        while (rest > 0x7f) {
            frame.writeByte((rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        frame.writeByte(rest);
    }
}
