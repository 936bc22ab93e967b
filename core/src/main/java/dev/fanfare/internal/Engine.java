package dev.fanfare.internal;

import dev.fanfare.Fanfare;

/** Being written. */
public final class Engine {
    private Engine() {}

    /** Being written. */
    public static Fanfare start(Settings settings) {
        throw new IllegalStateException("being written " + settings);
    }
}
