package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.CommandArgs;
import java.util.ArrayList;
import java.util.List;

/** The call of a script: which, with what. Not thread-safe; not changed any more once it was made. */
final class Call {

    private static final byte[] NO_KEY = {};

    final Script script;
    private final byte[][] keys;
    private final List<byte[]> arguments = new ArrayList<>(12);

    Call(Script script, byte[]... keys) {
        this.script = script;
        this.keys = keys;
    }

    @CanIgnoreReturnValue
    Call with(byte[] argument) {
        arguments.add(argument);
        return this;
    }

    @CanIgnoreReturnValue
    Call with(String argument) {
        return with(argument.getBytes(UTF_8));
    }

    @CanIgnoreReturnValue
    Call with(long argument) {
        return with(Long.toString(argument).getBytes(US_ASCII));
    }

    /** Returns the key that decides which server it is for: all keys are in one slot. Empty if any will do. */
    byte[] key() {
        return keys.length == 0 ? NO_KEY : keys[0];
    }

    /** Returns the arguments of EVALSHA or EVAL. */
    CommandArgs<byte[], byte[]> args(byte[] digestOrText) {
        CommandArgs<byte[], byte[]> args =
                new CommandArgs<>(ByteArrayCodec.INSTANCE).add(digestOrText).add(keys.length);
        for (byte[] key : keys) {
            args.add(key);
        }
        arguments.forEach(args::add);
        return args;
    }
}
