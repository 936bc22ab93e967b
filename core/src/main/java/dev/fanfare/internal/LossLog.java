package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.DropReason;
import dev.fanfare.FanfareListener;
import dev.fanfare.ResetReason;
import dev.fanfare.spi.LogLine;

/**
 * Writes a line for what subscribers did not get. Values that a newer one replaced, as their channel's rules want it, are
 * no loss.
 *
 * <p><i>Threads.</i> Thread-safe.
 */
final class LossLog implements FanfareListener {

    private final LogLine drops =
            LogLine.info(LossLog.class, "Publications, joins or leaves were not given to a subscriber");
    private final LogLine behind = LogLine.info(LossLog.class, "A subscriber was reset, as it missed too much");
    private final LogLine astray =
            LogLine.warn(LossLog.class, "A subscriber was reset, as its channel's log is not the one that it knew");

    @Override
    public void onDrop(ChannelId channel, DropReason reason, long count) {
        if (reason != DropReason.CONFLATED) {
            drops.log("channel", channel, "reason", reason, "count", count);
        }
    }

    @Override
    public void onReset(ChannelId channel, ResetReason reason) {
        LogLine line = switch (reason) {
            case EPOCH, DIVERGED -> astray;
            case TRIMMED, TOO_FAR -> behind;
        };
        line.log("channel", channel, "reason", reason);
    }
}
