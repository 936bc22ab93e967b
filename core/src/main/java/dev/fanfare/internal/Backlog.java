package dev.fanfare.internal;

import dev.fanfare.DropReason;
import dev.fanfare.Publication;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What an EPHEMERAL subscriber has coming, or any subscriber where nothing is retained, while it cannot be written
 * to: the newest publications. There is one only meanwhile.
 *
 * <p><i>Bounds.</i> At most {@link #MOST} publications and {@link #MOST_BYTES} of payloads, or one that is larger
 * alone; beyond that the oldest is left out and counted.
 */
final class Backlog implements Held {

    static final int MOST = 64;
    static final int MOST_BYTES = 64 * 1024;

    private final Deque<Publication> newest = new ArrayDeque<>();
    private final DropReason reason;
    private int bytes;
    private long skipped;

    Backlog(DropReason reason) {
        this.reason = reason;
    }

    @Override
    public int hold(Publication publication) {
        newest.add(publication);
        bytes += publication.data().size();
        int leftOut = 0;
        while (newest.size() > MOST || (bytes > MOST_BYTES && newest.size() > 1)) {
            bytes -= newest.remove().data().size();
            leftOut++;
        }
        skipped += leftOut;
        return leftOut;
    }

    int size() {
        return newest.size();
    }

    @Override
    public boolean isHolding() {
        return !newest.isEmpty();
    }

    @Override
    public Publication take() {
        Publication oldest = newest.remove();
        bytes -= oldest.data().size();
        return oldest;
    }

    @Override
    public long nanosUntilDue(long nanos) {
        return 0;
    }

    @Override
    public void sent(long nanos) {}

    @Override
    public long takeSkipped() {
        long count = skipped;
        skipped = 0;
        return count;
    }

    @Override
    public DropReason reason() {
        return reason;
    }
}
