package dev.fanfare.internal;

import dev.fanfare.DeliveryClass;
import dev.fanfare.DropReason;
import dev.fanfare.Publication;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a STATE or SAMPLED subscriber has coming: the newest publication per key, oldest of them first. What it
 * did not get before the last one it got was replaced by something that comes after it.
 *
 * <p><i>Bounds.</i> At most {@link #MAX_KEYS} keys; beyond them the oldest is left out and counted.
 */
final class Conflation implements Held {

    static final int MAX_KEYS = 1024;

    private final Map<String, Publication> newest = new LinkedHashMap<>();
    private final long intervalNanos;
    private boolean hasSent;
    private long sentAt;
    private long skipped;

    Conflation(DeliveryClass delivery) {
        this.intervalNanos = delivery.maxPerSecond() == 0 ? 0 : (long) (1e9 / delivery.maxPerSecond());
    }

    @Override
    public int hold(Publication publication) {
        String key = publication.key() == null ? "" : publication.key();
        boolean replaced = newest.remove(key) != null;
        newest.put(key, publication);
        if (newest.size() > MAX_KEYS) {
            Iterator<String> oldest = newest.keySet().iterator();
            oldest.next();
            oldest.remove();
            replaced = true;
        }
        skipped += replaced ? 1 : 0;
        return replaced ? 1 : 0;
    }

    @Override
    public boolean isHolding() {
        return !newest.isEmpty();
    }

    @Override
    public Publication take() {
        Iterator<Publication> publications = newest.values().iterator();
        Publication oldest = publications.next();
        publications.remove();
        return oldest;
    }

    @Override
    public long nanosUntilDue(long nanos) {
        return hasSent ? Math.max(0, sentAt + intervalNanos - nanos) : 0;
    }

    @Override
    public void sent(long nanos) {
        hasSent = true;
        sentAt = nanos;
    }

    @Override
    public long takeSkipped() {
        long count = skipped;
        skipped = 0;
        return count;
    }

    @Override
    public DropReason reason() {
        return DropReason.CONFLATED;
    }

    /** Forgets all: the subscription's run began anew. */
    void clear() {
        newest.clear();
        skipped = 0;
    }
}
