package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.fanfare.ChannelId;
import dev.fanfare.StoreException;
import dev.fanfare.spi.WorkQueues;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.ValueListOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Keeps groups of workers as consumer groups of the log's own streams; {@code work-take.lua} says how. Thread-safe. */
final class RedisWorkQueues implements WorkQueues {

    private final Keys keys;
    private final Topology redis;

    RedisWorkQueues(Keys keys, Topology redis) {
        this.keys = keys;
        this.redis = redis;
    }

    @Override
    public CompletionStage<Taken> take(Take request) {
        byte[] place = Keys.place(request.channel());
        Call call = new Call(Script.WORK_TAKE, keys.head(place), keys.stream(place), keys.queue(place, request.group()))
                .with(request.group())
                .with(request.worker())
                .with(request.limit())
                .with(request.visibility().toMillis())
                .with(request.isRecovering() ? "r" : "");
        return redis.run(Request.of(call, () -> new ValueListOutput<>(ByteArrayCodec.INSTANCE), 0))
                .thenApply(RedisWorkQueues::taken);
    }

    private static Taken taken(List<byte[]> reply) {
        try {
            long lost = new ByteSource(reply.get(0)).nextLong();
            String epoch = new String(reply.get(1), US_ASCII);
            List<Delivery> deliveries = new ArrayList<>();
            for (int i = 2; i + 1 < reply.size(); i += 2) {
                ByteSource numbers = new ByteSource(reply.get(i));
                long offset = numbers.nextLong();
                int count = (int) numbers.nextLong();
                deliveries.add(new Delivery(Envelope.entry(epoch, offset, new ByteSource(reply.get(i + 1))), count));
            }
            return new Taken(List.copyOf(deliveries), lost);
        } catch (MalformedException malformed) {
            throw new StoreException("A job in Redis cannot be read", malformed, false);
        }
    }

    @Override
    public CompletionStage<Void> acknowledge(ChannelId channel, String group, List<Long> offsets) {
        byte[] place = Keys.place(channel);
        Call call = new Call(Script.WORK_DONE, keys.stream(place), keys.queue(place, group)).with(group);
        offsets.forEach(offset -> call.with("0-" + offset));
        return redis.run(Request.of(call, () -> new IntegerOutput<>(ByteArrayCodec.INSTANCE), 0))
                .thenApply(done -> null);
    }
}
