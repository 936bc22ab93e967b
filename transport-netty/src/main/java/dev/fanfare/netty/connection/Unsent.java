package dev.fanfare.netty.connection;

import dev.fanfare.DisconnectReason;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What waits for the clients of one event loop that do not read. Each of them is given nothing more, so what waits for
 * one is bounded; this bounds it for all of them together, and in time. Who takes nothing for too long is cut off, and
 * so are those for whom most waits when it is too much for all. They come back with their cursors.
 *
 * <p><i>State.</i> One {@link Stall} for each client whose channel is full, with the bytes that waited when that was
 * looked at last: nothing but answers and pings is added while it is full, so it is hardly ever more.
 *
 * <p><b>Threading:</b> confined to its event loop.
 */
final class Unsent {

    private final Heartbeats heartbeats;
    private final UnsentLimits limits;
    private final AtomicLong onAllLoops;
    private final Set<Stall> stalls = new HashSet<>();
    private long bytes;

    Unsent(Heartbeats heartbeats, UnsentLimits limits, AtomicLong onAllLoops) {
        this.heartbeats = heartbeats;
        this.limits = limits;
        this.onAllLoops = onAllLoops;
    }

    /** Takes note that a channel is full. */
    Stall begin(ChannelOutlet outlet, Channel channel) {
        Stall stall = new Stall(outlet, channel);
        stalls.add(stall);
        stall.lookAgain();
        while (bytes > limits.maxBytes() && stalls.size() > 1) {
            largest(stall).giveUp();
        }
        return stall;
    }

    private Stall largest(Stall any) {
        Stall largest = any;
        for (Stall each : stalls) {
            if (each.waiting > largest.waiting) {
                largest = each;
            }
        }
        return largest;
    }

    private void add(long more) {
        bytes += more;
        onAllLoops.addAndGet(more);
    }

    /** One client that does not read. */
    final class Stall extends Beat {
        private final ChannelOutlet outlet;
        private final Channel channel;
        private long waiting;

        private Stall(ChannelOutlet outlet, Channel channel) {
            this.outlet = outlet;
            this.channel = channel;
        }

        private void lookAgain() {
            long before = waiting;
            ChannelOutboundBuffer queue = channel.unsafe().outboundBuffer();
            waiting = queue == null ? 0 : queue.totalPendingWriteBytes();
            add(waiting - before);
            heartbeats.schedule(this, limits.patience());
        }

        @Override
        protected void due() {
            long before = waiting;
            lookAgain();
            if (waiting >= before) {
                giveUp();
            }
        }

        private void giveUp() {
            end();
            channel.eventLoop()
                    .execute(
                            () -> { // and not within whatever write filled it
                                outlet.disconnect(DisconnectReason.SLOW);
                                channel.close(); // it does not read the farewell either, and what waits is to go
                            });
        }

        /** The client reads again, or is gone. */
        void end() {
            if (stalls.remove(this)) {
                heartbeats.cancel(this);
                add(-waiting);
            }
        }
    }
}
