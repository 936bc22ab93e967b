package dev.fanfare.redis;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Hears one pub/sub channel. Both methods are called by one worker, one at a time; they return soon and do not throw.
 */
abstract class Line {

    final PubSub kind;
    final String name;
    /** Whether the worker knows that it has to call {@link #interrupted}. */
    final AtomicBoolean isInterruptionDue = new AtomicBoolean();

    Line(PubSub kind, String name) {
        this.kind = kind;
        this.name = name;
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
