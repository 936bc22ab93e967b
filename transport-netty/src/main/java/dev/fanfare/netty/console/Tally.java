package dev.fanfare.netty.console;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.DropReason;
import dev.fanfare.FanfareListener;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.Rejection;
import dev.fanfare.ResetReason;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Counts what happened since the start, for the page.
 *
 * <p><i>Bounds.</i> As many counters as there are reasons.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class Tally implements FanfareListener {

    final LongAdder publishes = new LongAdder();
    final LongAdder deliveries = new LongAdder();
    final LongAdder bytes = new LongAdder();
    final LongAdder catchUps = new LongAdder();
    final LongAdder repairs = new LongAdder();
    final Reasons resets = new Reasons();
    final Reasons drops = new Reasons();
    final Reasons disconnects = new Reasons();
    final Reasons refusals = new Reasons();
    final Reasons rejections = new Reasons();

    @Override
    public void onPublish(ChannelId channel, PublishResult result) {
        publishes.increment();
    }

    @Override
    public void onDeliver(ChannelId channel, int subscribers, int written) {
        deliveries.add(subscribers);
        bytes.add(written);
    }

    @Override
    public void onCatchUp(ChannelId channel) {
        catchUps.increment();
    }

    @Override
    public void onRepair(ChannelId channel, boolean reset) {
        repairs.increment();
    }

    @Override
    public void onReset(ChannelId channel, ResetReason reason) {
        resets.add(reason, 1);
    }

    @Override
    public void onDrop(ChannelId channel, DropReason reason, long count) {
        drops.add(reason, count);
    }

    @Override
    public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
        disconnects.add(reason, 1);
    }

    @Override
    public void onRefuse(ConnectionInfo connection, @Nullable ChannelId channel, Refusal reason) {
        refusals.add(reason, 1);
    }

    @Override
    public void onReject(Rejection reason) {
        rejections.add(reason, 1);
    }

    /** Counts by the constants of one enum. */
    static final class Reasons {
        private final Map<Enum<?>, LongAdder> counts = new ConcurrentHashMap<>();

        private void add(Enum<?> reason, long count) {
            counts.computeIfAbsent(reason, absent -> new LongAdder()).add(count);
        }

        /** Returns those that occurred, in the order of their names. */
        Map<String, Long> seen() {
            Map<String, Long> seen = new TreeMap<>();
            counts.forEach((reason, count) -> seen.put(reason.name(), count.sum()));
            return seen;
        }
    }
}
