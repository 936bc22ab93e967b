package dev.fanfare.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Health;
import dev.fanfare.StoreException;
import dev.fanfare.spi.LogLine;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisLoadingException;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.RedisReadOnlyException;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Runs commands over one connection, which it makes anew when it is lost. */
final class CommandLink {

    /*
     * State: the session, present while commands may be sent: the connection is up, its server is a primary, the
     * history that it continues was looked up, and the scripts that carry the name of this history are loaded. When
     * the connection breaks, what was sent fails, its outcome being unknown: nothing is ever sent twice. While there
     * is no session calls fail at once, and then nothing was sent.
     *
     * Threads: thread-safe. Replies complete on the event loop of the connection. Connecting goes from callback to
     * callback, one attempt at a time; pauses are spent on the timer.
     *
     * Ordering: commands are executed in the order of the calls, except those that met a server without the scripts.
     *
     * Bounds: MAX_IN_FLIGHT_BYTES of calls that wait for their replies, each counting its own bytes and CALL_BYTES.
     */

    private static final LogLine CHANGED = LogLine.warn(
            CommandLink.class,
            "Redis continues another history than before: it was promoted or restarted. Epochs of channels that are kept in it are over");
    private static final LogLine BACK = LogLine.warn(CommandLink.class, "Redis is back");
    private static final LogLine UNREACHABLE =
            LogLine.warn(CommandLink.class, "Redis cannot be reached; trying again and again");
    private static final LogLine LOST = LogLine.warn(CommandLink.class, "The connection to Redis is lost");
    private static final LogLine EVICTING = LogLine.warn(
            CommandLink.class,
            "Redis has a maxmemory-policy of allkeys-*: when memory runs short it throws away channels, dedup keys"
                    + " and presence. Set it to noeviction");
    private static final long MAX_IN_FLIGHT_BYTES = 64 << 20;
    private static final int CALL_BYTES = 512;
    private static final int MOST_SENDINGS = 3;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

    private final Connector connector;
    private final boolean isEpochEndedByFailover;
    private final Counters counters;
    private final Breaker breaker;
    private final Writes writes;
    private final AtomicLong inFlightBytes = new AtomicLong();
    private final AtomicReference<@Nullable CompletableFuture<Void>> reloading = new AtomicReference<>();
    private final CompletableFuture<Void> firstReady = new CompletableFuture<>();
    private volatile @Nullable Session session;
    private volatile Session.Identity identity = Session.Identity.UNKNOWN;
    private volatile long shiftMillis;
    private volatile boolean isClosed;
    private volatile boolean isTroubleLogged;

    /** The key of the last command that was refused because the cluster is down, until the server runs some again. */
    private volatile byte @Nullable [] refusedKey;

    /**
     * Makes one.
     *
     * @param breaker lets guarded requests through or not, and judges by those that were sent here
     */
    CommandLink(Connector connector, boolean isEpochEndedByFailover, Counters counters, Breaker breaker) {
        this.connector = connector;
        this.isEpochEndedByFailover = isEpochEndedByFailover;
        this.counters = counters;
        this.breaker = breaker;
        this.writes = new Writes(connector.address());
    }

    /** Begins to connect; completes with the first success, or exceptionally with the first failure. */
    CompletionStage<Void> start() {
        connect(FIRST_PAUSE);
        return firstReady;
    }

    boolean isUp() {
        return session != null;
    }

    /** Returns the present connection; null if there is none. */
    @Nullable
    Session session() {
        return session;
    }

    /** Tells whether commands are run, as far as is known: a server whose cluster is down runs none. */
    boolean isServing() {
        return isUp() && refusedKey == null;
    }

    /** Asks a server whose cluster was down whether that is over, as perhaps nobody else comes. */
    void askIfDown() {
        byte[] key = refusedKey;
        if (key != null) {
            run(Request.of(CommandType.EXISTS, key, () -> new IntegerOutput<>(ByteArrayCodec.INSTANCE)), false)
                    .whenComplete((count, failure) -> {}); // all that counts is seen in end()
        }
    }

    /** Asks the server whether it takes writes, which {@link #health} tells from then on. */
    @CanIgnoreReturnValue
    CompletionStage<?> askForWrites() {
        return run(Request.of(new Call(Script.ASK), () -> new IntegerOutput<>(ByteArrayCodec.INSTANCE), 0), false)
                .whenComplete((one, failure) -> {
                    if (failure == null) {
                        writes.taken();
                    }
                });
    }

    /** Tells whether what is written gets there. */
    Health health() {
        Health link = isServing() ? Health.up() : Health.down("redis: commands do not get through");
        return link.and(writes.health());
    }

    boolean isFull() {
        return inFlightBytes.get() >= MAX_IN_FLIGHT_BYTES;
    }

    // ---- calls

    /**
     * Runs a command; fails with a {@link StoreException} and nothing else.
     *
     * @param isAsking whether it is for a slot that this server is about to get
     */
    <T> CompletionStage<T> run(Request<T> request, boolean isAsking) {
        Session current = session;
        if (current == null) {
            return CompletableFuture.failedFuture(NotSentException.at(connector.address()));
        } else if (isFull()) {
            return CompletableFuture.failedFuture(new StoreException(
                    "Redis at " + connector.address() + " is too slow: " + inFlightBytes + " bytes wait", null, true));
        } else if (request.isGuarded && breaker.isOpen()) {
            return CompletableFuture.failedFuture(SwitchedOffException.at(connector.address(), breaker.retryMillis()));
        }
        inFlightBytes.addAndGet(CALL_BYTES + request.bytes);
        CompletableFuture<T> answer = new CompletableFuture<>();
        send(current, request, isAsking, answer, 1);
        return answer;
    }

    private <T> void send(
            Session current, Request<T> request, boolean isAsking, CompletableFuture<T> answer, int sending) {
        current.run(request.exchange(current, isAsking, (reply, failure) -> {
            if (failure instanceof RedisNoScriptException && sending < MOST_SENDINGS) {
                sendAgain(current, request, isAsking, answer, sending);
            } else {
                end(current, request, answer, reply, failure);
            }
        }));
    }

    private <T> void sendAgain(
            Session current, Request<T> request, boolean isAsking, CompletableFuture<T> answer, int sending) {
        reload(current).whenComplete((loaded, broken) -> {
            if (broken == null) {
                send(current, request, isAsking, answer, sending + 1);
            } else {
                end(current, request, answer, null, broken);
            }
        });
    }

    @SuppressWarnings("NullAway") // a script or command may well answer null
    private <T> void end(
            Session current,
            Request<T> request,
            CompletableFuture<T> answer,
            @Nullable T reply,
            @Nullable Throwable failure) {
        inFlightBytes.addAndGet(-(CALL_BYTES + request.bytes));
        if (request.isGuarded) {
            breaker.end(failure);
        }
        if (failure == null) {
            if (request.isRefusedWhenDown()) {
                refusedKey = null;
            }
            answer.complete(reply);
            return;
        }
        Throwable cause = unwrap(failure);
        writes.failed(cause);
        if (cause instanceof RedisReadOnlyException || cause instanceof RedisLoadingException) {
            // No primary any more: look for it anew.
            lost(current);
        }
        Redirect redirect = Redirect.of(cause);
        if (redirect != null) {
            // One that is down sends nobody elsewhere.
            refusedKey = redirect.kind() == Redirect.Kind.DOWN ? request.key : null;
        }
        answer.completeExceptionally(asStoreFailure(cause));
    }

    /** Returns the failure as the one kind that leaves this package. */
    static StoreException asStoreFailure(Throwable failure) {
        Throwable cause = unwrap(failure);
        return cause instanceof StoreException known
                ? known
                : new StoreException(
                        cause instanceof TimeoutException
                                ? "Redis did not answer in time"
                                : "Redis failed: " + cause.getMessage(),
                        cause,
                        true);
    }

    private static Throwable unwrap(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    // ---- the history that the server continues

    /** Looks whether the server still continues the same history; for the probe. */
    CompletionStage<Void> verify() {
        Session current = session;
        if (current == null) {
            return CompletableFuture.failedFuture(new StoreException("no connection", null, true));
        }
        return current.identify()
                .thenCompose(
                        found -> found.equals(identity) ? CompletableFuture.completedFuture(null) : reload(current));
    }

    /** Lets the scripts believe that it is so much later; for tests. */
    CompletionStage<Void> shiftTime(Duration shift) {
        shiftMillis = shift.toMillis();
        Session current = session;
        return current == null ? CompletableFuture.completedStage(null) : reload(current);
    }

    /** Looks up the history and loads the scripts, once for all who ask meanwhile. */
    private CompletionStage<Void> reload(Session current) {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        CompletableFuture<Void> running = reloading.compareAndExchange(null, mine);
        if (running != null) {
            return running;
        }
        prepare(current).whenComplete((ready, failure) -> {
            reloading.set(null);
            if (failure == null) {
                mine.complete(null);
            } else {
                mine.completeExceptionally(failure);
            }
        });
        return mine;
    }

    private CompletionStage<Void> prepare(Session fresh) {
        return fresh.identify().thenCompose(found -> {
            boolean isChanged = !found.equals(identity) && !identity.equals(Session.Identity.UNKNOWN);
            if (isChanged) {
                counters.failovers.increment();
                CHANGED.log("redis", connector.address());
            }
            identity = found;
            CompletionStage<Void> ready = isChanged ? fresh.forgetScripts() : CompletableFuture.completedStage(null);
            String suffix = isEpochEndedByFailover ? 'S' + found.salt() : "";
            return ready.thenCompose(forgotten -> fresh.load(found, suffix, shiftMillis));
        });
    }

    // ---- connecting

    private void connect(Duration pause) {
        if (isClosed) {
            return;
        }
        connector.connectCommands().whenComplete((connection, failure) -> {
            if (connection == null) {
                failed(failure, pause);
                return;
            }
            Session fresh = new Session(connection, connector.commandLoop());
            connection.addListener(new RedisConnectionStateListener() {
                @Override
                public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
                    lost(fresh);
                }
            });
            prepare(fresh)
                    .toCompletableFuture()
                    .orTimeout(connector.timeout().toMillis(), TimeUnit.MILLISECONDS)
                    .whenComplete((ready, broken) -> prepared(fresh, broken, pause));
        });
    }

    private void prepared(Session fresh, @Nullable Throwable failure, Duration pause) {
        if (failure != null || isClosed) {
            fresh.connection.closeAsync();
            failed(failure, pause);
            return;
        }
        session = fresh;
        if (!fresh.connection.isOpen()) {
            lost(fresh);
            return;
        }
        breaker.reset();
        if (isTroubleLogged) {
            isTroubleLogged = false;
            BACK.log("redis", connector.address());
        }
        askForWrites();
        if (!firstReady.complete(null)) {
            counters.reconnects.increment();
        }
    }

    private void failed(@Nullable Throwable failure, Duration pause) {
        if (isClosed) {
            return;
        }
        Throwable cause = failure == null ? null : unwrap(failure);
        boolean isThrown = firstReady.completeExceptionally(unreachable(connector, cause));
        if (!isThrown && !isTroubleLogged) {
            isTroubleLogged = true;
            UNREACHABLE.log("redis", connector.address(), "failure", reasonOf(cause));
        }
        Duration longer = pause.multipliedBy(2);
        connector.later(pause, () -> connect(longer.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : longer));
    }

    static StoreException unreachable(Connector connector, @Nullable Throwable cause) {
        return new StoreException(
                "Redis at " + connector.address() + " cannot be reached" + (connector.isTls() ? " by TLS: " : ": ")
                        + reasonOf(cause),
                cause,
                true);
    }

    private static String reasonOf(@Nullable Throwable failure) {
        Throwable cause = failure;
        while (cause != null && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause == null ? "closed" : cause.toString();
    }

    private void lost(Session broken) {
        if (session != broken) {
            return;
        }
        synchronized (this) {
            if (session != broken) {
                return;
            }
            session = null;
        }
        if (!isClosed) {
            LOST.log("redis", connector.address());
            isTroubleLogged = true;
            broken.connection.closeAsync();
            connector.later(FIRST_PAUSE, () -> connect(FIRST_PAUSE));
        }
    }

    /** Warns if Redis may throw away what must not go. */
    void warnIfEvicting() {
        Session current = session;
        if (current == null) {
            return;
        }
        CommandArgs<byte[], byte[]> args = new CommandArgs<>(ByteArrayCodec.INSTANCE).add("memory");
        current.run(CommandType.INFO, args).whenComplete((info, failure) -> {
            if (info != null && info.contains("maxmemory_policy:allkeys-")) {
                EVICTING.log("redis", connector.address());
            }
        });
    }

    /** Gives up a connection that does not answer, unless there is another by now, and makes another. */
    void rebuild(Session silent) {
        lost(silent);
    }

    /** Closes for good; completes when the connection is closed. */
    CompletionStage<Void> close() {
        isClosed = true;
        Session current = session;
        session = null;
        return current == null ? CompletableFuture.completedStage(null) : current.connection.closeAsync();
    }
}
