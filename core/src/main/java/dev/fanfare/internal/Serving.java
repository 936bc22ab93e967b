package dev.fanfare.internal;

import dev.fanfare.DisconnectReason;
import dev.fanfare.Publication;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import org.jspecify.annotations.Nullable;

/**
 * Gives a publication to the subscribers of one lane.
 *
 * <p>It goes batch by batch: first all of a batch are asked who takes it, then those are written to, and what was written
 * leaves before the next batch. With many subscribers, what is known of each of them is far away in memory by the time
 * it is needed. Asking is little work, so that a processor fetches the state of several at a time, and what it has
 * fetched is still at hand when the bytes leave.
 *
 * <p><i>State.</i> Who takes it, and what was encoded last; nothing between two publications.
 *
 * <p><i>Threads.</i> One for each event loop, and confined to it.
 */
final class Serving {

    private static final int BATCH = 32;

    private final LoopQueue queue;
    private final @Nullable Reader[] takers = new Reader[BATCH];
    private @Nullable FrameEncoder encoder;
    private boolean isDifference;
    private @Nullable Frame frame;
    private int delivered;
    private int bytes;

    Serving(LoopQueue queue) {
        this.queue = queue;
    }

    /** Gives the publication to every live subscriber of the lane. */
    void serve(Lane lane, Broadcast broadcast, Publication publication) {
        try {
            for (int end = lane.size(); end > 0; end -= BATCH) {
                serve(lane, Math.max(0, end - BATCH), end, broadcast, publication);
                queue.flushIfLast();
            }
            tell(lane.topic, broadcast);
        } finally {
            encoder = null;
            frame = null;
            delivered = 0;
            bytes = 0;
        }
    }

    private void serve(Lane lane, int from, int to, Broadcast broadcast, Publication publication) {
        int count = ask(lane, from, to, publication);
        for (int i = 0; i < count; i++) {
            write(takers[i], broadcast, publication);
            takers[i] = null;
        }
    }

    /** Notes who takes the publication, of those from one place to before another, and returns how many. */
    private int ask(Lane lane, int from, int to, Publication publication) {
        int count = 0;
        for (int i = Math.min(to, lane.size()) - 1; i >= from; i--) {
            Reader reader = lane.reader(i);
            if (accepts(reader, publication)) {
                takers[count++] = reader;
            }
        }
        return count;
    }

    private static boolean accepts(Reader reader, Publication publication) {
        try {
            return reader.accepts(publication);
        } catch (RuntimeException | Error broken) {
            reader.port.failed(broken);
            return false;
        }
    }

    private void write(Reader reader, Broadcast broadcast, Publication publication) {
        try {
            Frame wanted = frameFor(reader.outgoing, broadcast);
            if (wanted == null) {
                reader.port.outlet().disconnect(DisconnectReason.INAPPROPRIATE_PROTOCOL);
            } else {
                reader.write(wanted, publication);
                delivered++;
                bytes += wanted.bytes();
            }
        } catch (RuntimeException | Error broken) {
            reader.port.failed(broken);
        }
    }

    /** Returns the frame for a subscriber, most often that of the one before; null if its format cannot carry it. */
    private @Nullable Frame frameFor(Outgoing outgoing, Broadcast broadcast) {
        FrameEncoder wanted = outgoing.encoder();
        boolean wantsDifference = outgoing.wantsDifference(broadcast.previous);
        if (wanted != encoder || wantsDifference != isDifference) {
            encoder = wanted;
            isDifference = wantsDifference;
            frame = Lane.encodeOrNull(broadcast, wanted, wantsDifference);
        }
        return frame;
    }

    private void tell(Topic topic, Broadcast broadcast) {
        if (delivered > 0) {
            topic.hub.listener.onDeliver(topic.channel, delivered, bytes);
            topic.hub.listener.onFanOut(topic.channel, topic.hub.time.nanos() - broadcast.begunNanos);
        }
    }
}
