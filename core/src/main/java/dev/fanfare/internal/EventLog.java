package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Refusal;
import dev.fanfare.spi.LogLine;
import org.jspecify.annotations.Nullable;

/**
 * Writes the log lines about things that can go wrong thousands of times a second.
 *
 * <p><i>Threads.</i> Thread-safe.
 */
final class EventLog {

    private final LogLine opens = line("Cannot subscribe to a channel");
    private final LogLine repairs = line("Cannot read the log of a channel, trying again soon");
    private final LogLine hosts = line("The host's code failed; the answer is no");
    private final LogLine filters = line("A filter of a subscription failed; the publication is sent");
    private final LogLine publishes = line("A publish failed, its outcome is unknown");
    private final LogLine announcements =
            line("A publication was accepted but not announced; nodes fetch it from the log by and by");
    private final LogLine jobs = line("Cannot take jobs of a channel, trying again in a second");
    private final LogLine shares = line("A state could not be given to other nodes, which load it themselves");
    private final LogLine refusals = line("A publish of the host was refused");
    private final LogLine presences = line("A change of presence failed");

    private static LogLine line(String sentence) {
        return LogLine.warn(Fanfare.class, sentence);
    }

    void openFailed(ChannelId channel, @Nullable Throwable failure) {
        about(opens, channel, failure);
    }

    void repairFailed(ChannelId channel, Throwable failure) {
        about(repairs, channel, failure);
    }

    void hostFailed(String what, @Nullable Throwable failure) {
        hosts.log("what", what, "failure", failure);
    }

    void filterFailed(ChannelId channel, Throwable failure) {
        about(filters, channel, failure);
    }

    void publishFailed(ChannelId channel, Throwable failure) {
        about(publishes, channel, failure);
    }

    void announcementFailed(ChannelId channel, Throwable failure) {
        about(announcements, channel, failure);
    }

    void jobsFailed(ChannelId channel, @Nullable Throwable failure) {
        about(jobs, channel, failure);
    }

    void sharingFailed(ChannelId channel, Throwable failure) {
        about(shares, channel, failure);
    }

    void publishRefused(ChannelId channel, Refusal reason) {
        if (reason == Refusal.UNKNOWN_NAMESPACE) {
            String hint = "where any namespace is declared, also the one of channels without ':' must be";
            refusals.log("channel", channel, "reason", reason, "hint", hint);
        } else {
            refusals.log("channel", channel, "reason", reason);
        }
    }

    void presenceFailed(String what, Throwable failure) {
        presences.log("what", what, "failure", failure);
    }

    private static void about(LogLine line, ChannelId channel, @Nullable Throwable failure) {
        line.log("channel", channel, "failure", failure);
    }
}
