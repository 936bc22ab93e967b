package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Arrays;

/** Reads bytes, and never beyond their end. Not thread-safe. */
final class ByteSource {

    private final byte[] bytes;
    private final int end;
    private int at;

    ByteSource(byte[] bytes) {
        this(bytes, 0, bytes.length);
    }

    private ByteSource(byte[] bytes, int start, int end) {
        this.bytes = bytes;
        this.at = start;
        this.end = end;
    }

    boolean isAtEnd() {
        return at == end;
    }

    @CanIgnoreReturnValue
    int next() throws MalformedException {
        require(1);
        return bytes[at++] & 0xff;
    }

    long nextLong() throws MalformedException {
        require(8);
        long value = 0;
        for (int i = 0; i < 8; i++) {
            value = (value << 8) | (bytes[at++] & 0xff);
        }
        return value;
    }

    int nextLength() throws MalformedException {
        int value = 0;
        for (int shift = 0; shift < 28; shift += 7) {
            int part = next();
            value |= (part & 0x7f) << shift;
            if (part < 0x80) {
                return value;
            }
        }
        throw new MalformedException("a length of more than 28 bits");
    }

    byte[] next(int count) throws MalformedException {
        require(count);
        at += count;
        return Arrays.copyOfRange(bytes, at - count, at);
    }

    String nextText() throws MalformedException {
        return nextText(nextLength());
    }

    String nextText(int count) throws MalformedException {
        require(count);
        at += count;
        return new String(bytes, at - count, count, UTF_8);
    }

    /** Returns the next so many bytes to be read apart. */
    ByteSource nextPart(int count) throws MalformedException {
        require(count);
        at += count;
        return new ByteSource(bytes, at - count, at);
    }

    byte[] rest() {
        byte[] rest = Arrays.copyOfRange(bytes, at, end);
        at = end;
        return rest;
    }

    private void require(int count) throws MalformedException {
        if (count < 0 || end - at < count) {
            throw new MalformedException("ends too early");
        }
    }
}
