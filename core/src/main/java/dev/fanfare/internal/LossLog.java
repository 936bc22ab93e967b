package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.DropReason;
import dev.fanfare.FanfareListener;
import dev.fanfare.ResetReason;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a line for what subscribers did not get, at most one of a kind in ten seconds. Values that a newer one
 * replaced, as their channel's rules want it, are no loss.
 *
 * <p><i>Threads.</i> Thread-safe.
 */
final class LossLog implements FanfareListener {

    private static final Logger LOG = LoggerFactory.getLogger("dev.fanfare.loss");
    private static final Duration PAUSE = Duration.ofSeconds(10);

    private final Map<DropReason, Throttle> drops = throttles(DropReason.class);
    private final Map<ResetReason, Throttle> resets = throttles(ResetReason.class);

    private static <E extends Enum<E>> Map<E, Throttle> throttles(Class<E> reasons) {
        Map<E, Throttle> all = new EnumMap<>(reasons);
        for (E reason : reasons.getEnumConstants()) {
            all.put(reason, new Throttle(PAUSE));
        }
        return all;
    }

    @Override
    public void onDrop(ChannelId channel, DropReason reason, long count) {
        if (reason != DropReason.CONFLATED) {
            info(
                    requireNonNull(drops.get(reason)),
                    "{} of channel {} were not given to a subscriber: {}",
                    count,
                    channel,
                    reason);
        }
    }

    @Override
    public void onReset(ChannelId channel, ResetReason reason) {
        info(requireNonNull(resets.get(reason)), "{} subscriber of channel {} was reset: {}", 1, channel, reason);
    }

    private static void info(Throttle throttle, String text, Object... about) {
        long suppressed = throttle.enter();
        if (suppressed >= 0) {
            LOG.info(text + Throttle.more(suppressed), about);
        }
    }
}
