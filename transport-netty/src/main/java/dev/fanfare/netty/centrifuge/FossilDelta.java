package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Says what is different between two payloads, in the delta format of the Fossil version control system:
 * the length of the new one, then pieces, each copied from the old one or given literally, then a checksum
 * of the new one.
 *
 * <p>What both have in common at their ends is found by comparing them. For what is between, blocks of the old
 * one are indexed by a hash, and looked up by the same hash, rolled over the new one.
 *
 * <p><i>Bounds.</i> Payloads of at most {@link #MOST_BYTES}. Time grows with their length, times at most {@link
 * #MOST_CANDIDATES}; memory is eight bytes per block, and the delta itself, which is given up as soon as it is
 * no smaller than the payload.
 *
 * <p><b>Threading:</b> not thread-safe; used once.
 */
final class FossilDelta {

    static final int MOST_BYTES = 256 * 1024;
    private static final int BLOCK = 16;
    private static final int MOST_CANDIDATES = 16;
    private static final int PRIME = 0x01000193;
    private static final int PRIME_OUT = power(PRIME, BLOCK - 1);
    private static final byte[] DIGITS =
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~".getBytes(US_ASCII);

    private final byte[] from;
    private final byte[] to;
    private final boolean keepsCharacters;
    private final byte[] delta;
    private int size;
    /** Up to where the new payload is said. */
    private int said;

    private FossilDelta(byte[] from, byte[] to, boolean keepsCharacters) {
        this.from = from;
        this.to = to;
        this.keepsCharacters = keepsCharacters;
        this.delta = new byte[to.length];
    }

    /** Returns the delta between any bytes; null if it is not smaller than the new ones. */
    static byte @Nullable [] ofBytes(byte[] from, byte[] to) {
        return of(from, to, false);
    }

    /**
     * Returns the delta between well-formed texts, which is such a text itself: no piece begins or ends within a
     * character. Null if it is not smaller than the new text.
     */
    static byte @Nullable [] ofText(byte[] from, byte[] to) {
        return of(from, to, true);
    }

    private static byte @Nullable [] of(byte[] from, byte[] to, boolean keepsCharacters) {
        boolean isInBounds = from.length > 0 && from.length <= MOST_BYTES && to.length <= MOST_BYTES;
        return isInBounds ? new FossilDelta(from, to, keepsCharacters).make() : null;
    }

    private byte @Nullable [] make() {
        number(to.length);
        put('\n');
        int shorter = Math.min(from.length, to.length);
        int mismatch = Arrays.mismatch(from, to);
        int prefix = mismatch < 0 ? shorter : mismatch;
        int suffix = 0;
        while (suffix < shorter - prefix && from[from.length - 1 - suffix] == to[to.length - 1 - suffix]) {
            suffix++;
        }
        copy(0, 0, prefix);
        search(prefix, to.length - suffix);
        copy(from.length - suffix, to.length - suffix, suffix);
        literal(to.length);
        number(checksum(to));
        put(';');
        return size < to.length ? Arrays.copyOf(delta, size) : null;
    }

    // ---- what is between the ends

    private void search(int begin, int end) {
        if (end - begin < BLOCK || from.length < BLOCK || isTooLong()) {
            return;
        }
        BlockIndex index = new BlockIndex();
        int at = begin;
        int hash = hash(to, at);
        while (at + BLOCK <= end && !isTooLong()) {
            int next = index.copyBest(at, end, hash);
            if (next > at && next + BLOCK <= end) {
                hash = hash(to, next);
            } else if (next == at && ++next + BLOCK <= end) {
                hash = (hash - to[at] * PRIME_OUT) * PRIME + to[at + BLOCK];
            }
            at = next;
        }
    }

    /** Where the blocks of the old payload are, by their hash. */
    private final class BlockIndex {
        private final int[] newest;
        private final int[] older;
        private final int mask;

        BlockIndex() {
            int blocks = from.length / BLOCK;
            mask = Math.max(16, Integer.highestOneBit(blocks) << 1) - 1;
            newest = new int[mask + 1];
            older = new int[blocks + 1];
            for (int block = blocks; block > 0; block--) {
                int slot = slot(hash(from, (block - 1) * BLOCK));
                older[block] = newest[slot];
                newest[slot] = block;
            }
        }

        private int slot(int hash) {
            return ((hash * 0x9E3779B9) >>> 8) & mask;
        }

        /** Copies the longest piece found around that place; returns where to go on, the same place if there is none. */
        int copyBest(int at, int end, int hash) {
            int bestFrom = 0;
            int bestAt = 0;
            int bestLength = 0;
            int candidates = 0;
            for (int block = newest[slot(hash)]; block > 0 && candidates < MOST_CANDIDATES; block = older[block]) {
                candidates++;
                int start = (block - 1) * BLOCK;
                int ahead = common(start, at, end);
                if (ahead >= BLOCK) {
                    int behind = commonBefore(start, at);
                    if (ahead + behind > bestLength) {
                        bestFrom = start - behind;
                        bestAt = at - behind;
                        bestLength = ahead + behind;
                    }
                }
            }
            return bestLength > 0 && copy(bestFrom, bestAt, bestLength) ? bestAt + bestLength : at;
        }

        private int common(int start, int at, int end) {
            int most = Math.min(from.length - start, end - at);
            int mismatch = Arrays.mismatch(from, start, start + most, to, at, at + most);
            return mismatch < 0 ? most : mismatch;
        }

        private int commonBefore(int start, int at) {
            int length = 0;
            while (start > length && at - length > said && from[start - length - 1] == to[at - length - 1]) {
                length++;
            }
            return length;
        }
    }

    private static int hash(byte[] bytes, int at) {
        int hash = 0;
        for (int i = at; i < at + BLOCK; i++) {
            hash = hash * PRIME + bytes[i];
        }
        return hash;
    }

    private static int power(int base, int exponent) {
        int power = 1;
        for (int i = 0; i < exponent; i++) {
            power *= base;
        }
        return power;
    }

    // ---- writing

    /** Says a piece by copying it, if that is shorter than to say it literally. */
    @CanIgnoreReturnValue
    private boolean copy(int start, int at, int length) {
        int begin = at;
        int end = at + length;
        if (keepsCharacters) {
            while (begin < end && isWithinCharacter(begin)) {
                begin++;
            }
            while (end > begin && isWithinCharacter(end)) {
                end--;
            }
        }
        int source = start + begin - at;
        if (end - begin <= digits(end - begin) + digits(source) + 2) {
            return false;
        }
        literal(begin);
        number(end - begin);
        put('@');
        number(source);
        put(',');
        said = end;
        return true;
    }

    private boolean isWithinCharacter(int at) {
        return at < to.length && (to[at] & 0xc0) == 0x80;
    }

    /** Says literally what was not said before that place. */
    private void literal(int end) {
        int length = end - said;
        if (length > 0) {
            number(length);
            put(':');
            if (size + length <= delta.length) {
                System.arraycopy(to, said, delta, size, length);
            }
            size += length;
            said = end;
        }
    }

    private void number(int value) {
        for (int shift = (digits(value) - 1) * 6; shift >= 0; shift -= 6) {
            put(DIGITS[(value >>> shift) & 63]);
        }
    }

    private static int digits(int value) {
        int digits = 1;
        for (int rest = value >>> 6; rest != 0; rest >>>= 6) {
            digits++;
        }
        return digits;
    }

    /** Counts on beyond the end, so that it is known to be too long. */
    private void put(int octet) {
        if (size < delta.length) {
            delta[size] = (byte) octet;
        }
        size++;
    }

    private boolean isTooLong() {
        return size >= to.length;
    }

    /** Adds up the bytes as big-endian words of 32 bits. */
    private static int checksum(byte[] bytes) {
        int sum = 0;
        for (int i = 0; i < bytes.length; i++) {
            sum += (bytes[i] & 0xff) << (24 - 8 * (i & 3));
        }
        return sum;
    }
}
