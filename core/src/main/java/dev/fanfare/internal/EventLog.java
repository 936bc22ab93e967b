package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.Refusal;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
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

    private final Throttle opens = new Throttle();
    private final Throttle repairs = new Throttle();
    private final Throttle hosts = new Throttle();
    private final Throttle publishes = new Throttle();
    private final Throttle announcements = new Throttle();
    private final Throttle jobs = new Throttle();
    private final Throttle shares = new Throttle();
    private final Throttle refusals = new Throttle();
    private final Throttle presences = new Throttle();

    void openFailed(ChannelId channel, @Nullable Throwable failure) {
        warn(opens, "Cannot subscribe to channel {}: {}", channel, failure);
    }

    void repairFailed(ChannelId channel, Throwable failure) {
        warn(repairs, "Cannot read the log of channel {}, trying again soon: {}", channel, failure);
    }

    void hostFailed(String what, @Nullable Throwable failure) {
        warn(hosts, "The host's {} failed; the answer is no: {}", what, failure);
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

    void sharingFailed(ChannelId channel, Throwable failure) {
        warn(
                shares,
                "The state of channel {} could not be given to other nodes, which load it themselves: {}",
                channel,
                failure);
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
            LOG.warn(
                    text + (suppressed == 0 ? "" : " (and " + suppressed + " more like this)"),
                    about,
                    String.valueOf(failure));
        }
    }

    private static final class Throttle {
        private final AtomicLong quietUntil = new AtomicLong(Long.MIN_VALUE);
        private final AtomicLong suppressed = new AtomicLong();

        /** Returns how many were left out before this one, or -1 to leave this one out too. */
        long enter() {
            long now = System.nanoTime();
            long until = quietUntil.get();
            boolean isOpen = until == Long.MIN_VALUE || now - until >= 0;
            if (isOpen && quietUntil.compareAndSet(until, now + TimeUnit.SECONDS.toNanos(1))) {
                return suppressed.getAndSet(0);
            }
            suppressed.incrementAndGet();
            return -1;
        }
    }
}
