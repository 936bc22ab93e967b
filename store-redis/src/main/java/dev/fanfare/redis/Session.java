package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.output.ValueListOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandKeyword;
import io.lettuce.core.protocol.CommandType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connection for commands, and the scripts that its server has loaded. */
final class Session {

    /*
     * State: the connection, and the name of the history that the server continued when the scripts were loaded.
     *
     * Threads: thread-safe. Commands are queued by whoever calls, and written by the connection's event loop: all
     * those that have come until it gets to it go out in one write.
     *
     * Ordering: that of the calls of run().
     */

    /**
     * What the primary continues.
     *
     * @param replication its replication id
     * @param salt the name that stands for it in epochs
     */
    record Identity(String replication, String salt) {
        static final Identity UNKNOWN = new Identity("-", "-");
    }

    private static final Logger LOG = LoggerFactory.getLogger(Session.class);

    final StatefulRedisConnection<byte[], byte[]> connection;
    private final RedisAsyncCommands<byte[], byte[]> commands;
    private final Executor loop;
    private final AtomicBoolean willFlush = new AtomicBoolean();
    private volatile Map<Script, byte[]> digests = new EnumMap<>(Script.class);
    private volatile Identity identity = Identity.UNKNOWN;

    Session(StatefulRedisConnection<byte[], byte[]> connection, Executor loop) {
        this.connection = connection;
        this.commands = connection.async();
        this.loop = loop;
        connection.setAutoFlushCommands(false);
    }

    Identity identity() {
        return identity;
    }

    <T> CompletionStage<T> run(
            CommandType type, CommandOutput<byte[], byte[], T> output, CommandArgs<byte[], byte[]> args) {
        CompletionStage<T> reply = commands.dispatch(type, output, args);
        if (willFlush.compareAndSet(false, true)) {
            loop.execute(this::flush);
        }
        return reply;
    }

    <T> CompletionStage<T> run(Call call, CommandOutput<byte[], byte[], T> output) {
        byte[] digest = digests.get(call.script);
        if (digest == null) {
            throw new IllegalStateException("The scripts are not loaded");
        }
        return run(CommandType.EVALSHA, output, call.args(digest));
    }

    private void flush() {
        willFlush.set(false);
        connection.flushCommands();
    }

    /** Finds out which history the server continues, and gives it a name if it has none. */
    CompletionStage<Identity> identify(Keys keys, Identity known) {
        Call look = new Call(Script.IDENTITY, keys.global("identity"))
                .with(known.replication)
                .with(known.salt);
        return identify(look).thenCompose(found -> {
            if (!found.salt.isEmpty()) {
                return CompletableFuture.completedFuture(found);
            }
            // The server may have been a primary before, and still know scripts that carry the name of that time.
            // Nodes that have not noticed must not go on with them: without them they will look for the name.
            CommandArgs<byte[], byte[]> flush = new CommandArgs<>(ByteArrayCodec.INSTANCE).add(CommandKeyword.FLUSH);
            run(CommandType.SCRIPT, new StatusOutput<>(ByteArrayCodec.INSTANCE), flush)
                    .whenComplete((flushed, failure) -> {
                        if (failure != null) {
                            LOG.warn("Redis refused SCRIPT FLUSH; other nodes will notice the failover late", failure);
                        }
                    });
            return identify(look.with(Ids.random(6)));
        });
    }

    private CompletionStage<Identity> identify(Call call) {
        byte[] text = Script.IDENTITY.text("", "", 0).getBytes(UTF_8);
        return run(CommandType.EVAL, new ValueListOutput<>(ByteArrayCodec.INSTANCE), call.args(text))
                .thenApply(
                        found -> new Identity(new String(found.get(0), US_ASCII), new String(found.get(1), US_ASCII)));
    }

    /** Loads the scripts for that history. */
    CompletionStage<Void> load(Identity found, String suffix, long shiftMillis) {
        Map<Script, byte[]> loaded = new EnumMap<>(Script.class);
        List<CompletableFuture<?>> all = new ArrayList<>();
        for (Script script : Script.values()) {
            byte[] text = script.text(found.salt, suffix, shiftMillis).getBytes(UTF_8);
            CommandArgs<byte[], byte[]> args = new CommandArgs<>(ByteArrayCodec.INSTANCE)
                    .add(CommandKeyword.LOAD)
                    .add(text);
            all.add(run(CommandType.SCRIPT, new StatusOutput<>(ByteArrayCodec.INSTANCE), args)
                    .thenAccept(digest -> {
                        synchronized (loaded) {
                            loaded.put(script, digest.getBytes(US_ASCII));
                        }
                    })
                    .toCompletableFuture());
        }
        return CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new)).thenRun(() -> {
            digests = loaded;
            identity = found;
        });
    }
}
