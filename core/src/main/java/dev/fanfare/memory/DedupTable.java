package dev.fanfare.memory;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.spi.ChannelLog.AppendResult;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Remembers which dedup keys were used, each for its window. */
final class DedupTable {

    /*
     * State: a map from (channel, key) to what was appended, and per length of window a queue of the same
     * in order of age, which is also the order of expiry.
     *
     * Threads: thread-safe. remember() is one atomic step; a log calls it under its channel's lock, which
     * makes check, append and remembering one step. purge() lets one thread in and sends the others away.
     *
     * Bounds: maxKeys, exceeded by at most the number of appends between two purges. Beyond it the keys
     * that were remembered first are forgotten first, before their window is over.
     */

    private static final int PURGED_AT_ONCE = 64;

    private final int maxKeys;
    private final ConcurrentHashMap<Key, Remembered> keys = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Long, Queue<Remembered>> byWindow = new ConcurrentHashMap<>();

    /** Counts what is in the queues. */
    private final AtomicInteger count = new AtomicInteger();

    private final ReentrantLock purging = new ReentrantLock();

    DedupTable(int maxKeys) {
        this.maxKeys = maxKeys;
    }

    int size() {
        return keys.size();
    }

    /** Remembers, unless its key is remembered already: then returns what was first. */
    @Nullable
    Remembered remember(Remembered fresh) {
        for (Remembered first = keys.putIfAbsent(fresh.key, fresh);
                first != null;
                first = keys.putIfAbsent(fresh.key, fresh)) {
            if (!first.isOver(fresh.bornNanos)) {
                return first;
            }
            keys.remove(first.key, first);
        }
        byWindow.computeIfAbsent(fresh.windowNanos, length -> new ConcurrentLinkedQueue<>())
                .add(fresh);
        count.incrementAndGet();
        return null;
    }

    /** Forgets some of those that are over, and the oldest while there are too many. */
    void purge(long now) {
        if (count.get() == 0 || !purging.tryLock()) {
            return;
        }
        try {
            for (Queue<Remembered> queue : byWindow.values()) {
                for (int i = 0; i < PURGED_AT_ONCE && isFirstOver(queue, now); i++) {
                    forgetFirst(queue);
                }
            }
            while (count.get() > maxKeys) {
                forgetFirst(queueOfOldest());
            }
        } finally {
            purging.unlock();
        }
    }

    private static boolean isFirstOver(Queue<Remembered> queue, long now) {
        Remembered first = queue.peek();
        return first != null && first.isOver(now);
    }

    private void forgetFirst(Queue<Remembered> queue) {
        Remembered first = queue.remove();
        keys.remove(first.key, first);
        count.decrementAndGet();
    }

    private Queue<Remembered> queueOfOldest() {
        Queue<Remembered> oldest = new ConcurrentLinkedQueue<>();
        for (Queue<Remembered> queue : byWindow.values()) {
            Remembered candidate = queue.peek();
            Remembered best = oldest.peek();
            if (candidate != null && (best == null || candidate.bornNanos - best.bornNanos < 0)) {
                oldest = queue;
            }
        }
        return oldest;
    }

    /** Returns 64 bits that differ for different bodies, but for one case in many billions. */
    static long digest(Payload body) {
        byte[] bytes = body.unsafeBytes();
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, bytes.length);
        return crc.getValue() << 32 | (Arrays.hashCode(bytes) & 0xffff_ffffL);
    }

    /** What a dedup key stands for. */
    record Key(ChannelId channel, String text) {}

    /**
     * What was appended under a key.
     *
     * <p><b>Threading:</b> immutable. Compared by identity.
     */
    static final class Remembered {
        private final Key key;
        private final long digest;
        private final long bornNanos;
        private final long windowNanos;
        private final String epoch;
        private final long offset;
        private final long tag;

        Remembered(Key key, long digest, long bornNanos, long windowNanos, String epoch, long offset, long tag) {
            this.key = key;
            this.digest = digest;
            this.bornNanos = bornNanos;
            this.windowNanos = windowNanos;
            this.epoch = epoch;
            this.offset = offset;
            this.tag = tag;
        }

        /** Returns the answer to a later append with the same key. */
        AppendResult answerTo(Remembered later) {
            if (later.digest != digest) {
                return AppendResult.Conflict.OTHER_BODY;
            }
            return new AppendResult.Repeated(offset == 0 ? null : new Cursor(epoch, offset, tag));
        }

        private boolean isOver(long now) {
            return now - bornNanos >= windowNanos;
        }
    }
}
