package dev.fanfare.internal;

import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.ResetReason;
import dev.fanfare.spi.ChannelLog.LogPage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Judges whether a position can be continued: the one place that knows the rule.
 *
 * <p>The rule compares chain tags, not only epoch and offset, because a failover to a stale replica can
 * issue the same offsets again with other content.
 */
final class Positions {

    private Positions() {}

    /** Tells whether the position names a publication but not its tag. */
    static boolean hasUnknownTag(Cursor position) {
        return position.offset() > 0 && position.tag() == Cursor.NO_TAG;
    }

    /** Tells whether a client's position is this one, as far as it can be known. */
    static boolean isAt(Cursor position, Cursor known) {
        return position.offset() == known.offset()
                && (position.tag() == known.tag() || hasUnknownTag(position))
                && (position.epoch().equals(known.epoch()) || !position.hasEpoch());
    }

    /** Returns the position just before a publication. */
    static Cursor before(Publication publication) {
        return new Cursor(publication.epoch(), publication.offset() - 1, publication.previousTag());
    }

    /**
     * Judges a position by the page that was read after it.
     *
     * @return null if everything missed is on the page, else why the position is void
     */
    static @Nullable ResetReason judge(Cursor position, LogPage page) {
        Cursor head = page.head();
        if (position.hasEpoch() && !position.epoch().equals(head.epoch())) {
            return ResetReason.EPOCH;
        }
        if (position.offset() > head.offset()) {
            return ResetReason.DIVERGED;
        }
        List<Publication> missed = page.publications();
        if (missed.isEmpty()) {
            return judgeAtTop(position, head);
        }
        Publication first = missed.get(0);
        if (first.offset() != position.offset() + 1) {
            return ResetReason.TRIMMED;
        }
        boolean links = first.previousTag() == position.tag() || hasUnknownTag(position);
        return links ? null : ResetReason.DIVERGED;
    }

    /** Judges a publication by the page that was read backwards from it; what is older may be trimmed at any time. */
    static @Nullable ResetReason judgeBefore(Publication publication, LogPage page) {
        if (!publication.epoch().equals(page.head().epoch())) {
            return ResetReason.EPOCH;
        }
        List<Publication> older = page.publications();
        boolean links = older.isEmpty() || publication.follows(older.get(0).cursor());
        return links ? null : ResetReason.DIVERGED;
    }

    private static @Nullable ResetReason judgeAtTop(Cursor position, Cursor head) {
        if (position.offset() < head.offset()) {
            return ResetReason.TRIMMED;
        }
        boolean same = position.tag() == head.tag() || hasUnknownTag(position);
        return same ? null : ResetReason.DIVERGED;
    }
}
