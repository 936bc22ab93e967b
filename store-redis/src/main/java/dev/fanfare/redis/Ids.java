package dev.fanfare.redis;

import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicLong;

/** Makes names that nobody else makes. Thread-safe. */
final class Ids {

    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final int PREFIX_LENGTH = 9;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final String prefix = random(PREFIX_LENGTH);
    private final AtomicLong count = new AtomicLong();

    /** Returns a new name of at most 22 letters and digits, different each time. */
    String next() {
        return prefix + Long.toString(count.incrementAndGet(), 36);
    }

    /** Returns a random name of that length. */
    static String random(int length) {
        StringBuilder name = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            name.append(LETTERS.charAt(RANDOM.nextInt(LETTERS.length())));
        }
        return name.toString();
    }
}
