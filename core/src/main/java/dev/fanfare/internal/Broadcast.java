package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.Keep;
import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * One publication, or one join or leave, on its way to the lanes of a topic, with what it was encoded
 * to so far.
 *
 * <p><i>State.</i> A short list of (encoder, frame), and how many lanes have yet to finish.
 *
 * <p><i>Threads.</i> Any lane may ask for a frame; the first one encodes. Two that ask at the same
 * moment may both encode, and one result is dropped: cheaper than a lock.
 *
 * <p><i>Bounds.</i> As many frames as there are wire formats. The last lane releases them.
 */
final class Broadcast {

    private static final AtomicIntegerFieldUpdater<Broadcast> LANES =
            AtomicIntegerFieldUpdater.newUpdater(Broadcast.class, "lanes");
    private static final AtomicReferenceFieldUpdater<Broadcast, @Nullable Encoded> ENCODED =
            AtomicReferenceFieldUpdater.newUpdater(Broadcast.class, Encoded.class, "encoded");

    private record Encoded(
            FrameEncoder encoder, Frame frame, @Nullable Encoded next) {
        @Nullable
        Frame find(FrameEncoder wanted) {
            for (Encoded each = this; each != null; each = each.next) {
                if (each.encoder == wanted) {
                    return each.frame;
                }
            }
            return null;
        }
    }

    final ChannelId channel;
    final @Nullable Publication publication;
    /** When it was handed to the lanes; see {@code TimeSource.nanos()}. */
    final long begunNanos;

    private final @Nullable PresenceEvent presence;

    @Keep // through LANES
    private volatile int lanes;

    private volatile @Nullable Encoded encoded;

    private Broadcast(
            ChannelId channel,
            @Nullable Publication publication,
            @Nullable PresenceEvent presence,
            int lanes,
            long begunNanos) {
        this.begunNanos = begunNanos;
        this.lanes = lanes;
        this.channel = channel;
        this.publication = publication;
        this.presence = presence;
    }

    static Broadcast of(ChannelId channel, Publication publication, int lanes, long nanos) {
        return new Broadcast(channel, publication, null, lanes, nanos);
    }

    static Broadcast of(ChannelId channel, PresenceEvent presence, int lanes) {
        return new Broadcast(channel, null, presence, lanes, 0);
    }

    /** Returns this in that wire format. */
    Frame frame(FrameEncoder encoder) {
        Encoded known = encoded;
        Frame found = known == null ? null : known.find(encoder);
        return found == null ? encode(encoder) : found;
    }

    /** Tells that a lane has finished; the last one lets the frames go. */
    void done() {
        if (LANES.decrementAndGet(this) == 0) {
            for (Encoded each = ENCODED.getAndSet(this, null); each != null; each = each.next) {
                each.frame.release();
            }
        }
    }

    private Frame encode(FrameEncoder encoder) {
        Frame fresh = publication != null
                ? encoder.publication(channel, publication)
                : encoder.presence(channel, requireNonNull(presence));
        while (true) {
            Encoded known = encoded;
            Frame theirs = known == null ? null : known.find(encoder);
            if (theirs != null) {
                fresh.release();
                return theirs;
            }
            if (ENCODED.compareAndSet(this, known, new Encoded(encoder, fresh, known))) {
                return fresh;
            }
        }
    }
}
