package dev.fanfare.netty.centrifuge;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Applies deltas as the format's description says, and takes nothing that is not exactly in it. */
final class FossilPatch {

    private static final String DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

    private final byte[] source;
    private final ByteBuffer delta;

    private FossilPatch(byte[] source, byte[] delta) {
        this.source = source;
        this.delta = ByteBuffer.wrap(delta);
    }

    static byte[] apply(byte[] source, byte[] delta) {
        return new FossilPatch(source, delta).apply();
    }

    private byte[] apply() {
        long length = number();
        expect('\n');
        ByteArrayOutputStream target = new ByteArrayOutputStream();
        while (true) {
            long number = number();
            switch (delta.get()) {
                case '@' -> {
                    int offset = (int) number();
                    expect(',');
                    target.writeBytes(Arrays.copyOfRange(source, offset, checked(offset + number, source.length)));
                }
                case ':' -> {
                    byte[] literal = new byte[checked(number, delta.remaining())];
                    delta.get(literal);
                    target.writeBytes(literal);
                }
                case ';' -> {
                    byte[] result = target.toByteArray();
                    require(!delta.hasRemaining(), "bytes after the end");
                    require(result.length == length, "another length than announced");
                    require(number == checksum(result), "another checksum");
                    return result;
                }
                default -> throw new IllegalArgumentException("no such operation");
            }
        }
    }

    private static int checked(long number, int most) {
        require(number > 0 && number <= most, "out of range: " + number);
        return (int) number;
    }

    private long number() {
        int start = delta.position();
        long number = 0;
        while (DIGITS.indexOf(delta.get(delta.position())) >= 0) {
            number = number * 64 + DIGITS.indexOf(delta.get());
        }
        int digits = delta.position() - start;
        require(digits > 0 && (digits == 1 || delta.get(start) != '0'), "not a number without padding");
        require(number <= 0xffff_ffffL, "more than 32 bits");
        return number;
    }

    private void expect(char expected) {
        require(delta.get() == expected, "expected " + expected);
    }

    private static long checksum(byte[] bytes) {
        ByteBuffer padded = ByteBuffer.wrap(Arrays.copyOf(bytes, (bytes.length + 3) / 4 * 4));
        int sum = 0;
        while (padded.hasRemaining()) {
            sum += padded.getInt();
        }
        return Integer.toUnsignedLong(sum);
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
