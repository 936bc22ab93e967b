package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.Refusal;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the log lines about things that can go wrong thousands of times a second, each kind at most
 * once a second, with the number of those left out.
 *
 * <p><i>Threads.</i> Thread-safe.
 */
final class EventLog {

    private static final Logger LOG = LoggerFactory.getLogger("dev.fanfare");

    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final Throttle opens = new Throttle(PAUSE);
    private final Throttle repairs = new Throttle(PAUSE);
    private final Throttle hosts = new Throttle(PAUSE);
    private final Throttle filters = new Throttle(PAUSE);
    private final Throttle publishes = new Throttle(PAUSE);
    private final Throttle announcements = new Throttle(PAUSE);
    private final Throttle jobs = new Throttle(PAUSE);
    private final Throttle refusals = new Throttle(PAUSE);
    private final Throttle presences = new Throttle(PAUSE);

    void openFailed(ChannelId channel, @Nullable Throwable failure) {
        warn(opens, "Cannot subscribe to channel {}: {}", channel, failure);
    }

    void repairFailed(ChannelId channel, Throwable failure) {
        warn(repairs, "Cannot read the log of channel {}, trying again soon: {}", channel, failure);
    }

    void hostFailed(String what, @Nullable Throwable failure) {
        warn(hosts, "The host's {} failed; the answer is no: {}", what, failure);
    }

    void filterFailed(ChannelId channel, Throwable failure) {
        warn(filters, "A filter of a subscription to channel {} failed; the publication is sent: {}", channel, failure);
    }

    void publishFailed(ChannelId channel, Throwable failure) {
        warn(publishes, "A publish to channel {} failed, its outcome is unknown: {}", channel, failure);
    }

    void announcementFailed(ChannelId channel, Throwable failure) {
        warn(
                announcements,
                "A publication to channel {} was accepted but not announced; nodes fetch it from the log by and by: {}",
                channel,
                failure);
    }

    void jobsFailed(ChannelId channel, @Nullable Throwable failure) {
        warn(jobs, "Cannot take jobs of channel {}, trying again in a second: {}", channel, failure);
    }

    void publishRefused(ChannelId channel, Refusal reason) {
        String hint = reason == Refusal.UNKNOWN_NAMESPACE
                ? " (where any namespace is declared, also the one of channels without ':' must be)"
                : "";
        warn(refusals, "The host's publish to channel {} was refused: {}", channel, reason + hint);
    }

    void presenceFailed(String what, Throwable failure) {
        warn(presences, "Presence: {} failed: {}", what, failure);
    }

    private static void warn(Throttle throttle, String text, Object about, @Nullable Object failure) {
        long suppressed = throttle.enter();
        if (suppressed >= 0) {
            LOG.warn(text + Throttle.more(suppressed), about, String.valueOf(failure));
        }
    }
}
