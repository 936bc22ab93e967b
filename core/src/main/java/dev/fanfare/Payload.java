package dev.fanfare;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.util.Arrays;

/**
 * Holds opaque bytes, usually a JSON text in UTF-8.
 *
 * <p>Fanfare never looks inside and hands on the very bytes it was given. Bytes are copied on the
 * way in and on the way out, except where a method says otherwise.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class Payload {

    /** The payload without bytes. */
    public static final Payload EMPTY = new Payload(new byte[0]);

    private final byte[] bytes;

    private Payload(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Copies the bytes. */
    public static Payload of(byte[] bytes) {
        return new Payload(requireNonNull(bytes, "bytes").clone());
    }

    /** Encodes the text in UTF-8. */
    public static Payload of(String text) {
        return new Payload(requireNonNull(text, "text").getBytes(UTF_8));
    }

    /**
     * Takes the array as it is, without a copy. The caller gives it away: changing it later changes
     * what subscribers see.
     */
    public static Payload wrap(byte[] bytes) {
        return new Payload(requireNonNull(bytes, "bytes"));
    }

    /** Returns the number of bytes. */
    public int size() {
        return bytes.length;
    }

    /** Returns a copy of the bytes. */
    public byte[] toBytes() {
        return bytes.clone();
    }

    /** Returns the array itself, for encoders that only read it. Never write to it. */
    public byte[] unsafeBytes() {
        return bytes;
    }

    /** Decodes the bytes as UTF-8. */
    public String text() {
        return new String(bytes, UTF_8);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Payload payload && Arrays.equals(bytes, payload.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    /** Tells the size, never the content, so that payloads do not slip into logs. */
    @Override
    public String toString() {
        return "Payload[" + bytes.length + " bytes]";
    }
}
