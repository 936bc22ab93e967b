package dev.fanfare.redis;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.util.function.BiConsumer;
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
    /** Whether the circuit breaker of the server that it comes to decides on it, and judges by what becomes of it. */
    final boolean isGuarded;

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
            Supplier<? extends CommandOutput<byte[], byte[], T>> output,
            boolean isGuarded) {
        this.key = key;
        this.bytes = bytes;
        this.isGuarded = isGuarded;
        this.type = type;
        this.call = call;
        this.args = args;
        this.output = output;
    }

    /** Calls a script, with so many bytes of data. */
    static <T> Request<T> of(Call call, Supplier<? extends CommandOutput<byte[], byte[], T>> output, int bytes) {
        return new Request<>(call.key(), bytes, CommandType.EVALSHA, call, null, output, false);
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
        return new Request<>(key, 0, type, null, args, output, false);
    }

    /** Publishes to a pub/sub channel; answers the number of those who heard it at the same server. */
    static Request<Long> publish(PubSub kind, byte[] channel, byte[] message) {
        CommandArgs<byte[], byte[]> args =
                new CommandArgs<>(ByteArrayCodec.INSTANCE).add(channel).add(message);
        return new Request<>(channel, message.length, kind.publish, null, args, Request::count, false);
    }

    /** Returns the same as one that the circuit breaker decides on. */
    Request<T> guarded() {
        return new Request<>(key, bytes, type, call, args, output, true);
    }

    /** Tells whether a server of a Redis Cluster that is down would not run it: what has a key, but for announcements. */
    boolean isRefusedWhenDown() {
        return type != CommandType.CLUSTER && type != CommandType.PUBLISH && type != CommandType.SPUBLISH;
    }

    private static IntegerOutput<byte[], byte[]> count() {
        return new IntegerOutput<>(ByteArrayCodec.INSTANCE);
    }

    /** Makes a command of it for that session, whose scripts it calls. */
    Exchange<T> exchange(
            Session session, boolean isAsking, BiConsumer<? super @Nullable T, ? super @Nullable Throwable> outcome) {
        CommandArgs<byte[], byte[]> all = call == null ? args : call.args(session.digest(call.script));
        return new Exchange<>(type, output.get(), all, isAsking, outcome);
    }
}
