package dev.fanfare.redis;

import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;

/** One connection for pub/sub. */
final class PubSubSession {

    /*
     * State: the connection, and the names that it has still to be sent.
     *
     * Threads: thread-safe. Names are queued by whoever calls, and sent by the connection's event loop: all those that have
     * come until it gets to it go out together, many in one command. The hearer is called there.
     *
     * Bounds: those of who calls, which has one name at a time under way for each line.
     */

    private static final int NAMES_PER_COMMAND = 256;

    /** Hears what comes over a connection, on its event loop; returns at once. */
    interface Hearer {
        /**
         * Hears a message.
         *
         * @param name what was subscribed: a pub/sub channel, or a pattern
         * @param from the pub/sub channel
         */
        void message(String name, String from, byte[] bytes);

        /** Learns that a subscription is effective. */
        void subscribed(PubSubSession session, String name);

        /** Learns that a subscription is over, whether that was wanted or not. */
        void unsubscribed(PubSubSession session, String name);

        /** Learns that the server would not subscribe some names. */
        void refused(PubSubSession session, String[] names, Throwable failure);
    }

    private record Named(PubSub kind, String name) {}

    private final StatefulRedisPubSubConnection<String, byte[]> connection;
    private final Executor loop;
    private final Hearer hearer;
    private final Queue<Named> toSubscribe = new ConcurrentLinkedQueue<>();
    private final Queue<Named> toUnsubscribe = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean willSend = new AtomicBoolean();

    PubSubSession(StatefulRedisPubSubConnection<String, byte[]> connection, Executor loop, Hearer hearer) {
        this.connection = connection;
        this.loop = loop;
        this.hearer = hearer;
        connection.addListener(new Ear());
    }

    boolean isOpen() {
        return connection.isOpen();
    }

    void subscribe(PubSub kind, String name) {
        toSubscribe.add(new Named(kind, name));
        sendSoon();
    }

    void unsubscribe(PubSub kind, String name) {
        toUnsubscribe.add(new Named(kind, name));
        sendSoon();
    }

    CompletionStage<Void> close() {
        return connection.closeAsync();
    }

    private void sendSoon() {
        if (willSend.compareAndSet(false, true)) {
            try {
                loop.execute(this::send);
            } catch (RejectedExecutionException closed) {
                willSend.set(false); // the session ends with its loop, and tells who waits
            }
        }
    }

    private void send() {
        willSend.set(false);
        inCommands(toUnsubscribe, (kind, names) -> kind.unsubscribe(connection.async(), names));
        inCommands(
                toSubscribe,
                (kind, names) -> kind.subscribe(connection.async(), names).whenComplete((done, failure) -> {
                    if (failure != null && isOpen()) {
                        hearer.refused(this, names, failure);
                    }
                }));
    }

    /** Makes commands of as many names as each may have. */
    private static void inCommands(Queue<Named> all, BiConsumer<PubSub, String[]> command) {
        Map<PubSub, Map<Integer, List<String>>> groups = new EnumMap<>(PubSub.class);
        for (Named next = all.poll(); next != null; next = all.poll()) {
            groups.computeIfAbsent(next.kind, kind -> new HashMap<>())
                    .computeIfAbsent(next.kind.slotOf(next.name), slot -> new ArrayList<>())
                    .add(next.name);
        }
        groups.forEach((kind, slots) -> slots.values().forEach(names -> {
            for (int i = 0; i < names.size(); i += NAMES_PER_COMMAND) {
                List<String> some = names.subList(i, Math.min(i + NAMES_PER_COMMAND, names.size()));
                command.accept(kind, some.toArray(String[]::new));
            }
        }));
    }

    /** Brings the three kinds of pub/sub to the hearer. */
    private final class Ear extends RedisPubSubAdapter<String, byte[]> {
        @Override
        public void message(String name, byte[] bytes) {
            hearer.message(name, name, bytes);
        }

        @Override
        public void message(String pattern, String name, byte[] bytes) {
            hearer.message(pattern, name, bytes);
        }

        @Override
        public void smessage(String name, byte[] bytes) {
            hearer.message(name, name, bytes);
        }

        @Override
        public void subscribed(String name, long count) {
            hearer.subscribed(PubSubSession.this, name);
        }

        @Override
        public void psubscribed(String pattern, long count) {
            hearer.subscribed(PubSubSession.this, pattern);
        }

        @Override
        public void ssubscribed(String name, long count) {
            hearer.subscribed(PubSubSession.this, name);
        }

        @Override
        public void unsubscribed(String name, long count) {
            hearer.unsubscribed(PubSubSession.this, name);
        }

        @Override
        public void punsubscribed(String pattern, long count) {
            hearer.unsubscribed(PubSubSession.this, pattern);
        }

        @Override
        public void sunsubscribed(String name, long count) {
            hearer.unsubscribed(PubSubSession.this, name);
        }
    }
}
