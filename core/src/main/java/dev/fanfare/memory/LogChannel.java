package dev.fanfare.memory;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** One life of one channel's log. */
final class LogChannel {

    /*
     * State: the head (epoch, top, tag) and the retained publications, which are the newest ones up to
     * the top without a hole. Once gone, it changes no more, answers nothing, and LogChannels forgets it.
     *
     * Threads: thread-safe. The lock is held for one append or one read and never while anything is
     * announced: an append enters its announcement in the topic's turnstile, which only queues it, and
     * its caller drains after the lock is free. Reads of a page copy references under the lock.
     *
     * Ordering: publications become readable and enter the turnstile in the order of their offsets.
     *
     * Bounds: the count and age of the latest append's rules. Whatever is over is dropped when the channel
     * is touched, and in passing by the rounds of MemoryLog.
     */

    /** A channel whose first append came to nothing is given up after this. */
    private static final long UNUSED_NANOS = Duration.ofMinutes(1).toNanos();

    final ChannelId id;
    final String epoch;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final PublicationRing ring = new PublicationRing();

    @GuardedBy("lock")
    private long top;

    @GuardedBy("lock")
    private long tag;

    @GuardedBy("lock")
    private long lastNanos;

    @GuardedBy("lock")
    private long retainedNanos;

    @GuardedBy("lock")
    private long headNanos = UNUSED_NANOS;

    @GuardedBy("lock")
    private boolean gone;

    LogChannel(ChannelId id, String epoch, long now) {
        this.id = id;
        this.epoch = epoch;
        this.lastNanos = now;
    }

    /** Appends and announces; null if this life of the channel is over. */
    @Nullable
    AppendResult append(Draft draft, DedupTable dedup, MemoryBus bus) {
        MemoryBus.Audience audience;
        AppendResult result;
        lock.lock();
        try {
            // Looked up under the lock: who watches after this reads the log after this append.
            audience = bus.audience(id);
            result = append(draft, dedup, audience);
        } finally {
            lock.unlock();
        }
        if (audience != null) {
            audience.drain();
        }
        return result;
    }

    @GuardedBy("lock")
    private @Nullable AppendResult append(Draft draft, DedupTable dedup, MemoryBus.@Nullable Audience audience) {
        long now = advanced(draft.nanos());
        if (isOver(now)) {
            return null;
        }
        if (audience != null && audience.isFull()) {
            return MemoryLog.FULL;
        }
        DedupTable.Key key = draft.key();
        if (key != null) {
            DedupTable.Remembered fresh = draft.remembered(key, now, epoch, top + 1);
            DedupTable.Remembered first = dedup.remember(fresh);
            if (first != null) {
                return first.answerTo(fresh);
            }
        }
        Publication publication = draft.publication(epoch, top + 1, tag);
        add(publication, draft.request().rules(), now);
        if (audience != null) {
            audience.add(new Announcement.Published(id, publication));
        }
        return new AppendResult.Appended(publication);
    }

    @GuardedBy("lock")
    private void add(Publication publication, ChannelRules rules, long now) {
        top = publication.offset();
        tag = publication.tag();
        lastNanos = now;
        retainedNanos = Clock.nanosOf(rules.retainedFor());
        headNanos = Clock.nanosOf(rules.headTtl());
        ring.expire(now, retainedNanos);
        ring.add(publication, now, rules.retainedCount());
    }

    /** Reads a page; null if this life of the channel is over. */
    @Nullable
    LogPage read(LogRead read, long nanos) {
        long headOffset;
        long headTag;
        List<Publication> publications;
        lock.lock();
        try {
            long now = advanced(nanos);
            if (isOver(now)) {
                return null;
            }
            ring.expire(now, retainedNanos);
            headOffset = top;
            headTag = tag;
            publications = read.isReverse() ? backward(read) : forward(read);
        } finally {
            lock.unlock();
        }
        return new LogPage(new Cursor(epoch, headOffset, headTag), publications);
    }

    @GuardedBy("lock")
    private List<Publication> forward(LogRead read) {
        long low = top - ring.size();
        long after = Math.max(read.afterOffset(), low);
        if (after >= top) {
            return List.of();
        }
        return ring.copy((int) (after - low), (int) Math.min(read.limit(), top - after), false);
    }

    @GuardedBy("lock")
    private List<Publication> backward(LogRead read) {
        long low = top - ring.size();
        long newest = Math.min(read.afterOffset() - 1, top);
        if (newest <= low) {
            return List.of();
        }
        int count = (int) Math.min(read.limit(), newest - low);
        return ring.copy((int) (newest - low - count), count, true);
    }

    /** Forgets the publications; the head stays. */
    void clear() {
        lock.lock();
        try {
            ring.clear();
        } finally {
            lock.unlock();
        }
    }

    /** Drops what is over; false if this life of the channel is. */
    boolean expire(long nanos) {
        lock.lock();
        try {
            long now = advanced(nanos);
            if (isOver(now)) {
                return false;
            }
            ring.expire(now, retainedNanos);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Tells whether anything was ever appended. */
    boolean isWritten() {
        lock.lock();
        try {
            return top > 0;
        } finally {
            lock.unlock();
        }
    }

    /** Returns the time, but never one before the last append's: callers read the clock before the lock. */
    @GuardedBy("lock")
    private long advanced(long nanos) {
        return nanos - lastNanos > 0 ? nanos : lastNanos;
    }

    @GuardedBy("lock")
    private boolean isOver(long now) {
        if (!gone && now - lastNanos >= headNanos) {
            gone = true;
            ring.clear();
        }
        return gone;
    }

    /**
     * A publication about to be appended, with what can be prepared before the lock is taken.
     *
     * @param request what to append
     * @param key the dedup key, or null
     * @param digest of the body, if there is a key
     * @param nanos monotonic time
     * @param millis wall-clock time
     */
    record Draft(AppendRequest request, DedupTable.@Nullable Key key, long digest, long nanos, long millis) {

        DedupTable.Remembered remembered(DedupTable.Key key, long now, String epoch, long offset) {
            long window = Clock.nanosOf(request.rules().dedupWindow());
            return new DedupTable.Remembered(key, digest, now, window, epoch, offset, request.tag());
        }

        Publication publication(String epoch, long offset, long previousTag) {
            return unpositioned()
                    .position(epoch, offset, request.tag(), previousTag)
                    .build();
        }

        /** Returns the publication for a channel that retains nothing. */
        Publication unlogged() {
            return unpositioned().build();
        }

        private Publication.Builder unpositioned() {
            return Publication.builder(request.data())
                    .timeMillis(millis)
                    .eventType(request.options().eventType())
                    .key(request.options().key())
                    .headers(request.options().headers())
                    .publisher(request.publisher());
        }
    }
}
