package dev.fanfare.internal;

import dev.fanfare.DeliveryClass;
import dev.fanfare.Publication;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a STATE or SAMPLED subscriber has coming: the newest publication per key, oldest of them first.
 *
 * <p>They are sent in the order of their offsets. So whatever the client got last is a valid position:
 * what it did not get before that was replaced by something that comes after it.
 *
 * <p><i>Threads.</i> Confined to the subscriber's loop.
 *
 * <p><i>Bounds.</i> At most {@link #MAX_KEYS} keys; beyond them the oldest is left out and counted.
 */
final class Conflation {

    static final int MAX_KEYS = 1024;

    private final Map<String, Publication> newest = new LinkedHashMap<>();
    private final long intervalNanos;
    private boolean hasSent;
    private long sentAt;
    private long skipped;

    Conflation(DeliveryClass delivery) {
        this.intervalNanos = delivery.maxPerSecond() == 0 ? 0 : (long) (1e9 / delivery.maxPerSecond());
    }

    void hold(Publication publication) {
        String key = publication.key() == null ? "" : publication.key();
        boolean replaced = newest.remove(key) != null;
        newest.put(key, publication);
        if (newest.size() > MAX_KEYS) {
            Iterator<String> oldest = newest.keySet().iterator();
            oldest.next();
            oldest.remove();
            replaced = true;
        }
        if (replaced) {
            skipped++;
        }
    }

    boolean isHolding() {
        return !newest.isEmpty();
    }

    /** Takes the oldest of what is held. */
    Publication take() {
        Iterator<Publication> publications = newest.values().iterator();
        Publication oldest = publications.next();
        publications.remove();
        return oldest;
    }

    /** Returns how long to wait before something may be sent again. */
    long nanosUntilDue(long nanos) {
        return hasSent ? Math.max(0, sentAt + intervalNanos - nanos) : 0;
    }

    /** Takes note that something was sent. */
    void sent(long nanos) {
        hasSent = true;
        sentAt = nanos;
    }

    /** Returns how many were left out since the last call. */
    long takeSkipped() {
        long count = skipped;
        skipped = 0;
        return count;
    }

    /** Forgets all: the subscription's run began anew. */
    void clear() {
        newest.clear();
        skipped = 0;
    }
}
