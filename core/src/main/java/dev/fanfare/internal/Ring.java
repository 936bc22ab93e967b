package dev.fanfare.internal;

import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Holds the newest publications of one life of a topic, so that those who lag a little need no store.
 *
 * <p><i>Threads.</i> One writer, the topic's stripe; readers on any thread. A reader sees a publication
 * whole or finds it gone: each slot is checked against the offset it should have.
 *
 * <p><i>Bounds.</i> At most {@link #MOST_SLOTS} publications, in fewer slots while the channel is quiet, and
 * {@link #MOST_BYTES} of payloads.
 */
final class Ring {

    private static final int FIRST_SLOTS = 8;
    static final int MOST_SLOTS = 512;
    static final int MOST_BYTES = 2 * 1024 * 1024;

    private volatile AtomicReferenceArray<Publication> slots = new AtomicReferenceArray<>(FIRST_SLOTS);
    private volatile long top;
    /** The oldest offset that may be here, and the bytes from there on; the stripe's. */
    private long oldest;

    private long bytes;
    private volatile boolean isWarm;

    /** Begins after that offset. */
    Ring(long top) {
        this.top = top;
        this.oldest = top + 1;
    }

    /** Adds the next publication; only the stripe calls it. */
    void add(Publication publication) {
        AtomicReferenceArray<Publication> current = slots;
        int next = (int) (publication.offset() & (current.length() - 1));
        if (current.get(next) != null && current.length() < MOST_SLOTS) {
            current = grow(current);
            next = (int) (publication.offset() & (current.length() - 1));
        }
        evict(current, publication);
        current.set(next, publication);
        top = publication.offset();
    }

    private void evict(AtomicReferenceArray<Publication> current, Publication coming) {
        bytes += coming.data().size();
        long least = coming.offset() - current.length() + 1;
        while (oldest < coming.offset() && (oldest < least || bytes > MOST_BYTES)) {
            Publication old = current.getAndSet((int) (oldest & (current.length() - 1)), null);
            bytes -= old == null ? 0 : old.data().size();
            oldest++;
        }
    }

    /** Returns the offset of the newest publication; every publication up to it was added. */
    long top() {
        return top;
    }

    /** Returns the publication at that offset, or null if it is not, or no longer, here. */
    @Nullable
    Publication at(long offset) {
        AtomicReferenceArray<Publication> current = slots;
        Publication found = current.get((int) (offset & (current.length() - 1)));
        return found != null && found.offset() == offset ? found : null;
    }

    /** Tells whether the publication itself was added not long ago. */
    boolean holds(Publication publication) {
        Publication found = at(publication.offset());
        return found != null && found.tag() == publication.tag();
    }

    /** Tells whether another publication was added at the same offset not long ago. */
    boolean contradicts(Publication publication) {
        Publication found = at(publication.offset());
        return found != null && found.tag() != publication.tag();
    }

    /**
     * Returns everything after a position that is proven to be of this history, or null if the ring
     * cannot prove it, or does not reach back that far, or holds more than {@code limit}.
     */
    @Nullable
    List<Publication> after(Cursor position, int limit) {
        long newest = top;
        long count = newest - position.offset();
        if (count <= 0 || count > limit) {
            return null;
        }
        List<Publication> found = new ArrayList<>((int) count);
        for (long offset = position.offset() + 1; offset <= newest; offset++) {
            Publication publication = at(offset);
            if (publication == null) {
                return null;
            }
            found.add(publication);
        }
        Publication first = found.get(0);
        boolean proven = (first.epoch().equals(position.epoch()) || !position.hasEpoch())
                && (first.previousTag() == position.tag() || Positions.hasUnknownTag(position));
        return proven ? found : null;
    }

    /** Tells whether it reaches back as far as it ever will. */
    boolean isWarm() {
        return isWarm;
    }

    /** Takes note that nothing older will come. */
    void warmed() {
        isWarm = true;
    }

    /**
     * Adds what came before the oldest publication here; only the stripe calls it.
     *
     * @param older newest first; those that do not link are left out
     * @param base the position at which the ring began
     */
    void prepend(List<Publication> older, Cursor base) {
        long missing = oldest - 1;
        Publication first = at(oldest);
        long tag = first == null ? base.tag() : first.previousTag();
        for (Publication publication : older) {
            if (publication.offset() > missing) {
                continue;
            }
            if (publication.offset() != missing || publication.tag() != tag || !hasRoomFor(missing)) {
                return;
            }
            bytes += publication.data().size();
            slots.set((int) (missing & (slots.length() - 1)), publication);
            oldest = missing--;
            tag = publication.previousTag();
        }
    }

    private boolean hasRoomFor(long offset) {
        AtomicReferenceArray<Publication> current = slots;
        while (top - offset >= current.length() && current.length() < MOST_SLOTS) {
            current = grow(current);
        }
        return top - offset < current.length() && bytes <= MOST_BYTES;
    }

    private AtomicReferenceArray<Publication> grow(AtomicReferenceArray<Publication> old) {
        AtomicReferenceArray<Publication> larger = new AtomicReferenceArray<>(old.length() * 2);
        for (int i = 0; i < old.length(); i++) {
            Publication publication = old.get(i);
            if (publication != null) {
                larger.set((int) (publication.offset() & (larger.length() - 1)), publication);
            }
        }
        slots = larger;
        return larger;
    }
}
