package dev.fanfare.redis;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Hears one pub/sub channel. Both methods are called by one worker, one at a time; they return soon and do not throw.
 */
abstract class Line {

    final String name;
    /** Whether the worker knows that it has to call {@link #interrupted}. */
    final AtomicBoolean isInterruptionDue = new AtomicBoolean();

    Line(String name) {
        this.name = name;
    }

    /** Tells whether the name is a pattern, for many pub/sub channels. */
    boolean isPattern() {
        return false;
    }

    /** Hears a message. */
    abstract void message(byte[] bytes);

    /** Hears a message of that pub/sub channel, which is this one or matches. */
    void message(String from, byte[] bytes) {
        message(bytes);
    }

    /** Learns that messages may have been lost. */
    abstract void interrupted();
}
