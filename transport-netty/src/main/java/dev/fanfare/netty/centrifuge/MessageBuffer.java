package dev.fanfare.netty.centrifuge;

import dev.fanfare.Payload;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/**
 * Collects the bytes of one message for clients.
 *
 * <p><b>Threading:</b> not thread-safe.
 */
class MessageBuffer {

    private byte[] bytes;
    private int size;

    /** Starts empty, with room for that many bytes. */
    MessageBuffer(int expected) {
        this.bytes = new byte[Math.max(16, expected)];
    }

    final int size() {
        return size;
    }

    final Payload toPayload() {
        return Payload.of(Arrays.copyOf(bytes, size));
    }

    final void writeTo(ByteBuf out) {
        out.writeBytes(bytes, 0, size);
    }

    final void put(int octet) {
        ensureRoom(1);
        bytes[size++] = (byte) octet;
    }

    final void put(byte[] source) {
        put(source, 0, source.length);
    }

    final void put(byte[] source, int from, int to) {
        int length = to - from;
        ensureRoom(length);
        System.arraycopy(source, from, bytes, size, length);
        size += length;
    }

    /** Puts characters that are all ASCII. */
    final void putAscii(String text) {
        int length = text.length();
        ensureRoom(length);
        for (int i = 0; i < length; i++) {
            bytes[size++] = (byte) text.charAt(i);
        }
    }

    final int at(int index) {
        return bytes[index];
    }

    final void set(int index, int octet) {
        bytes[index] = (byte) octet;
    }

    /** Moves everything from that place on, to make room there. */
    final void shift(int from, int distance) {
        ensureRoom(distance);
        System.arraycopy(bytes, from, bytes, from + distance, size - from);
        size += distance;
    }

    private void ensureRoom(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(size + more, Math.addExact(size, size >> 1)));
        }
    }
}
