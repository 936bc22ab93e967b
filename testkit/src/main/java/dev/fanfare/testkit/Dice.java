package dev.fanfare.testkit;

import java.time.Duration;
import java.util.Random;

/**
 * Decides by chance, the same way for the same seed and order of questions.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class Dice {

    private final Random random;

    Dice(long seed) {
        this.random = new Random(seed);
    }

    static double share(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be in [0, 1]: " + share);
        }
        return share;
    }

    boolean roll(double share) {
        return share > 0 && random.nextDouble() < share;
    }

    Duration upTo(Duration longest) {
        return Duration.ofNanos((long) (random.nextDouble() * longest.toNanos()));
    }
}
