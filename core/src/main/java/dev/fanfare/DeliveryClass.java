package dev.fanfare;

/**
 * Says what happens to a subscriber that lags behind its channel.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class DeliveryClass {

    /** The four classes. */
    public enum Kind {
        /** Catches up from the log; nothing is skipped. */
        RELIABLE,
        /** Gets the newest publication per key; older ones are skipped and counted. */
        STATE,
        /** Like STATE, and never more often than a given rate per key. */
        SAMPLED,
        /** Loses what it has no room for, and is told how many. */
        EPHEMERAL
    }

    private static final DeliveryClass RELIABLE = new DeliveryClass(Kind.RELIABLE, 0);
    private static final DeliveryClass STATE = new DeliveryClass(Kind.STATE, 0);
    private static final DeliveryClass EPHEMERAL = new DeliveryClass(Kind.EPHEMERAL, 0);

    private final Kind kind;
    private final double maxPerSecond;

    private DeliveryClass(Kind kind, double maxPerSecond) {
        this.kind = kind;
        this.maxPerSecond = maxPerSecond;
    }

    /** A lagging subscriber catches up from the log. The default. */
    public static DeliveryClass reliable() {
        return RELIABLE;
    }

    /** A lagging subscriber gets only the newest publication per {@link Publication#key key}. */
    public static DeliveryClass state() {
        return STATE;
    }

    /**
     * Every subscriber gets at most that many publications per key and second, the newest; the last
     * one of a burst is always sent.
     *
     * @param maxPerSecond more than 0, at most 1000
     */
    public static DeliveryClass sampled(double maxPerSecond) {
        if (!(maxPerSecond > 0 && maxPerSecond <= 1000)) {
            throw new IllegalArgumentException("maxPerSecond must be in (0, 1000]: " + maxPerSecond);
        }
        return new DeliveryClass(Kind.SAMPLED, maxPerSecond);
    }

    /** A lagging subscriber loses what it could not be sent, and is told how many that were. */
    public static DeliveryClass ephemeral() {
        return EPHEMERAL;
    }

    /** Returns which of the four this is. */
    public Kind kind() {
        return kind;
    }

    /** Returns the rate of SAMPLED, 0 for the others. */
    public double maxPerSecond() {
        return maxPerSecond;
    }

    @Override
    public String toString() {
        return kind == Kind.SAMPLED ? "SAMPLED(" + maxPerSecond + "/s)" : kind.name();
    }
}
