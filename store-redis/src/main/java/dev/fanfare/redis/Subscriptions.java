package dev.fanfare.redis;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.fanfare.StoreException;
import dev.fanfare.spi.LogLine;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Which lines are wanted at one server, and how far the subscription of each is. */
final class Subscriptions implements PubSubSession.Hearer {

    /*
     * State: an entry per pub/sub channel or pattern of some, with the line that wants it and how far its subscription is. At most one
     * SUBSCRIBE or UNSUBSCRIBE of an entry is under way, so that an acknowledgement is never taken for another's.
     *
     * A server of a Redis Cluster that gives a pub/sub channel away ends the subscription itself. Then the line is stray,
     * and others say where it goes.
     *
     * When the session ends every entry starts again, and its line is told that it was interrupted once its new
     * subscription is acknowledged: a look at the log after that misses nothing. Until it was told it counts as not heard.
     *
     * Threads: thread-safe. The lock guards the entries; nothing is sent, completed or called under it. Messages go past
     * it, from the event loop to the relay.
     *
     * Bounds: one entry per line, and those that are being unsubscribed.
     */

    private static final LogLine REFUSED =
            LogLine.error(Subscriptions.class, "Redis refused to subscribe; does the user have the permission?");

    private enum Phase {
        IDLE,
        SUBSCRIBING,
        LIVE,
        UNSUBSCRIBING
    }

    /** Fields but the line are guarded by the lock. */
    private static final class Entry {
        final PubSub kind;
        final String name;
        volatile @Nullable Line line;
        Phase phase = Phase.IDLE;
        boolean hasMissed;
        private List<CompletableFuture<Void>> waiters = new ArrayList<>(1);

        Entry(Line line) {
            this.kind = line.kind;
            this.name = line.name;
        }

        void subscribe(PubSubSession session) {
            phase = Phase.SUBSCRIBING;
            session.subscribe(kind, name);
        }

        void unsubscribe(PubSubSession session) {
            phase = Phase.UNSUBSCRIBING;
            session.unsubscribe(kind, name);
        }

        List<CompletableFuture<Void>> takeWaiters() {
            List<CompletableFuture<Void>> all = waiters;
            waiters = new ArrayList<>(1);
            return all;
        }
    }

    private final String address;
    private final Relay relay;
    private final Consumer<Line> onStray;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Entry> entries = new ConcurrentHashMap<>();
    /** Those of the entries that the server refused, and whose lines do not know. */
    @GuardedBy("lock")
    private final Set<Entry> refused = new HashSet<>();

    /** Written under the lock. */
    private volatile @Nullable PubSubSession session;

    /**
     * Makes it.
     *
     * @param address of the server, for the log
     * @param onStray told of lines whose pub/sub channels are not, or no more, at this server; they are still wanted here,
     *     and have missed messages
     */
    Subscriptions(String address, Relay relay, Consumer<Line> onStray) {
        this.address = address;
        this.relay = relay;
        this.onStray = onStray;
    }

    /** Returns the session that there is. */
    @Nullable
    PubSubSession session() {
        return session;
    }

    /** Returns the lines that are wanted now. */
    List<Line> lines() {
        List<Line> lines = new ArrayList<>();
        for (Entry entry : entries.values()) {
            Line line = entry.line;
            if (line != null) {
                lines.add(line);
            }
        }
        return lines;
    }

    // ---- wanting

    /**
     * Subscribes a line; completes when the subscription is effective. While there is no session it completes at once:
     * the line will be told when there is one again.
     *
     * @param hasMissed whether the line may have missed something, and is to be told so when it is subscribed
     */
    CompletionStage<Void> want(Line line, boolean hasMissed) {
        CompletableFuture<Void> effective = new CompletableFuture<>();
        boolean isEffective = false;
        PubSubSession current;
        lock.lock();
        try {
            Entry entry = entries.computeIfAbsent(line.name, name -> new Entry(line));
            entry.line = line;
            entry.hasMissed |= hasMissed;
            current = session;
            if (current == null) {
                entry.hasMissed = true;
                isEffective = true;
            } else if (entry.phase == Phase.LIVE) {
                isEffective = true;
            } else {
                entry.waiters.add(effective);
                if (entry.phase == Phase.IDLE) {
                    entry.subscribe(current);
                }
            }
        } finally {
            lock.unlock();
        }
        if (isEffective) {
            effective.complete(null);
            tellOfMissed(current, line.name);
        }
        return effective;
    }

    /** Tells whether a line hears what is published, and was told of what it did not hear. */
    boolean isHeard(Line line) {
        boolean isLive;
        lock.lock();
        try {
            Entry entry = entries.get(line.name);
            isLive = entry != null && entry.line == line && entry.phase == Phase.LIVE && !entry.hasMissed;
        } finally {
            lock.unlock();
        }
        return isLive && line.interruptionsDue.get() == 0;
    }

    /** Tells the line, if it is subscribed over that session, that it missed something, unless it knows. */
    private void tellOfMissed(@Nullable PubSubSession current, String name) {
        Line line = missed(current, name);
        if (line == null) {
            return;
        }
        relay.interrupt(line);
        lock.lock();
        try {
            Entry entry = entryOf(current, name, Phase.LIVE);
            if (entry != null && entry.line == line) {
                entry.hasMissed = false;
            }
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Line missed(@Nullable PubSubSession current, String name) {
        lock.lock();
        try {
            Entry entry = entryOf(current, name, Phase.LIVE);
            return entry == null || !entry.hasMissed ? null : entry.line;
        } finally {
            lock.unlock();
        }
    }

    /** Gives up the subscription of a line, unless another line of the same name has taken it over. */
    void unwant(Line line) {
        lock.lock();
        try {
            Entry entry = entries.get(line.name);
            if (entry == null || entry.line != line) {
                return;
            }
            entry.line = null;
            PubSubSession current = session;
            if (entry.phase == Phase.LIVE && current != null) {
                entry.unsubscribe(current);
            } else if (entry.phase == Phase.IDLE) {
                entries.remove(entry.name);
            }
        } finally {
            lock.unlock();
        }
    }

    // ---- sessions

    /** Subscribes everything over a new session. */
    void begin(PubSubSession fresh) {
        lock.lock();
        try {
            session = fresh;
            for (Entry entry : entries.values()) {
                if (entry.line != null) {
                    entry.subscribe(fresh);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends a session; false if it is not the present one. */
    boolean end(PubSubSession broken) {
        List<CompletableFuture<Void>> waiters = new ArrayList<>();
        lock.lock();
        try {
            if (session != broken) {
                return false;
            }
            session = null;
            entries.values().removeIf(entry -> entry.line == null);
            for (Entry entry : entries.values()) {
                entry.phase = Phase.IDLE;
                entry.hasMissed = true;
                waiters.addAll(entry.takeWaiters());
            }
        } finally {
            lock.unlock();
        }
        // They are told of everything when the subscription is back.
        waiters.forEach(waiter -> waiter.complete(null));
        return true;
    }

    // ---- what the server says, on the event loop

    @Override
    public void message(String name, String from, byte[] bytes) {
        Entry entry = entries.get(name);
        Line line = entry == null ? null : entry.line;
        if (line != null) {
            relay.message(line, from, bytes);
        }
    }

    @Override
    public void subscribed(PubSubSession from, String name) {
        List<CompletableFuture<Void>> waiters;
        lock.lock();
        try {
            Entry entry = entryOf(from, name, Phase.SUBSCRIBING);
            if (entry == null) {
                return;
            }
            if (entry.line == null) {
                entry.unsubscribe(from);
            } else {
                entry.phase = Phase.LIVE;
            }
            waiters = entry.takeWaiters();
        } finally {
            lock.unlock();
        }
        waiters.forEach(waiter -> waiter.complete(null));
        tellOfMissed(from, name);
    }

    @Override
    public void unsubscribed(PubSubSession from, String name) {
        stray(from, name, Phase.LIVE);
        lock.lock();
        try {
            Entry entry = entryOf(from, name, Phase.UNSUBSCRIBING);
            if (entry == null) {
                return;
            }
            if (entry.line == null) {
                entries.remove(name);
            } else {
                entry.subscribe(from);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void refused(PubSubSession from, String[] names, Throwable failure) {
        if (Redirect.of(failure) != null) {
            for (String name : names) {
                stray(from, name, Phase.SUBSCRIBING);
            }
            return;
        }
        REFUSED.log("redis", address, "channels", names.length, "failure", failure);
        List<CompletableFuture<Void>> waiters = new ArrayList<>();
        lock.lock();
        try {
            for (String name : names) {
                Entry entry = entryOf(from, name, Phase.SUBSCRIBING);
                if (entry != null) {
                    refuse(entry, waiters);
                }
            }
        } finally {
            lock.unlock();
        }
        waiters.forEach(waiter ->
                waiter.completeExceptionally(new StoreException("Redis refused to subscribe", failure, false)));
    }

    /** Who waits is told no. Where nobody does, the line was told long ago that it is subscribed, and is to be again. */
    @GuardedBy("lock")
    private void refuse(Entry entry, List<CompletableFuture<Void>> waiters) {
        List<CompletableFuture<Void>> asking = entry.takeWaiters();
        if (entry.line == null || !asking.isEmpty()) {
            entries.remove(entry.name);
            waiters.addAll(asking);
        } else {
            entry.phase = Phase.IDLE;
            entry.hasMissed = true;
            refused.add(entry);
        }
    }

    /** Subscribes again what was refused before; to be called now and then. */
    void tryAgain() {
        lock.lock();
        try {
            PubSubSession current = session;
            for (Entry entry : refused) {
                if (current != null && entry.phase == Phase.IDLE && entry.line != null) {
                    entry.subscribe(current);
                }
            }
            refused.clear();
        } finally {
            lock.unlock();
        }
    }

    /** Learns that this server does not have a pub/sub channel, or has it no more. */
    private void stray(PubSubSession from, String name, Phase expected) {
        List<CompletableFuture<Void>> waiters;
        Line line;
        lock.lock();
        try {
            Entry entry = entryOf(from, name, expected);
            if (entry == null) {
                return;
            }
            line = entry.line;
            waiters = entry.takeWaiters();
            if (line == null) {
                entries.remove(name);
            } else {
                entry.phase = Phase.IDLE;
                entry.hasMissed = true;
            }
        } finally {
            lock.unlock();
        }
        waiters.forEach(waiter -> waiter.complete(null));
        if (line != null) {
            onStray.accept(line);
        }
    }

    /** Returns the entry that such news are about; null if they are of an earlier session, or late. */
    @GuardedBy("lock")
    private @Nullable Entry entryOf(@Nullable PubSubSession from, String name, Phase expected) {
        Entry entry = entries.get(name);
        return from != session || entry == null || entry.phase != expected ? null : entry;
    }
}
