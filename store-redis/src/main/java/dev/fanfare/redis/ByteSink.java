package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Arrays;

/** Writes bytes, growing as needed. Not thread-safe. */
final class ByteSink {

    private byte[] bytes;
    private int size;

    ByteSink(int expected) {
        this.bytes = new byte[expected];
    }

    @CanIgnoreReturnValue
    ByteSink put(int value) {
        reserve(1);
        bytes[size++] = (byte) value;
        return this;
    }

    @CanIgnoreReturnValue
    ByteSink putLong(long value) {
        reserve(8);
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes[size++] = (byte) (value >>> shift);
        }
        return this;
    }

    /** Writes 7 bits per byte, lowest first, the highest bit telling that more come. */
    @CanIgnoreReturnValue
    ByteSink putLength(int value) {
        int rest = value;
        while (rest > 0x7f) {
            put(rest | 0x80);
            rest >>>= 7;
        }
        return put(rest);
    }

    @CanIgnoreReturnValue
    ByteSink putAll(byte[] more) {
        reserve(more.length);
        System.arraycopy(more, 0, bytes, size, more.length);
        size += more.length;
        return this;
    }

    /** Writes the length, then the text. */
    @CanIgnoreReturnValue
    ByteSink putText(String text) {
        byte[] encoded = text.getBytes(UTF_8);
        return putLength(encoded.length).putAll(encoded);
    }

    byte[] toBytes() {
        return size == bytes.length ? bytes : Arrays.copyOf(bytes, size);
    }

    private void reserve(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
