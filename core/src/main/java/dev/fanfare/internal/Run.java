package dev.fanfare.internal;

import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The unbroken run of a channel's publications as far as this node has it: the position reached, and the newest of
 * them in a ring.
 *
 * <p><i>Threads.</i> Confined to the topic's stripe; {@link #ring} is read from anywhere.
 *
 * <p><i>Ordering.</i> The ring has a publication before anybody is handed it, so no lane is ever beyond the ring.
 */
final class Run {

    private Cursor base = Cursor.of("", 0);
    private @Nullable Publication last;
    private volatile Ring ring = new Ring(0);

    /** Begins, or begins anew, after that position. */
    void beginAfter(Cursor position) {
        base = position;
        last = null;
        ring = new Ring(position.offset());
    }

    /** Tells whether the publication links to the position, by offset and tag. */
    boolean isNext(Publication publication) {
        Publication before = last;
        return before == null
                ? publication.follows(base)
                : publication.offset() == before.offset() + 1
                        && publication.previousTag() == before.tag()
                        && publication.epoch().equals(before.epoch());
    }

    /** Adds the next publication. */
    void add(Publication next) {
        last = next;
        ring.add(next);
    }

    /** Adds what came before the oldest publication of the ring, newest first. */
    void prepend(List<Publication> older) {
        ring.prepend(older, base);
    }

    /** Returns the position reached. */
    Cursor position() {
        Publication newest = last;
        return newest == null ? base : newest.cursor();
    }

    /** Tells whether the log has come further than this. */
    boolean isBehind(Cursor head) {
        Cursor reached = position();
        return head.offset() > reached.offset() || !head.epoch().equals(reached.epoch());
    }

    /** Returns the newest publications of the channel's present life. */
    Ring ring() {
        return ring;
    }
}
