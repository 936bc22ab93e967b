package dev.fanfare.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.fanfare.StoreException;
import dev.fanfare.spi.LogLine;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Subscribes lines to pub/sub channels over one connection, which it makes anew when it is lost. */
final class EventLink {

    /*
     * State: an entry per pub/sub channel or pattern of some, with the line that wants it and how far its subscription is. At most one
     * SUBSCRIBE or UNSUBSCRIBE of an entry is under way, so that an acknowledgement is never taken for another's.
     *
     * A server of a Redis Cluster that gives a pub/sub channel away ends the subscription itself. Then the line is stray,
     * and others say where it goes.
     *
     * When the connection is lost every entry starts again, and its line is told that it was interrupted once its new
     * subscription is acknowledged: a look at the log after that misses nothing. Until then, each second, lines are told
     * so too, a thousand at a time, so that a log that lives elsewhere keeps its subscribers going meanwhile.
     *
     * Threads: thread-safe. The lock guards the entries; nothing is sent, completed or called under it. Messages go past
     * it, from the event loop to the relay.
     *
     * Bounds: one entry per line, and those that are being unsubscribed.
     */

    private static final LogLine REFUSED =
            LogLine.error(EventLink.class, "Redis refused to subscribe; does the user have the permission?");
    private static final LogLine LOST = LogLine.warn(EventLink.class, "The pub/sub connection to Redis is lost");
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);
    private static final Duration POLL_PAUSE = Duration.ofSeconds(1);
    private static final int POLLED_AT_ONCE = 1000;
    private static final int NAMES_PER_COMMAND = 256;

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
        List<CompletableFuture<Void>> waiters = new ArrayList<>(1);

        Entry(Line line) {
            this.kind = line.kind;
            this.name = line.name;
        }
    }

    private final Connector connector;
    private final Relay relay;
    private final Counters counters;
    private final Consumer<Line> onStray;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Entry> entries = new ConcurrentHashMap<>();

    @GuardedBy("lock")
    private List<Entry> toSubscribe = new ArrayList<>();

    @GuardedBy("lock")
    private List<Entry> toUnsubscribe = new ArrayList<>();

    @GuardedBy("lock")
    private boolean willSend;

    private volatile @Nullable StatefulRedisPubSubConnection<String, byte[]> connection;
    private final CompletableFuture<Void> firstReady = new CompletableFuture<>();
    private volatile boolean hasFailedProbe;
    private volatile boolean isClosed;

    /**
     * Makes one.
     *
     * @param onStray told of lines whose pub/sub channels are not, or no more, at this server; they are still wanted here,
     *     and have missed messages
     */
    EventLink(Connector connector, Relay relay, Counters counters, Consumer<Line> onStray) {
        this.connector = connector;
        this.relay = relay;
        this.counters = counters;
        this.onStray = onStray;
    }

    /** Begins to connect; completes with the first success. */
    CompletionStage<Void> start() {
        connect(FIRST_PAUSE);
        connector.later(POLL_PAUSE, () -> poll(List.of()));
        return firstReady;
    }

    boolean isUp() {
        return connection != null;
    }

    /** Tells whether messages get through: there is a connection, and the newest probe, if there was one, came back. */
    boolean isGood() {
        return connection != null && !hasFailedProbe;
    }

    /** Learns whether a probe came back. */
    void probed(boolean isBack) {
        hasFailedProbe = !isBack;
    }

    // ---- wanting

    /**
     * Subscribes a line; completes when the subscription is effective. While there is no connection it completes at
     * once: the line will be told when there is one again.
     */
    CompletionStage<Void> want(Line line) {
        CompletableFuture<Void> effective = new CompletableFuture<>();
        boolean isEffective = false;
        lock.lock();
        try {
            Entry entry = entries.computeIfAbsent(line.name, name -> new Entry(line));
            entry.line = line;
            if (connection == null) {
                entry.hasMissed = true;
                isEffective = true;
            } else if (entry.phase == Phase.LIVE) {
                isEffective = true;
            } else {
                entry.waiters.add(effective);
                if (entry.phase == Phase.IDLE) {
                    subscribe(entry);
                }
            }
        } finally {
            lock.unlock();
        }
        if (isEffective) {
            effective.complete(null);
        }
        return effective;
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
            if (entry.phase == Phase.LIVE) {
                unsubscribe(entry);
            } else if (entry.phase == Phase.IDLE) {
                entries.remove(entry.name);
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void subscribe(Entry entry) {
        entry.phase = Phase.SUBSCRIBING;
        toSubscribe.add(entry);
        sendSoon();
    }

    @GuardedBy("lock")
    private void unsubscribe(Entry entry) {
        entry.phase = Phase.UNSUBSCRIBING;
        toUnsubscribe.add(entry);
        sendSoon();
    }

    @GuardedBy("lock")
    private void sendSoon() {
        if (!willSend && connection != null) {
            willSend = true;
            connector.pubSubLoop().execute(this::send);
        }
    }

    private void send() {
        List<Entry> coming;
        List<Entry> going;
        StatefulRedisPubSubConnection<String, byte[]> current;
        lock.lock();
        try {
            willSend = false;
            coming = toSubscribe;
            going = toUnsubscribe;
            toSubscribe = new ArrayList<>();
            toUnsubscribe = new ArrayList<>();
            current = connection;
        } finally {
            lock.unlock();
        }
        if (current == null) {
            return;
        }
        inCommands(going, (kind, names) -> kind.unsubscribe(current.async(), names));
        inCommands(
                coming,
                (kind, names) -> kind.subscribe(current.async(), names).whenComplete((done, failure) -> {
                    if (failure != null && current.isOpen()) {
                        refused(current, names, failure);
                    }
                }));
    }

    /** Makes commands of as many names as each may have. */
    private static void inCommands(List<Entry> all, BiConsumer<PubSub, String[]> command) {
        Map<PubSub, Map<Integer, List<String>>> groups = new EnumMap<>(PubSub.class);
        for (Entry entry : all) {
            groups.computeIfAbsent(entry.kind, kind -> new HashMap<>())
                    .computeIfAbsent(entry.kind.slotOf(entry.name), slot -> new ArrayList<>())
                    .add(entry.name);
        }
        groups.forEach((kind, slots) -> slots.values().forEach(names -> {
            for (int i = 0; i < names.size(); i += NAMES_PER_COMMAND) {
                List<String> some = names.subList(i, Math.min(i + NAMES_PER_COMMAND, names.size()));
                command.accept(kind, some.toArray(String[]::new));
            }
        }));
    }

    private void refused(StatefulRedisPubSubConnection<String, byte[]> from, String[] names, Throwable failure) {
        if (Redirect.of(failure) != null) {
            for (String name : names) {
                stray(from, name, Phase.SUBSCRIBING);
            }
            return;
        }
        REFUSED.log("redis", connector.address(), "channels", names.length, "failure", failure);
        List<CompletableFuture<Void>> waiters = new ArrayList<>();
        lock.lock();
        try {
            for (String name : names) {
                Entry entry = entries.get(name);
                if (entry != null && entry.phase == Phase.SUBSCRIBING) {
                    entries.remove(name);
                    waiters.addAll(entry.waiters);
                }
            }
        } finally {
            lock.unlock();
        }
        waiters.forEach(waiter ->
                waiter.completeExceptionally(new StoreException("Redis refused to subscribe", failure, false)));
    }

    /** Learns that this server does not have a pub/sub channel, or has it no more. */
    private void stray(StatefulRedisPubSubConnection<String, byte[]> from, String name, Phase expected) {
        List<CompletableFuture<Void>> waiters;
        Line line;
        lock.lock();
        try {
            Entry entry = entries.get(name);
            if (from != connection || entry == null || entry.phase != expected) {
                return;
            }
            line = entry.line;
            waiters = entry.waiters;
            entry.waiters = new ArrayList<>(1);
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

    // ---- acknowledgements, on the event loop

    private void subscribed(StatefulRedisPubSubConnection<String, byte[]> from, String name) {
        List<CompletableFuture<Void>> waiters = List.of();
        Line interrupted = null;
        lock.lock();
        try {
            Entry entry = entries.get(name);
            if (from != connection || entry == null || entry.phase != Phase.SUBSCRIBING) {
                return;
            }
            if (entry.line == null) {
                unsubscribe(entry);
            } else {
                entry.phase = Phase.LIVE;
                interrupted = entry.hasMissed ? entry.line : null;
                entry.hasMissed = false;
            }
            waiters = entry.waiters;
            entry.waiters = new ArrayList<>(1);
        } finally {
            lock.unlock();
        }
        waiters.forEach(waiter -> waiter.complete(null));
        if (interrupted != null) {
            relay.interrupt(interrupted);
        }
    }

    private void unsubscribed(StatefulRedisPubSubConnection<String, byte[]> from, String name) {
        stray(from, name, Phase.LIVE);
        lock.lock();
        try {
            Entry entry = entries.get(name);
            if (from != connection || entry == null || entry.phase != Phase.UNSUBSCRIBING) {
                return;
            }
            if (entry.line == null) {
                entries.remove(name);
            } else {
                subscribe(entry);
            }
        } finally {
            lock.unlock();
        }
    }

    private void message(String name, String from, byte[] bytes) {
        Entry entry = entries.get(name);
        Line line = entry == null ? null : entry.line;
        if (line != null) {
            relay.message(line, from, bytes);
        }
    }

    // ---- connecting

    private void connect(Duration pause) {
        if (isClosed) {
            return;
        }
        connector.connectPubSub().whenComplete((fresh, failure) -> {
            if (fresh == null) {
                firstReady.completeExceptionally(new StoreException("Redis cannot be reached", failure, true));
                Duration longer = pause.multipliedBy(2);
                connector.later(pause, () -> connect(longer.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : longer));
            } else {
                connected(fresh);
            }
        });
    }

    private void connected(StatefulRedisPubSubConnection<String, byte[]> fresh) {
        if (isClosed) {
            fresh.closeAsync();
            return;
        }
        fresh.addListener(new Hearing(fresh));
        fresh.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
                lost(fresh);
            }
        });
        lock.lock();
        try {
            connection = fresh;
            willSend = false;
            for (Entry entry : entries.values()) {
                if (entry.line != null) {
                    subscribe(entry);
                }
            }
        } finally {
            lock.unlock();
        }
        if (!firstReady.complete(null)) {
            counters.reconnects.increment();
        }
        if (!fresh.isOpen()) {
            lost(fresh);
        }
    }

    @CanIgnoreReturnValue
    private CompletionStage<Void> lost(StatefulRedisPubSubConnection<String, byte[]> broken) {
        List<CompletableFuture<Void>> waiters = new ArrayList<>();
        lock.lock();
        try {
            if (connection != broken) {
                return CompletableFuture.completedStage(null);
            }
            connection = null;
            toSubscribe.clear();
            toUnsubscribe.clear();
            entries.values().removeIf(entry -> entry.line == null);
            for (Entry entry : entries.values()) {
                entry.phase = Phase.IDLE;
                entry.hasMissed = true;
                waiters.addAll(entry.waiters);
                entry.waiters = new ArrayList<>(1);
            }
        } finally {
            lock.unlock();
        }
        // They are told of everything when the subscription is back.
        waiters.forEach(waiter -> waiter.complete(null));
        if (!isClosed) {
            LOST.log("redis", connector.address());
            connector.later(FIRST_PAUSE, () -> connect(FIRST_PAUSE));
        }
        return broken.closeAsync();
    }

    /** Gives up the present connection, as nothing comes through, and makes another. */
    void rebuild() {
        StatefulRedisPubSubConnection<String, byte[]> current = connection;
        if (current != null) {
            lost(current);
        }
    }

    /** Sends lines to the log while nothing is announced to them: the next thousand of those left of this round. */
    private void poll(List<Line> left) {
        if (isClosed) {
            return;
        }
        List<Line> rest = left;
        if (connection == null) {
            if (rest.isEmpty()) {
                rest = new ArrayList<>();
                for (Entry entry : entries.values()) {
                    Line line = entry.line;
                    if (line != null) {
                        rest.add(line);
                    }
                }
            }
            int some = Math.min(rest.size(), POLLED_AT_ONCE);
            rest.subList(0, some).forEach(relay::interrupt);
            rest = rest.subList(some, rest.size());
        }
        List<Line> next = List.copyOf(rest);
        connector.later(POLL_PAUSE, () -> poll(next));
    }

    /** Closes for good; completes when the connection is closed. */
    CompletionStage<Void> close() {
        isClosed = true;
        StatefulRedisPubSubConnection<String, byte[]> current = connection;
        return current == null ? CompletableFuture.completedStage(null) : lost(current);
    }

    /** Hears what comes over one connection. */
    private final class Hearing extends RedisPubSubAdapter<String, byte[]> {
        private final StatefulRedisPubSubConnection<String, byte[]> from;

        Hearing(StatefulRedisPubSubConnection<String, byte[]> from) {
            this.from = from;
        }

        @Override
        public void message(String name, byte[] bytes) {
            EventLink.this.message(name, name, bytes);
        }

        @Override
        public void message(String pattern, String name, byte[] bytes) {
            EventLink.this.message(pattern, name, bytes);
        }

        @Override
        public void smessage(String name, byte[] bytes) {
            EventLink.this.message(name, name, bytes);
        }

        @Override
        public void subscribed(String name, long count) {
            EventLink.this.subscribed(from, name);
        }

        @Override
        public void psubscribed(String pattern, long count) {
            EventLink.this.subscribed(from, pattern);
        }

        @Override
        public void ssubscribed(String name, long count) {
            EventLink.this.subscribed(from, name);
        }

        @Override
        public void unsubscribed(String name, long count) {
            EventLink.this.unsubscribed(from, name);
        }

        @Override
        public void punsubscribed(String pattern, long count) {
            EventLink.this.unsubscribed(from, pattern);
        }

        @Override
        public void sunsubscribed(String name, long count) {
            EventLink.this.unsubscribed(from, name);
        }
    }
}
