package dev.fanfare;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Workers of this node that share the logged publications of a channel with the other workers of their group, on all
 * nodes: each publication is a job for one of them, at least once, until one acknowledges it.
 *
 * <pre>{@code
 * Workers workers = fanfare.workers(ChannelId.of("jobs:mail"), "senders")
 *         .deadLetters(ChannelId.of("jobs:mail-dead"))
 *         .start(job -> {
 *             send(job.publication().data());
 *             job.acknowledge();
 *         });
 * }</pre>
 *
 * <p><b>Bounds:</b> jobs are the channel's own log: its retention bounds how many can wait. What it throws away before it
 * was acknowledged is lost, counted, and told to {@link Handler#onLost}.
 *
 * <p><b>Ordering:</b> none. Jobs are begun about in the order of the log, side by side.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks.
 */
public interface Workers extends AutoCloseable {

    /** Returns what these workers have done so far. */
    Counts counts();

    /** Takes no more jobs. What is under way can still be acknowledged; the rest is given to others in time. */
    @Override
    void close();

    /**
     * What workers have done.
     *
     * @param delivered how many jobs were given to the handler
     * @param redelivered how many of them had been given out before
     * @param postponed how often the host executor had no room for one, which then waits for its next delivery
     * @param acknowledged how many are done
     * @param failed how often the handler threw
     * @param dead how many had been given out too often, and were put aside
     * @param lost how many were trimmed from the log before they were acknowledged
     */
    record Counts(
            long delivered, long redelivered, long postponed, long acknowledged, long failed, long dead, long lost) {}

    /** One job, for one worker, for the time of its visibility. */
    interface Job {
        /** Returns what is to be done. */
        Publication publication();

        /** Returns how often it was given out, this time included. */
        int deliveries();

        /** Says that it is done: nobody gets it again. Completes when that is recorded. */
        @CanIgnoreReturnValue
        CompletionStage<Void> acknowledge();
    }

    /**
     * Does the work.
     *
     * <p><b>Threading:</b> called on the host executor, for several jobs at a time; may block as long as that can spare
     * the thread. If it throws, or does not acknowledge in time, the job is given out again when its visibility is over.
     */
    @FunctionalInterface
    interface Handler {
        /** Does one job, and acknowledges it, now or later. */
        void onJob(Job job);

        /** Learns that so many jobs were trimmed from the log before anybody acknowledged them. */
        default void onLost(long count) {}
    }

    /**
     * Starts workers; each setter checks its argument at once.
     *
     * <p><b>Threading:</b> not thread-safe.
     */
    interface Builder {
        /** Sets how many jobs may be under way at a time, 1 to 1,000; default 8. */
        @CanIgnoreReturnValue
        Builder concurrency(int jobs);

        /**
         * Sets how long a job belongs to its worker, 100 ms to 1 day; default 1 minute. It must be longer than a job ever
         * takes, or two workers do it.
         */
        @CanIgnoreReturnValue
        Builder visibility(Duration time);

        /** Sets how often a job is given out before it is put aside, 1 to 1,000; default 5. */
        @CanIgnoreReturnValue
        Builder maxDeliveries(int times);

        /**
         * Sets to which channel jobs are published that were given out too often, with the header {@code
         * dead-letter-of}. Without one they are logged, counted and forgotten.
         *
         * @throws IllegalArgumentException if that is the channel of the jobs, or one that retains nothing
         */
        @CanIgnoreReturnValue
        Builder deadLetters(ChannelId letters);

        /** Starts. */
        Workers start(Handler handler);
    }
}
