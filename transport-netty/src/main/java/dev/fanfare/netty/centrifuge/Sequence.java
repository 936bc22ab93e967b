package dev.fanfare.netty.centrifuge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;

/**
 * How messages follow each other within one piece.
 *
 * <p><b>Threading:</b> immutable.
 */
enum Sequence {
    /** JSON with a line feed between two messages. */
    SEPARATED_LINES("", "\n"),
    /** JSON with a line feed after each message. */
    LINES("", "\n"),
    /** JSON as server-sent events, without names or ids. */
    EVENTS("data: ", "\n\n"),
    /** Protobuf, each message with its length in front. */
    DELIMITED("", "");

    private final String before;
    private final String after;

    Sequence(String before, String after) {
        this.before = before;
        this.after = after;
    }

    /** Returns how many bytes the messages take together. */
    int size(List<MessageBuffer> messages) {
        int size = 0;
        for (MessageBuffer message : messages) {
            int prefix = this == DELIMITED ? ProtobufBuffer.varintSize(message.size()) : before.length();
            size += prefix + message.size() + after.length();
        }
        return this == SEPARATED_LINES ? size - after.length() : size;
    }

    /** Writes them. */
    void write(ByteBuf out, List<MessageBuffer> messages) {
        for (int i = 0; i < messages.size(); i++) {
            MessageBuffer message = messages.get(i);
            if (this == DELIMITED) {
                writeVarint(out, message.size());
            }
            ByteBufUtil.writeAscii(out, before);
            message.writeTo(out);
            if (this != SEPARATED_LINES || i < messages.size() - 1) {
                ByteBufUtil.writeAscii(out, after);
            }
        }
    }

    private static void writeVarint(ByteBuf out, int value) {
        int rest = value;
        while (rest > 0x7f) {
            out.writeByte((rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        out.writeByte(rest);
    }
}
