package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Hands out the logged publications of a channel as jobs: each to one worker of a group, until it is acknowledged. A
 * {@link ChannelLog} that can do so offers it.
 *
 * <p>Jobs are the log's own entries: what the namespace's retention throws away is gone for workers too.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks. Stages complete on any thread that may run short internal work.
 *
 * @implSpec
 *     <ol>
 *       <li>A group begins with the oldest publication that is retained, and gets each later one.
 *       <li>What was handed out is handed out again only after its visibility is over, to whoever asks with {@code
 *           isRecovering} then; each time it counts one delivery more.
 *       <li>What was acknowledged is never handed out again.
 *       <li>What was trimmed before it was acknowledged is counted as lost, once, in the answer to one caller.
 *     </ol>
 */
public interface WorkQueues {

    /** Takes jobs. */
    CompletionStage<Taken> take(Take request);

    /** Acknowledges jobs by their offsets. */
    CompletionStage<Void> acknowledge(ChannelId channel, String group, List<Long> offsets);

    /**
     * Which jobs to take.
     *
     * @param channel of which channel
     * @param group as which group
     * @param worker as which worker of it; a name of its own
     * @param limit at most so many
     * @param visibility how long nobody else is given them
     * @param isRecovering whether to look for those first that another worker did not acknowledge in time
     */
    record Take(ChannelId channel, String group, String worker, int limit, Duration visibility, boolean isRecovering) {}

    /**
     * What was taken.
     *
     * @param deliveries the jobs; unmodifiable
     * @param lost how many were trimmed before they were acknowledged, since that was told last
     */
    record Taken(List<Delivery> deliveries, long lost) {}

    /**
     * One job.
     *
     * @param publication what is to be done
     * @param count how often it was handed out, this time included
     */
    record Delivery(Publication publication, int count) {}
}
