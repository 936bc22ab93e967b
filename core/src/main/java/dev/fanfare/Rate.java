package dev.fanfare;

/**
 * Says how often something may be done: so many times at once, and after that so many times a second. A token
 * bucket that holds {@code burst} tokens and gets {@code perSecond} of them every second.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param perSecond more than 0, at most 10 million
 * @param burst 1 to 10 million
 */
public record Rate(double perSecond, int burst) {

    private static final int MOST = 10_000_000;
    private static final Rate UNLIMITED = new Rate(MOST, MOST);

    /** Checks the numbers. */
    public Rate {
        if (!(perSecond > 0 && perSecond <= MOST)) {
            throw new IllegalArgumentException("perSecond must be in (0, " + MOST + "]: " + perSecond);
        }
        if (burst < 1 || burst > MOST) {
            throw new IllegalArgumentException("burst must be in [1, " + MOST + "]: " + burst);
        }
    }

    /** Says so many times a second, and so many at once. */
    public static Rate of(double perSecond, int burst) {
        return new Rate(perSecond, burst);
    }

    /** Says as often as one likes. */
    public static Rate unlimited() {
        return UNLIMITED;
    }

    /** Tells whether this never refuses anything. */
    public boolean isUnlimited() {
        return equals(UNLIMITED);
    }
}
