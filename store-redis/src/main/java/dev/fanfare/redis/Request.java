package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A command, or the call of a script, for the server that has its key. May be sent again if it was not run. Immutable.
 *
 * @param <T> what it answers
 */
final class Request<T> {

    /** What decides which server it is for. */
    final byte[] key;
    /** About how much memory it takes while it waits for its reply. */
    final int bytes;

    private final CommandType type;
    private final @Nullable Call call;
    private final @Nullable CommandArgs<byte[], byte[]> args;
    private final Supplier<? extends CommandOutput<byte[], byte[], T>> output;

    private Request(
            byte[] key,
            int bytes,
            CommandType type,
            @Nullable Call call,
            @Nullable CommandArgs<byte[], byte[]> args,
            Supplier<? extends CommandOutput<byte[], byte[], T>> output) {
        this.key = key;
        this.bytes = bytes;
        this.type = type;
        this.call = call;
        this.args = args;
        this.output = output;
    }

    /** Calls a script, with so many bytes of data. */
    static <T> Request<T> of(Call call, Supplier<? extends CommandOutput<byte[], byte[], T>> output, int bytes) {
        return new Request<>(call.key(), bytes, CommandType.EVALSHA, call, null, output);
    }

    /** Runs a command on one key. */
    static <T> Request<T> of(
            CommandType type,
            byte[] key,
            Supplier<? extends CommandOutput<byte[], byte[], T>> output,
            byte[]... arguments) {
        CommandArgs<byte[], byte[]> args = new CommandArgs<>(ByteArrayCodec.INSTANCE).add(key);
        for (byte[] argument : arguments) {
            args.add(argument);
        }
        return new Request<>(key, 0, type, null, args, output);
    }

    /** Publishes to a pub/sub channel; answers the number of those who heard it at the same server. */
    static Request<Long> publish(PubSub kind, String channel, byte[] message) {
        byte[] name = channel.getBytes(UTF_8);
        CommandArgs<byte[], byte[]> args =
                new CommandArgs<>(ByteArrayCodec.INSTANCE).add(name).add(message);
        return new Request<>(
                name, message.length, kind.publish, null, args, () -> new IntegerOutput<>(ByteArrayCodec.INSTANCE));
    }

    /** Sends it. */
    CompletionStage<T> sendTo(Session session, boolean isAsking) {
        CommandArgs<byte[], byte[]> all = call == null ? args : call.args(session.digest(call.script));
        return session.run(type, output.get(), all, isAsking);
    }
}
