package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.ChannelId;
import dev.fanfare.StoreException;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.PresenceStore;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.ValueListOutput;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Keeps who is present, as {@code presence.lua} describes. Time is that of Redis. Thread-safe. */
final class RedisPresence implements PresenceStore {

    private static final int LEASE_LENGTH = 12;

    /** How many rounds of burying and handing out one sweep may take. */
    private static final int SWEEP_ROUNDS = 16;

    private final Topology redis;
    private final byte[][] names;

    RedisPresence(Keys keys, Topology redis) {
        this.redis = redis;
        this.names = new byte[][] {
            keys.global("p:{presence}:leases"),
            keys.global("p:{presence}:nodes"),
            keys.global("p:{presence}:owners"),
            keys.global("p:{presence}:due"),
            keys.global("p:{presence}:entries:"),
            keys.global("p:{presence}:users:"),
            keys.global("p:{presence}:seats:")
        };
    }

    @Override
    public CompletionStage<Boolean> renew(String node, Duration timeToLive) {
        return ask(new Call(Script.RENEW, names)
                .with(node)
                .with(RedisLog.millis(timeToLive))
                .with(Ids.random(LEASE_LENGTH)));
    }

    @Override
    public CompletionStage<Void> retire(String node) {
        return ask(new Call(Script.RETIRE, names).with(node)).thenApply(done -> null);
    }

    @Override
    public CompletionStage<Boolean> enter(String node, ChannelId channel, Member member, Duration grace) {
        return ask(new Call(Script.ENTER, names)
                .with(node)
                .with(channel.value())
                .with(member.identity())
                .with(seat(member))
                .with(millis(grace))
                .with(Envelope.member(member)));
    }

    @Override
    public CompletionStage<Boolean> leave(ChannelId channel, Member member, Duration grace) {
        return ask(new Call(Script.LEAVE, names)
                .with(channel.value())
                .with(member.identity())
                .with(seat(member))
                .with(millis(grace)));
    }

    private CompletionStage<Boolean> ask(Call call) {
        return redis.run(Request.of(call, () -> new IntegerOutput<>(ByteArrayCodec.INSTANCE), 0))
                .thenApply(answer -> answer == 1);
    }

    @Override
    public CompletionStage<List<Departure>> sweep(int limit) {
        return sweep(limit, SWEEP_ROUNDS, List.of());
    }

    private CompletionStage<List<Departure>> sweep(int limit, int rounds, List<Departure> found) {
        Call call = new Call(Script.SWEEP, names).with(limit - found.size());
        return redis.run(Request.of(call, () -> new ValueListOutput<>(ByteArrayCodec.INSTANCE), 0))
                .thenCompose(reply -> {
                    List<Departure> all = new ArrayList<>(found);
                    for (int i = 1; i + 1 < reply.size(); i += 2) {
                        ChannelId channel = ChannelId.of(new String(reply.get(i), UTF_8));
                        all.add(new Departure(channel, member(reply.get(i + 1))));
                    }
                    boolean isMore = reply.get(0)[0] == '1';
                    return isMore && rounds > 1 && all.size() < limit
                            ? sweep(limit, rounds - 1, all)
                            : CompletableFuture.completedStage(List.copyOf(all));
                });
    }

    @Override
    public CompletionStage<PresenceSnapshot> snapshot(ChannelId channel, int limit) {
        Call call = new Call(Script.SNAPSHOT, names).with(channel.value()).with(limit);
        return redis.run(Request.of(call, () -> new ValueListOutput<>(ByteArrayCodec.INSTANCE), 0))
                .thenApply(reply -> {
                    List<Member> members = new ArrayList<>(reply.size());
                    reply.subList(2, reply.size()).forEach(member -> members.add(member(member)));
                    return new PresenceSnapshot(members, number(reply.get(0)), number(reply.get(1)));
                });
    }

    private static int number(byte[] text) {
        return Integer.parseInt(new String(text, US_ASCII));
    }

    private static long millis(Duration grace) {
        return grace.isZero() ? 0 : RedisLog.millis(grace);
    }

    private static byte[] seat(Member member) {
        byte[] identity = member.identity().getBytes(UTF_8);
        byte[] connection = member.connection().getBytes(UTF_8);
        if (identity.length > 0xffff) {
            throw new IllegalArgumentException("A user's name of " + identity.length + " bytes is too long");
        }
        return new ByteSink(2 + identity.length + connection.length)
                .put(identity.length >>> 8)
                .put(identity.length)
                .putAll(identity)
                .putAll(connection)
                .toBytes();
    }

    private static Member member(byte[] bytes) {
        try {
            return Envelope.member(new ByteSource(bytes));
        } catch (MalformedException malformed) {
            throw new StoreException("A member in Redis cannot be read", malformed, false);
        }
    }
}
