package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Payload;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Arrays;

/**
 * Walks over the fields of one Protobuf message. Every length is checked against what is there before
 * anything is allocated.
 *
 * <p><b>Threading:</b> not thread-safe.
 */
final class ProtobufReader {

    /** Wire type of integers and booleans. */
    static final int VARINT = 0;
    /** Wire type of strings, bytes and messages. */
    static final int DELIMITED = 2;

    private static final int FIXED64 = 1;
    private static final int FIXED32 = 5;

    private final byte[] bytes;
    private final int end;
    private int at;

    /** Reads from {@code from} up to {@code end}, exclusive. */
    ProtobufReader(byte[] bytes, int from, int end) {
        this.bytes = bytes;
        this.at = from;
        this.end = end;
    }

    boolean hasMore() {
        return at < end;
    }

    /** Returns how many bytes are left. */
    int remaining() {
        return end - at;
    }

    /**
     * Reads what the next field is: its number, shifted left by three, and its wire type.
     *
     * @throws BadCommandException if it is none
     */
    int tag() throws BadCommandException {
        long tag = varint();
        require(tag >= 1 << 3 && tag <= 0xffff_ffffL);
        return (int) tag;
    }

    /** Reads an unsigned number; one of 64 bits comes out as negative. */
    @CanIgnoreReturnValue
    long varint() throws BadCommandException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            require(at < end);
            byte octet = bytes[at++];
            value |= (long) (octet & 0x7f) << shift;
            if (octet >= 0) {
                return value;
            }
        }
        throw new BadCommandException("varint too long");
    }

    /** Reads an unsigned number; beyond a {@code long} one is as good as another. */
    long unsigned() throws BadCommandException {
        long value = varint();
        return value < 0 ? Long.MAX_VALUE : value;
    }

    boolean flag() throws BadCommandException {
        return varint() != 0;
    }

    String text() throws BadCommandException {
        int length = length();
        try {
            return UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(bytes, advance(length), length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new BadCommandException("not UTF-8");
        }
    }

    Payload data() throws BadCommandException {
        int length = length();
        int from = advance(length);
        return Payload.wrap(Arrays.copyOfRange(bytes, from, from + length));
    }

    /** Returns a reader of the message that is nested here, and goes on behind it. */
    ProtobufReader nested() throws BadCommandException {
        int length = length();
        int from = advance(length);
        return new ProtobufReader(bytes, from, from + length);
    }

    /** Goes on behind the field of that tag, which is of no interest. */
    void skip(int tag) throws BadCommandException {
        switch (tag & 7) {
            case VARINT -> varint();
            case FIXED64 -> skipBytes(Long.BYTES);
            case DELIMITED -> skipBytes(length());
            case FIXED32 -> skipBytes(Integer.BYTES);
            default -> throw new BadCommandException("unknown wire type");
        }
    }

    private void skipBytes(int count) throws BadCommandException {
        require(count <= remaining());
        at += count;
    }

    private int advance(int count) {
        int from = at;
        at += count;
        return from;
    }

    /** Reads a length that the rest of the message can hold. */
    private int length() throws BadCommandException {
        long length = varint();
        require(length >= 0 && length <= remaining());
        return (int) length;
    }

    private static void require(boolean condition) throws BadCommandException {
        if (!condition) {
            throw new BadCommandException("truncated, or no Protobuf");
        }
    }
}
