package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.Payload;

/**
 * Writes one Protobuf message. As proto3 wants it, fields with their default value are left out.
 *
 * <p><b>Threading:</b> not thread-safe.
 */
final class ProtobufBuffer extends MessageBuffer {

    private static final int VARINT = 0;
    private static final int DELIMITED = 2;

    ProtobufBuffer(int expected) {
        super(expected);
    }

    void field(int number, long value) {
        if (value != 0) {
            varint(number << 3 | VARINT);
            varint(value);
        }
    }

    void field(int number, boolean value) {
        field(number, value ? 1 : 0);
    }

    void field(int number, String value) {
        if (!value.isEmpty()) {
            bytes(number, value.getBytes(UTF_8));
        }
    }

    void field(int number, Payload value) {
        if (value.size() > 0) {
            bytes(number, value.unsafeBytes());
        }
    }

    /** Begins a nested message, which is there even if it stays empty; returns what {@link #end} needs. */
    int begin(int number) {
        varint(number << 3 | DELIMITED);
        put(0);
        return size();
    }

    /** Ends the nested message that began there. */
    void end(int start) {
        int length = size() - start;
        int extra = varintSize(length) - 1;
        if (extra > 0) {
            shift(start, extra);
        }
        int at = start - 1;
        int rest = length;
        while (rest > 0x7f) {
            set(at++, (rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        set(at, rest);
    }

    /** Returns how many bytes a number takes. */
    static int varintSize(int value) {
        int size = 1;
        for (int rest = value >>> 7; rest != 0; rest >>>= 7) {
            size++;
        }
        return size;
    }

    private void bytes(int number, byte[] value) {
        varint(number << 3 | DELIMITED);
        varint(value.length);
        put(value);
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            put((int) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        put((int) rest);
    }
}
