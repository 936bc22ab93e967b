package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.StoreException;
import dev.fanfare.spi.LatestValues;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.ValueListOutput;
import io.lettuce.core.output.ValueOutput;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Keeps the newest values of a channel in a hash, and their times in a sorted set. Thread-safe. */
final class RedisLatest implements LatestValues {

    private final Keys keys;
    private final Topology redis;

    RedisLatest(Keys keys, Topology redis) {
        this.keys = keys;
        this.redis = redis;
    }

    @Override
    public CompletionStage<Void> put(ChannelId channel, String key, Publication value, Duration timeToLive) {
        ByteSink sink = new ByteSink(48 + Envelope.expectedLength(value));
        BusFrame.putPlace(sink, value.epoch(), value.offset());
        Envelope.putEntry(sink, value);
        byte[] bytes = sink.toBytes();
        Call call = call(Script.LATEST_PUT, channel)
                .with(key)
                .with(RedisLog.millis(timeToLive))
                .with(bytes);
        return redis.run(Request.of(call, () -> new IntegerOutput<>(ByteArrayCodec.INSTANCE), bytes.length))
                .thenApply(done -> null);
    }

    @Override
    public CompletionStage<@Nullable Publication> get(ChannelId channel, String key) {
        return redis.run(Request.of(
                        call(Script.LATEST_GET, channel).with(key),
                        () -> new ValueOutput<>(ByteArrayCodec.INSTANCE),
                        0))
                .thenApply(RedisLatest::publication);
    }

    @Override
    public CompletionStage<Map<String, Publication>> all(ChannelId channel, int limit) {
        return redis.run(Request.of(
                        call(Script.LATEST_ALL, channel).with(limit),
                        () -> new ValueListOutput<>(ByteArrayCodec.INSTANCE),
                        0))
                .thenApply(reply -> {
                    Map<String, Publication> found = new HashMap<>();
                    for (int i = 0; i + 1 < reply.size(); i += 2) {
                        Publication value = publication(reply.get(i + 1));
                        if (value != null) {
                            found.put(new String(reply.get(i), UTF_8), value);
                        }
                    }
                    return Map.copyOf(found);
                });
    }

    @Override
    public CompletionStage<Void> remove(ChannelId channel, String key) {
        return redis.run(Request.of(
                        call(Script.LATEST_REMOVE, channel).with(key),
                        () -> new IntegerOutput<>(ByteArrayCodec.INSTANCE),
                        0))
                .thenApply(done -> null);
    }

    private Call call(Script script, ChannelId channel) {
        byte[] place = Keys.place(channel);
        return new Call(script, keys.values(place), keys.valueTimes(place));
    }

    private static @Nullable Publication publication(byte @Nullable [] bytes) {
        if (bytes == null) {
            return null;
        }
        try {
            ByteSource source = new ByteSource(bytes);
            long offset = source.nextLong();
            String epoch = source.nextText(source.next());
            return Envelope.entry(epoch, offset, source);
        } catch (MalformedException malformed) {
            throw new StoreException("A value in Redis cannot be read", malformed, false);
        }
    }
}
