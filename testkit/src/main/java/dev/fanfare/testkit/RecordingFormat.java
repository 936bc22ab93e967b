package dev.fanfare.testkit;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.DeltaEncoder;
import dev.fanfare.spi.Frame;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A wire format that writes nothing but counts: how often it encoded, and whether each frame was
 * released exactly once.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class RecordingFormat implements DeltaEncoder {

    private final AtomicInteger encoded = new AtomicInteger();
    private final AtomicInteger differences = new AtomicInteger();
    private final AtomicInteger live = new AtomicInteger();
    private final AtomicInteger misused = new AtomicInteger();
    private volatile Predicate<Publication> unfit = publication -> false;
    private volatile boolean refusesPresence;

    /** Makes a format that has encoded nothing. */
    public RecordingFormat() {}

    @Override
    public Frame publication(ChannelId channel, Publication publication) {
        if (unfit.test(publication)) {
            throw new IllegalArgumentException("This format cannot carry " + publication);
        }
        return new RecordedFrame(publication, null, null, publication.data().size());
    }

    @Override
    public Frame difference(ChannelId channel, Publication publication, Publication previous) {
        if (unfit.test(publication)) {
            throw new IllegalArgumentException("This format cannot carry " + publication);
        }
        differences.incrementAndGet();
        return new RecordedFrame(publication, previous, null, 1);
    }

    @Override
    public Frame presence(ChannelId channel, PresenceEvent event) {
        if (refusesPresence) {
            throw new IllegalArgumentException("This format cannot carry " + event);
        }
        return new RecordedFrame(null, null, event, 1);
    }

    /** Throws from now on when it is to encode such a publication. */
    public void refuse(Predicate<Publication> publications) {
        this.unfit = requireNonNull(publications, "publications");
    }

    /** Throws from now on when it is to encode a join or leave. */
    public void refusePresence() {
        refusesPresence = true;
    }

    /** Returns how many frames were made. */
    public int encoded() {
        return encoded.get();
    }

    /** Returns how many of them hold a difference to the publication before. */
    public int differences() {
        return differences.get();
    }

    /** Returns how many frames were not released yet. */
    public int unreleased() {
        return live.get();
    }

    /** Returns how often a frame was released twice, or written after its release. */
    public int misused() {
        return misused.get();
    }

    /** A frame that knows what it was made of. */
    final class RecordedFrame implements Frame {
        final @Nullable Publication publication;
        final @Nullable Publication previous;
        final @Nullable PresenceEvent presence;
        private final int bytes;
        private final AtomicInteger releases = new AtomicInteger();

        RecordedFrame(
                @Nullable Publication publication,
                @Nullable Publication previous,
                @Nullable PresenceEvent presence,
                int bytes) {
            this.publication = publication;
            this.previous = previous;
            this.presence = presence;
            this.bytes = bytes;
            encoded.incrementAndGet();
            live.incrementAndGet();
        }

        @Override
        public int bytes() {
            return bytes;
        }

        @Override
        public void release() {
            if (releases.getAndIncrement() == 0) {
                live.decrementAndGet();
            } else {
                misused.incrementAndGet();
            }
        }

        void checkUsable() {
            if (releases.get() > 0) {
                misused.incrementAndGet();
            }
        }
    }
}
