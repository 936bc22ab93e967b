package dev.fanfare.memory;

import dev.fanfare.ChannelId;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Knows the channels that were written, and in which epoch the others would begin. */
final class LogChannels {

    /*
     * State: the written channels, and a fixed number of origins. Every channel has one origin, by its
     * hash, whose epoch it reports while it was never written and keeps when it is: so reading a
     * channel leaves no trace. When a channel's life ends, its origin remembers the epoch of its next one.
     * An origin that would have to remember too many of them forgets them all and takes a new epoch: then the
     * never-written channels of that origin, one in 256, begin anew as well, which their readers are told.
     *
     * Threads: thread-safe. A channel is added and removed under its origin's monitor, which makes the
     * epoch of a new channel the one that readers were told before; nothing else is held or called there.
     *
     * Bounds: one entry per channel written within its head's time to live; MAX_ENDED ended ones per origin.
     */

    private static final int ORIGINS = 256;
    static final int MAX_ENDED = 256;
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final int EPOCH_LENGTH = 8;

    private final ConcurrentHashMap<ChannelId, LogChannel> channels = new ConcurrentHashMap<>();
    private final Origin[] origins = new Origin[ORIGINS];

    LogChannels() {
        String genesis = newEpoch();
        for (int i = 0; i < ORIGINS; i++) {
            origins[i] = new Origin(genesis);
        }
    }

    Collection<LogChannel> all() {
        return channels.values();
    }

    /** Returns the channel if it was written. */
    @Nullable
    LogChannel find(ChannelId id) {
        return channels.get(id);
    }

    LogChannel findOrAdd(ChannelId id, long now) {
        LogChannel present = channels.get(id);
        if (present != null) {
            return present;
        }
        Origin origin = origin(id);
        synchronized (origin) {
            return channels.computeIfAbsent(id, absent -> new LogChannel(id, origin.epochOf(id), now));
        }
    }

    /** Returns the epoch in which the channel would begin; null if it has begun. */
    @Nullable
    String unbegunEpoch(ChannelId id) {
        Origin origin = origin(id);
        synchronized (origin) {
            return channels.containsKey(id) ? null : origin.epochOf(id);
        }
    }

    /** Forgets a channel whose life is over; whoever notices it first calls this, others may too. */
    void forget(LogChannel over) {
        boolean written = over.isWritten();
        Origin origin = origin(over.id);
        synchronized (origin) {
            if (channels.remove(over.id, over) && written) {
                origin.end(over.id);
            }
        }
    }

    private Origin origin(ChannelId id) {
        int hash = id.hashCode();
        return origins[(hash ^ hash >>> 8 ^ hash >>> 16) & (ORIGINS - 1)];
    }

    private static String newEpoch() {
        StringBuilder epoch = new StringBuilder(EPOCH_LENGTH);
        for (int i = 0; i < EPOCH_LENGTH; i++) {
            epoch.append(LETTERS.charAt(ThreadLocalRandom.current().nextInt(LETTERS.length())));
        }
        return epoch.toString();
    }

    /** The epochs of channels that are not written now; guarded by its monitor. */
    private static final class Origin {
        private final Map<ChannelId, String> ended = new HashMap<>(0);
        private String epoch;

        Origin(String epoch) {
            this.epoch = epoch;
        }

        String epochOf(ChannelId id) {
            return ended.getOrDefault(id, epoch);
        }

        void end(ChannelId id) {
            if (ended.size() < MAX_ENDED || ended.containsKey(id)) {
                ended.put(id, newEpoch());
            } else {
                ended.clear();
                epoch = newEpoch();
            }
        }
    }
}
