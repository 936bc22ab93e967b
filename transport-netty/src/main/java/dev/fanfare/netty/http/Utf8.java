package dev.fanfare.netty.http;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Checks that bytes are text. Strictly, because what one client sends is handed to browsers, and a
 * browser closes a connection that brings it anything ill-formed.
 *
 * <p><b>Threading:</b> has no state.
 */
public final class Utf8 {

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long ONES = 0x0101010101010101L;
    private static final long HIGH_BITS = 0x8080808080808080L;

    private Utf8() {}

    /** Tells whether the bytes are well-formed UTF-8 without a NUL. */
    public static boolean isText(byte[] bytes) {
        int at = 0;
        while (at < bytes.length) {
            at = afterAscii(bytes, at);
            if (at < bytes.length) {
                int length = sequence(bytes, at);
                if (length == 0) {
                    return false;
                }
                at += length;
            }
        }
        return true;
    }

    /** Skips what needs no look at single bytes: eight at a time, none of them NUL or beyond ASCII. */
    private static int afterAscii(byte[] bytes, int from) {
        int at = from;
        while (at + Long.BYTES <= bytes.length) {
            long eight = (long) LONGS.get(bytes, at);
            if ((((eight - ONES) | eight) & HIGH_BITS) != 0) {
                break;
            }
            at += Long.BYTES;
        }
        return at;
    }

    /** Returns the length of the character at that place; 0 if there is none, or NUL. */
    public static int sequence(byte[] bytes, int at) {
        int first = bytes[at] & 0xff;
        if (first < 0x80) {
            return first == 0 ? 0 : 1;
        }
        int second = at + 1 < bytes.length ? bytes[at + 1] & 0xff : 0;
        if (first >= 0xc2 && first <= 0xdf) {
            return isContinuation(second) ? 2 : 0;
        }
        if (first >= 0xe0 && first <= 0xef) {
            return isThreeByteStart(first, second) && hasContinuation(bytes, at + 2) ? 3 : 0;
        }
        boolean isFour =
                isFourByteStart(first, second) && hasContinuation(bytes, at + 2) && hasContinuation(bytes, at + 3);
        return isFour ? 4 : 0;
    }

    /** Excludes overlong forms and halves of surrogate pairs. */
    private static boolean isThreeByteStart(int first, int second) {
        int lowest = first == 0xe0 ? 0xa0 : 0x80;
        int highest = first == 0xed ? 0x9f : 0xbf;
        return second >= lowest && second <= highest;
    }

    /** Excludes overlong forms and what is beyond Unicode. */
    private static boolean isFourByteStart(int first, int second) {
        int lowest = first == 0xf0 ? 0x90 : 0x80;
        int highest = first == 0xf4 ? 0x8f : 0xbf;
        return first >= 0xf0 && first <= 0xf4 && second >= lowest && second <= highest;
    }

    private static boolean hasContinuation(byte[] bytes, int at) {
        return at < bytes.length && isContinuation(bytes[at] & 0xff);
    }

    private static boolean isContinuation(int octet) {
        return (octet & 0xc0) == 0x80;
    }
}
