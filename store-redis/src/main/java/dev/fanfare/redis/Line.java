package dev.fanfare.redis;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Hears one pub/sub channel. Both methods are called by one worker, one at a time; they return soon and do not throw.
 */
abstract class Line {

    final PubSub kind;
    final String name;
    /** How many calls of {@link #interrupted} the worker owes, of which one will do; zero when it has returned. */
    final AtomicInteger interruptionsDue = new AtomicInteger();

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
