package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.fanfare.spi.ControlBus;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.ValueListOutput;
import io.lettuce.core.protocol.CommandType;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets nodes talk over one pub/sub channel, and keeps the list of them in a sorted set. */
final class RedisControl implements ControlBus {

    /*
     * State: the members that joined through this store. Each renews its entry in the list every BEAT.
     *
     * Threads: thread-safe. Handlers are called by one worker of the relay.
     *
     * Ordering: one order of all messages, for all members.
     */

    private static final Logger LOG = LoggerFactory.getLogger(RedisControl.class);
    private static final Duration BEAT = Duration.ofSeconds(4);
    private static final Duration LIFETIME = Duration.ofSeconds(14);
    private static final int VERSION = 1;

    private final byte[] nodes;
    private final Topology redis;
    private final Threads threads;
    private final Counters counters;
    private final List<Member> members = new CopyOnWriteArrayList<>();
    private final Line line;

    RedisControl(Keys keys, Topology redis, Threads threads, Counters counters) {
        this.nodes = keys.global("nodes");
        this.redis = redis;
        this.threads = threads;
        this.counters = counters;
        this.line = new ControlLine(redis.pubSub(), keys.globalBus("control"));
    }

    /** Begins to renew members. */
    void start() {
        threads.later(BEAT, this::beat);
    }

    @Override
    public CompletionStage<Membership> join(String node, Consumer<String> handler) {
        Member member = new Member(requireNonNull(node, "node"), requireNonNull(handler, "handler"));
        members.add(member);
        return redis.want(line).thenCompose(effective -> renew(List.of(member))).thenApply(listed -> member);
    }

    @Override
    public CompletionStage<Void> send(String message) {
        if (message.length() > MAX_MESSAGE_LENGTH) {
            throw new IllegalArgumentException(
                    "A message has at most " + MAX_MESSAGE_LENGTH + " characters: " + message.length());
        }
        byte[] text = message.getBytes(UTF_8);
        byte[] frame = new ByteSink(1 + text.length).put(VERSION).putAll(text).toBytes();
        return redis.run(Request.publish(line.kind, line.name.getBytes(UTF_8), frame))
                .thenApply(heard -> null);
    }

    @Override
    public CompletionStage<Set<String>> nodes() {
        return renew(List.of());
    }

    /** Renews members in the list, and returns it. */
    private CompletionStage<Set<String>> renew(List<Member> some) {
        Call call = new Call(Script.NODES, nodes).with(LIFETIME.toMillis());
        some.forEach(member -> call.with(member.node));
        return redis.run(Request.of(call, () -> new ValueListOutput<>(ByteArrayCodec.INSTANCE), 0))
                .thenApply(found -> {
                    Set<String> names = new HashSet<>();
                    found.forEach(name -> names.add(new String(name, UTF_8)));
                    return Set.copyOf(names);
                });
    }

    private void beat() {
        if (!members.isEmpty()) {
            renew(members).whenComplete((listed, failure) -> {
                if (failure != null) {
                    LOG.debug("The list of nodes could not be renewed; trying again", failure);
                }
            });
        }
        threads.later(BEAT, this::beat);
    }

    private final class ControlLine extends Line {
        ControlLine(PubSub kind, String name) {
            super(kind, name);
        }

        @Override
        void message(byte[] bytes) {
            if (bytes.length == 0 || bytes[0] != VERSION) {
                counters.malformed.increment();
                return;
            }
            String text = new String(bytes, 1, bytes.length - 1, UTF_8);
            for (Member member : members) {
                if (!member.isClosed) {
                    member.handler.accept(text);
                }
            }
        }

        @Override
        void interrupted() {
            // Questions that got lost have their own time-outs.
        }
    }

    private final class Member implements Membership {
        private final String node;
        private final Consumer<String> handler;
        private volatile boolean isClosed;

        Member(String node, Consumer<String> handler) {
            this.node = node;
            this.handler = handler;
        }

        @Override
        public void close() {
            isClosed = true;
            members.remove(this);
            if (members.stream().noneMatch(member -> member.node.equals(node))) {
                redis.run(Request.of(
                                CommandType.ZREM,
                                nodes,
                                () -> new IntegerOutput<>(ByteArrayCodec.INSTANCE),
                                node.getBytes(UTF_8)))
                        .whenComplete((gone, failure) -> {
                            if (failure != null) {
                                LOG.debug("A node stays listed until its time is over", failure);
                            }
                        });
            }
        }
    }
}
