package dev.fanfare.spi;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;

/**
 * Tells the time and calls back later. Tests bring their own, with time that stands still.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public interface TimeSource {

    /** Returns wall-clock time, in milliseconds since 1970; for stamps, never for durations. */
    long millis();

    /** Returns monotonic time in nanoseconds from an arbitrary start; for durations. */
    long nanos();

    /**
     * Runs the task once after the delay, on a thread of this time source. Tasks are short and never
     * block.
     */
    @CanIgnoreReturnValue
    Timer schedule(Duration delay, Runnable task);

    /** A scheduled task. */
    interface Timer {
        /** Gives it up, if it has not begun. */
        void cancel();
    }
}
