package dev.fanfare.bench.load;

import java.time.Duration;

/**
 * What a run does. Publication number n goes to channel n modulo the number of channels, and is due n / rate seconds
 * after the start; reader i reads channel i modulo the number of channels.
 *
 * @param readers how many connections read, each one channel
 * @param channels how many channels there are
 * @param rate publications a second, of all channels together
 * @param warmUp how long to publish before measuring
 * @param time how long to measure
 * @param publishers how many connections publish
 */
record Plan(int readers, int channels, int rate, Duration warmUp, Duration time, int publishers) {

    private static final double SECOND = 1e9;

    /** Returns how many publications there are in all. */
    int publications() {
        return Math.toIntExact((warmUp.toMillis() + time.toMillis()) * rate / 1000);
    }

    /** Returns the number of the first publication that is measured. */
    int firstMeasured() {
        return Math.toIntExact(warmUp.toMillis() * rate / 1000);
    }

    /** Returns the channel that a publication goes to. */
    int channelOf(int publication) {
        return publication % channels;
    }

    /** Returns the connection that a publication goes through: in each channel they take turns. */
    int publisherOf(int publication) {
        return (publication / channels + publication % channels) % publishers;
    }

    /** Returns how long after the start a publication is due, in nanoseconds. */
    long dueNanos(int publication) {
        return (long) (publication * SECOND / rate);
    }
}
