package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.Keep;
import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.DeltaEncoder;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * One publication, or one join or leave, on its way to the lanes of a topic, with what it was encoded
 * to so far. A publication comes with the one that was sent before it, for those who want the difference.
 *
 * <p><i>State.</i> A short list of (encoder, whole or difference, frame), and how many lanes have yet to finish.
 *
 * <p><i>Threads.</i> Any lane may ask for a frame; the first one encodes. Two that ask at the same
 * moment may both encode, and one result is dropped: cheaper than a lock.
 *
 * <p><i>Bounds.</i> As many frames as there are wire formats, and differences in each. The last lane releases
 * them.
 */
final class Broadcast {

    private static final AtomicIntegerFieldUpdater<Broadcast> LANES =
            AtomicIntegerFieldUpdater.newUpdater(Broadcast.class, "lanes");
    private static final AtomicReferenceFieldUpdater<Broadcast, @Nullable Encoded> ENCODED =
            AtomicReferenceFieldUpdater.newUpdater(Broadcast.class, Encoded.class, "encoded");

    private record Encoded(
            FrameEncoder encoder,
            boolean isDifference,
            Frame frame,
            @Nullable Encoded next) {
        @Nullable
        Frame find(FrameEncoder wanted, boolean wantsDifference) {
            for (Encoded each = this; each != null; each = each.next) {
                if (each.encoder == wanted && each.isDifference == wantsDifference) {
                    return each.frame;
                }
            }
            return null;
        }
    }

    final ChannelId channel;
    /** When it was handed to the lanes; see {@code TimeSource.nanos()}. */
    final long begunNanos;
    /** The publication that the channel's subscribers were sent before this one, if that is known. */
    final @Nullable Publication previous;

    private final @Nullable Publication publication;
    private final @Nullable PresenceEvent presence;

    @Keep // through LANES
    private volatile int lanes;

    private volatile @Nullable Encoded encoded;

    private Broadcast(
            ChannelId channel,
            @Nullable Publication publication,
            @Nullable Publication previous,
            @Nullable PresenceEvent presence,
            int lanes,
            long begunNanos) {
        this.begunNanos = begunNanos;
        this.lanes = lanes;
        this.channel = channel;
        this.publication = publication;
        this.previous = previous;
        this.presence = presence;
    }

    static Broadcast of(
            ChannelId channel, Publication publication, @Nullable Publication previous, int lanes, long nanos) {
        return new Broadcast(channel, publication, previous, null, lanes, nanos);
    }

    static Broadcast of(ChannelId channel, PresenceEvent presence, int lanes) {
        return new Broadcast(channel, null, null, presence, lanes, 0);
    }

    /** Returns this in that wire format. */
    Frame frame(FrameEncoder encoder) {
        Frame found = find(encoder, false);
        return found == null ? keep(encoder, false, encode(encoder)) : found;
    }

    /** Returns this in that wire format, as the difference to the {@link #previous} one, which there is. */
    Frame difference(DeltaEncoder encoder) {
        Frame found = find(encoder, true);
        return found == null
                ? keep(
                        encoder,
                        true,
                        encoder.difference(channel, requireNonNull(publication), requireNonNull(previous)))
                : found;
    }

    private @Nullable Frame find(FrameEncoder encoder, boolean isDifference) {
        Encoded known = encoded;
        return known == null ? null : known.find(encoder, isDifference);
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
        return publication != null
                ? encoder.publication(channel, publication)
                : encoder.presence(channel, requireNonNull(presence));
    }

    /** Keeps a fresh frame, unless another lane was faster; returns the one that is kept. */
    private Frame keep(FrameEncoder encoder, boolean isDifference, Frame fresh) {
        while (true) {
            Encoded known = encoded;
            Frame theirs = known == null ? null : known.find(encoder, isDifference);
            if (theirs != null) {
                fresh.release();
                return theirs;
            }
            if (ENCODED.compareAndSet(this, known, new Encoded(encoder, isDifference, fresh, known))) {
                return fresh;
            }
        }
    }
}
