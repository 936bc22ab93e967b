package dev.fanfare.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.fanfare.StoreException;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Subscribes lines to pub/sub channels over one connection, which it makes anew when it is lost. */
final class EventLink {

    /*
     * State: a slot per pub/sub channel, with the line that wants it and how far its subscription is. At most one
     * SUBSCRIBE or UNSUBSCRIBE of a slot is under way, so that an acknowledgement is never taken for another's.
     *
     * When the connection is lost every slot starts again, and its line is told that it was interrupted once its new
     * subscription is acknowledged: a look at the log after that misses nothing. Until then, each second, lines are told
     * so too, a thousand at a time, so that a log that lives elsewhere keeps its subscribers going meanwhile.
     *
     * Threads: thread-safe. The lock guards the slots; nothing is sent, completed or called under it. Messages go past
     * it, from the event loop to the relay.
     *
     * Bounds: one slot per line, and those that are being unsubscribed.
     */

    private static final Logger LOG = LoggerFactory.getLogger(EventLink.class);
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
    private static final class Slot {
        final String name;
        final boolean isPattern;
        final String key;
        volatile @Nullable Line line;
        Phase phase = Phase.IDLE;
        boolean hasMissed;
        List<CompletableFuture<Void>> waiters = new ArrayList<>(1);

        Slot(Line line) {
            this.name = line.name;
            this.isPattern = line.isPattern();
            this.key = key(name, isPattern);
        }
    }

    private final Connector connector;
    private final Relay relay;
    private final Counters counters;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Slot> slots = new ConcurrentHashMap<>();

    @GuardedBy("lock")
    private List<Slot> toSubscribe = new ArrayList<>();

    @GuardedBy("lock")
    private List<Slot> toUnsubscribe = new ArrayList<>();

    @GuardedBy("lock")
    private boolean willSend;

    private volatile @Nullable StatefulRedisPubSubConnection<String, byte[]> connection;
    private final CompletableFuture<Void> firstReady = new CompletableFuture<>();
    private volatile boolean hasFailedProbe;
    private volatile boolean isClosed;

    EventLink(Connector connector, Relay relay, Counters counters) {
        this.connector = connector;
        this.relay = relay;
        this.counters = counters;
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
            Slot slot = slots.computeIfAbsent(key(line.name, line.isPattern()), key -> new Slot(line));
            slot.line = line;
            if (connection == null) {
                slot.hasMissed = true;
                isEffective = true;
            } else if (slot.phase == Phase.LIVE) {
                isEffective = true;
            } else {
                slot.waiters.add(effective);
                if (slot.phase == Phase.IDLE) {
                    subscribe(slot);
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
            Slot slot = slots.get(key(line.name, line.isPattern()));
            if (slot == null || slot.line != line) {
                return;
            }
            slot.line = null;
            if (slot.phase == Phase.LIVE) {
                unsubscribe(slot);
            } else if (slot.phase == Phase.IDLE) {
                slots.remove(slot.key);
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void subscribe(Slot slot) {
        slot.phase = Phase.SUBSCRIBING;
        toSubscribe.add(slot);
        sendSoon();
    }

    @GuardedBy("lock")
    private void unsubscribe(Slot slot) {
        slot.phase = Phase.UNSUBSCRIBING;
        toUnsubscribe.add(slot);
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
        List<Slot> coming;
        List<Slot> going;
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
        inCommands(going, false, names -> current.async().unsubscribe(names));
        inCommands(going, true, names -> current.async().punsubscribe(names));
        inCommands(
                coming,
                false,
                names -> current.async()
                        .subscribe(names)
                        .whenComplete((done, failure) -> begun(current, names, false, failure)));
        inCommands(
                coming,
                true,
                names -> current.async()
                        .psubscribe(names)
                        .whenComplete((done, failure) -> begun(current, names, true, failure)));
    }

    /** Makes commands of as many names as each may have, of the patterns or of the others. */
    private static void inCommands(List<Slot> all, boolean arePatterns, Consumer<String[]> command) {
        List<String> names = all.stream()
                .filter(slot -> slot.isPattern == arePatterns)
                .map(slot -> slot.name)
                .toList();
        for (int i = 0; i < names.size(); i += NAMES_PER_COMMAND) {
            command.accept(names.subList(i, Math.min(i + NAMES_PER_COMMAND, names.size()))
                    .toArray(String[]::new));
        }
    }

    private void begun(
            StatefulRedisPubSubConnection<String, byte[]> current,
            String[] names,
            boolean arePatterns,
            @Nullable Throwable failure) {
        if (failure != null && current.isOpen()) {
            refused(Stream.of(names).map(name -> key(name, arePatterns)).toList(), failure);
        }
    }

    /** Returns under what a slot is found: a pattern may be written like the name of a pub/sub channel. */
    private static String key(String name, boolean isPattern) {
        return isPattern ? '\n' + name : name;
    }

    private void refused(List<String> keys, Throwable failure) {
        LOG.error("Redis refused to subscribe {} channels; does the user have the permission?", keys.size(), failure);
        List<CompletableFuture<Void>> waiters = new ArrayList<>();
        lock.lock();
        try {
            for (String key : keys) {
                Slot slot = slots.get(key);
                if (slot != null && slot.phase == Phase.SUBSCRIBING) {
                    slots.remove(key);
                    waiters.addAll(slot.waiters);
                }
            }
        } finally {
            lock.unlock();
        }
        waiters.forEach(waiter ->
                waiter.completeExceptionally(new StoreException("Redis refused to subscribe", failure, false)));
    }

    // ---- acknowledgements, on the event loop

    private void subscribed(StatefulRedisPubSubConnection<String, byte[]> from, String key) {
        List<CompletableFuture<Void>> waiters = List.of();
        Line interrupted = null;
        lock.lock();
        try {
            Slot slot = slots.get(key);
            if (from != connection || slot == null || slot.phase != Phase.SUBSCRIBING) {
                return;
            }
            if (slot.line == null) {
                unsubscribe(slot);
            } else {
                slot.phase = Phase.LIVE;
                interrupted = slot.hasMissed ? slot.line : null;
                slot.hasMissed = false;
            }
            waiters = slot.waiters;
            slot.waiters = new ArrayList<>(1);
        } finally {
            lock.unlock();
        }
        waiters.forEach(waiter -> waiter.complete(null));
        if (interrupted != null) {
            relay.interrupt(interrupted);
        }
    }

    private void unsubscribed(StatefulRedisPubSubConnection<String, byte[]> from, String key) {
        lock.lock();
        try {
            Slot slot = slots.get(key);
            if (from != connection || slot == null || slot.phase != Phase.UNSUBSCRIBING) {
                return;
            }
            if (slot.line == null) {
                slots.remove(key);
            } else {
                subscribe(slot);
            }
        } finally {
            lock.unlock();
        }
    }

    private void message(String key, String from, byte[] bytes) {
        Slot slot = slots.get(key);
        Line line = slot == null ? null : slot.line;
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
        fresh.addListener(new RedisPubSubAdapter<String, byte[]>() {
            @Override
            public void message(String name, byte[] bytes) {
                EventLink.this.message(name, name, bytes);
            }

            @Override
            public void message(String pattern, String name, byte[] bytes) {
                EventLink.this.message(key(pattern, true), name, bytes);
            }

            @Override
            public void psubscribed(String pattern, long count) {
                EventLink.this.subscribed(fresh, key(pattern, true));
            }

            @Override
            public void punsubscribed(String pattern, long count) {
                EventLink.this.unsubscribed(fresh, key(pattern, true));
            }

            @Override
            public void subscribed(String name, long count) {
                EventLink.this.subscribed(fresh, name);
            }

            @Override
            public void unsubscribed(String name, long count) {
                EventLink.this.unsubscribed(fresh, name);
            }
        });
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
            for (Slot slot : slots.values()) {
                if (slot.line != null) {
                    subscribe(slot);
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
            slots.values().removeIf(slot -> slot.line == null);
            for (Slot slot : slots.values()) {
                slot.phase = Phase.IDLE;
                slot.hasMissed = true;
                waiters.addAll(slot.waiters);
                slot.waiters = new ArrayList<>(1);
            }
        } finally {
            lock.unlock();
        }
        // They are told of everything when the subscription is back.
        waiters.forEach(waiter -> waiter.complete(null));
        if (!isClosed) {
            LOG.warn("The pub/sub connection to Redis at {} is lost", connector.address());
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
                for (Slot slot : slots.values()) {
                    Line line = slot.line;
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
}
