package dev.fanfare;

import static java.util.Objects.requireNonNull;

/**
 * Stands for all channels whose names match: {@code '*'} for any characters, also none and also {@code ':'}, everything
 * else for itself. {@code metrics:*} are all channels of a namespace.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param value the pattern
 */
public record ChannelPattern(String value) {

    /**
     * Checks the pattern, which must be one that could name a channel.
     *
     * @throws IllegalArgumentException if {@link ChannelId#isValid} refuses it
     */
    public ChannelPattern {
        requireNonNull(value, "value");
        if (!ChannelId.isValid(value)) {
            throw new IllegalArgumentException("A pattern has 1 to " + ChannelId.MAX_LENGTH
                    + " characters, none of them a control character; got " + value.length());
        }
    }

    /** Returns that pattern. */
    public static ChannelPattern of(String value) {
        return new ChannelPattern(value);
    }

    /** Tells whether it stands for that channel; takes its time, but never more than quadratic. */
    public boolean matches(ChannelId channel) {
        String text = channel.value();
        int at = 0;
        int star = -1;
        int resume = 0;
        int i = 0;
        while (i < text.length()) {
            if (at < value.length() && value.charAt(at) == '*') {
                star = at++;
                resume = i;
            } else if (at < value.length() && value.charAt(at) == text.charAt(i)) {
                at++;
                i++;
            } else if (star >= 0) {
                at = star + 1; // the last star takes one character more
                i = ++resume;
            } else {
                return false;
            }
        }
        while (at < value.length() && value.charAt(at) == '*') {
            at++;
        }
        return at == value.length();
    }

    /** Returns the pattern. */
    @Override
    public String toString() {
        return value;
    }
}
