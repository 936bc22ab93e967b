package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.spi.LogLine;
import io.lettuce.core.RedisReadOnlyException;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandKeyword;
import io.lettuce.core.protocol.CommandType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One connection for commands, and the scripts that its server has loaded. */
final class Session {

    /*
     * State: the connection, and the digests of the scripts, which carry the name of the history that the server
     * continued when they were loaded.
     *
     * Threads: thread-safe. Commands are queued by whoever calls, and handed to Lettuce by the connection's event loop: all
     * those that have come until it gets to it go out in one write.
     *
     * Ordering: that of the calls of run().
     *
     * Bounds: those of the link, which counts what waits for a reply.
     */

    /**
     * Which history a primary continues. A server that was promoted, or started anew, has another replication id than
     * before, and may lack what the former one had acknowledged.
     *
     * @param replication its replication id
     */
    record Identity(String replication) {
        private static final int SALT_LENGTH = 8;

        static final Identity UNKNOWN = new Identity("");

        /** Returns the name that stands for it in epochs. */
        String salt() {
            return replication.substring(0, Math.min(SALT_LENGTH, replication.length()));
        }
    }

    private static final LogLine NO_FLUSH =
            LogLine.warn(Session.class, "Redis refused SCRIPT FLUSH; other nodes will notice the failover late");
    private static final Pattern REPLICATION_ID = Pattern.compile("master_replid:([0-9a-f]+)");

    final StatefulRedisConnection<byte[], byte[]> connection;
    private final Executor loop;
    private final Queue<Exchange<?>> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean willFlush = new AtomicBoolean();
    private volatile Map<Script, byte[]> digests = new EnumMap<>(Script.class);

    Session(StatefulRedisConnection<byte[], byte[]> connection, Executor loop) {
        this.connection = connection;
        this.loop = loop;
    }

    /** Sends a command. */
    void run(Exchange<?> exchange) {
        waiting.add(exchange);
        if (willFlush.compareAndSet(false, true)) {
            flushSoon();
        }
    }

    private void flushSoon() {
        try {
            loop.execute(this::flush);
        } catch (RejectedExecutionException closed) {
            flush(); // which fails them all
        }
    }

    private void flush() {
        willFlush.set(false);
        List<Exchange<?>> all = new ArrayList<>();
        for (Exchange<?> next = waiting.poll(); next != null; next = waiting.poll()) {
            if (next.isAsking) {
                all.add(new Exchange<>(CommandType.ASKING, status(), null, false, (done, failure) -> {}));
            }
            all.add(next);
        }
        if (!all.isEmpty()) {
            connection.dispatch(all);
        }
    }

    /** Sends a command of our own. */
    CompletionStage<String> run(CommandType type, CommandArgs<byte[], byte[]> args) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        run(new Exchange<>(type, status(), args, false, (reply, failure) -> {
            if (failure == null) {
                answer.complete(reply);
            } else {
                answer.completeExceptionally(failure);
            }
        }));
        return answer;
    }

    private static CommandOutput<byte[], byte[], String> status() {
        return new StatusOutput<>(ByteArrayCodec.INSTANCE);
    }

    /** Returns the digest by which the server knows the script. */
    byte[] digest(Script script) {
        byte[] digest = digests.get(script);
        if (digest == null) {
            throw new IllegalStateException("The scripts are not loaded");
        }
        return digest;
    }

    /** Finds out which history the server continues; fails if it is no primary. */
    CompletionStage<Identity> identify() {
        CommandArgs<byte[], byte[]> section = new CommandArgs<>(ByteArrayCodec.INSTANCE).add("replication");
        return run(CommandType.INFO, section).thenApply(info -> {
            Matcher id = REPLICATION_ID.matcher(info);
            if (!info.contains("role:master") || !id.find()) {
                throw new RedisReadOnlyException("READONLY not a primary");
            }
            return new Identity(id.group(1));
        });
    }

    /**
     * Lets the server forget all scripts. It may have been a primary before, and still know those that carry the name of
     * that time. Nodes that have not noticed must not go on with them: without them they will look for the name.
     */
    CompletionStage<Void> forgetScripts() {
        CommandArgs<byte[], byte[]> flush = new CommandArgs<>(ByteArrayCodec.INSTANCE).add(CommandKeyword.FLUSH);
        return run(CommandType.SCRIPT, flush).handle((flushed, failure) -> {
            if (failure != null) {
                NO_FLUSH.log("failure", failure);
            }
            return null;
        });
    }

    /** Loads the scripts for that history. */
    CompletionStage<Void> load(Identity found, String suffix, long shiftMillis) {
        Map<Script, byte[]> loaded = new EnumMap<>(Script.class);
        List<CompletableFuture<?>> all = new ArrayList<>();
        for (Script script : Script.values()) {
            byte[] text = script.text(found.salt(), suffix, shiftMillis).getBytes(UTF_8);
            CommandArgs<byte[], byte[]> args = new CommandArgs<>(ByteArrayCodec.INSTANCE)
                    .add(CommandKeyword.LOAD)
                    .add(text);
            all.add(run(CommandType.SCRIPT, args)
                    .thenAccept(digest -> {
                        synchronized (loaded) {
                            loaded.put(script, digest.getBytes(US_ASCII));
                        }
                    })
                    .toCompletableFuture());
        }
        return CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new)).thenRun(() -> {
            digests = loaded;
        });
    }
}
