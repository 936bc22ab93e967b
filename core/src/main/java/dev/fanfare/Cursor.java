package dev.fanfare;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Says "I have everything up to here" of one channel: an offset within an epoch, and the tag of the
 * publication at that offset.
 *
 * <p>The tag proves that both sides mean the same history: after a failover to a stale replica the
 * same offsets can be issued again with other content, and only the tag tells them apart. A
 * position without a known tag (protocols that carry none) has tag {@link #NO_TAG} and is checked by
 * epoch and offset alone. Offset 0, before the first publication, always has {@link #NO_TAG}.
 *
 * <p>Cursors of different epochs cannot be compared; there is no order between them.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param epoch the name of one life of the channel's log; 1 to 32 letters or digits, or {@code ""}
 *     for {@link #ofUnknownEpoch}
 * @param offset the last publication held; 0 for none
 * @param tag that publication's tag, or {@link #NO_TAG}
 */
public record Cursor(String epoch, long offset, long tag) {

    /** Stands for "tag unknown", and for the tag of offset 0. No publication ever has it. */
    public static final long NO_TAG = 0;

    /** Longest text that {@link #parse} looks at, in characters. */
    public static final int MAX_TEXT_LENGTH = 80;

    private static final int MAX_EPOCH_LENGTH = 32;
    private static final Pattern TEXT =
            Pattern.compile("v1\\.([A-Za-z0-9]{1,32})\\.(0|[1-9][0-9]{0,18})\\.(0|[1-9a-f][0-9a-f]{0,15})");

    /** Checks the parts. */
    public Cursor {
        requireNonNull(epoch, "epoch");
        if (!isEpoch(epoch)) {
            throw new IllegalArgumentException("epoch must be at most 32 letters or digits");
        }
        if (offset < 0) {
            throw new IllegalArgumentException("offset must not be negative: " + offset);
        }
    }

    /** Returns a position for which no tag is known. */
    public static Cursor of(String epoch, long offset) {
        return new Cursor(epoch, offset, NO_TAG);
    }

    /**
     * Returns a position in whatever epoch the channel is in: only the offset is checked on resume.
     * For protocols that allow it; {@link #parse} never yields one.
     */
    public static Cursor ofUnknownEpoch(long offset) {
        return new Cursor("", offset, NO_TAG);
    }

    /** Tells whether the epoch is known. */
    public boolean hasEpoch() {
        return !epoch.isEmpty();
    }

    /** Reads the text form; empty for anything that {@link #toString} would not write. */
    public static Optional<Cursor> parse(String text) {
        if (text.length() > MAX_TEXT_LENGTH) {
            return Optional.empty();
        }
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            long offset = Long.parseLong(matcher.group(2));
            return Optional.of(new Cursor(matcher.group(1), offset, Long.parseUnsignedLong(matcher.group(3), 16)));
        } catch (NumberFormatException beyondLong) {
            return Optional.empty();
        }
    }

    /**
     * Tells whether this position is further on than the other of the same epoch.
     *
     * @throws IllegalArgumentException if the epochs differ
     */
    public boolean isAfter(Cursor other) {
        if (!epoch.equals(other.epoch)) {
            throw new IllegalArgumentException(
                    "Positions of different epochs have no order: " + epoch + " and " + other.epoch);
        }
        return offset > other.offset;
    }

    /** Looks at each character itself: positions are made for every publication. */
    private static boolean isEpoch(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) {
                return false;
            }
        }
        return text.length() <= MAX_EPOCH_LENGTH;
    }

    /** Returns the opaque text form for clients: {@code v1.<epoch>.<offset>.<tag in hex>}. */
    @Override
    public String toString() {
        return "v1." + epoch + '.' + offset + '.' + Long.toHexString(tag);
    }
}
