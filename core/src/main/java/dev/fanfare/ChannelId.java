package dev.fanfare;

import static java.util.Objects.requireNonNull;

/**
 * Names a channel: {@code namespace:name}, or just {@code name} in the default namespace.
 *
 * <p>Everything before the first {@code ':'} is the namespace, whose {@link ChannelRules} govern
 * the channel. A name has 1 to {@value #MAX_LENGTH} characters and holds no control characters.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param value the whole name, namespace included
 */
public record ChannelId(String value) implements Comparable<ChannelId> {

    /** Longest allowed name, in characters. */
    public static final int MAX_LENGTH = 255;

    /**
     * Checks the name.
     *
     * @throws IllegalArgumentException if {@link #isValid} refuses it
     */
    public ChannelId {
        requireNonNull(value, "value");
        if (!isValid(value)) {
            throw new IllegalArgumentException("A channel name has 1 to " + MAX_LENGTH
                    + " characters, none of them a control character or half a surrogate pair; got "
                    + value.length() + " characters");
        }
    }

    /** Returns the channel of that name. */
    public static ChannelId of(String value) {
        return new ChannelId(value);
    }

    /** Tells whether the text can name a channel; for names that come from outside. */
    public static boolean isValid(String value) {
        int length = value.length();
        if (length == 0 || length > MAX_LENGTH) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            char c = value.charAt(i);
            if (Character.isISOControl(c)) {
                return false;
            }
            if (Character.isSurrogate(c)) {
                boolean pair =
                        Character.isHighSurrogate(c) && i + 1 < length && Character.isLowSurrogate(value.charAt(i + 1));
                if (!pair) {
                    return false;
                }
                i++;
            }
        }
        return true;
    }

    /** Returns the namespace: what stands before the first {@code ':'}, or {@code ""}. */
    public String namespace() {
        int colon = value.indexOf(':');
        return colon < 0 ? "" : value.substring(0, colon);
    }

    @Override
    public int compareTo(ChannelId other) {
        return value.compareTo(other.value);
    }

    /** Returns the whole name. */
    @Override
    public String toString() {
        return value;
    }
}
