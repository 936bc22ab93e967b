package dev.fanfare.examples;

/** Something that was started and can be ended. */
interface Running extends AutoCloseable {

    @Override
    void close();
}
