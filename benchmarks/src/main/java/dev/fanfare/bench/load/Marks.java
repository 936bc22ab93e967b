package dev.fanfare.bench.load;

import io.netty.buffer.ByteBuf;
import java.util.Locale;
import java.util.function.IntConsumer;

/**
 * The mark by which a publication is known wherever it turns up: its number between two tildes. Finds the marks in
 * what one connection receives, in whatever pieces it comes.
 */
final class Marks {

    private static final int DIGITS = 10;
    private static final byte BORDER = '~';

    /** How many digits of a mark were seen; less than none outside of one. */
    private int seen = -1;

    private int number;

    /** Returns the payload of a publication: a JSON string of that many bytes, or as few as the mark needs. */
    static String payload(int publication, int bytes) {
        String mark = String.format(Locale.ROOT, "\"~%010d~", publication);
        return mark + "x".repeat(Math.max(0, bytes - mark.length() - 1)) + '"';
    }

    /** Looks through the readable bytes. */
    void scan(ByteBuf piece, IntConsumer found) {
        int index = piece.readerIndex();
        int end = piece.writerIndex();
        while (index < end) {
            if (seen < 0) {
                int border = piece.indexOf(index, end, BORDER);
                if (border < 0) {
                    return;
                }
                index = border + 1;
                seen = 0;
                number = 0;
            } else {
                take(piece.getByte(index++), found);
            }
        }
    }

    private void take(byte next, IntConsumer found) {
        if (seen < DIGITS && next >= '0' && next <= '9') {
            seen++;
            number = number * 10 + next - '0';
        } else {
            if (seen == DIGITS && next == BORDER) {
                found.accept(number);
            }
            seen = -1;
        }
    }
}
