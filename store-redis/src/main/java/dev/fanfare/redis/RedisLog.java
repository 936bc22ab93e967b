package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Health;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.StoreException;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.WorkQueues;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.ValueListOutput;
import io.lettuce.core.output.ValueOutput;
import io.lettuce.core.protocol.CommandType;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Keeps publications in streams. Thread-safe; what is stored is described in {@code log.lua}. */
final class RedisLog implements ChannelLog {

    private static final LogLine MALFORMED = LogLine.warn(RedisLog.class, "A publication in Redis cannot be read");
    private static final long AWAY_RETRY_MILLIS = 500;
    private static final long FULL_RETRY_MILLIS = 50;
    private static final long NOT_RUN_RETRY_MILLIS = 1_000;
    private static final int DIGEST_BYTES = 16;
    private static final int MAX_PAGE_BYTES = 1 << 20;

    /** Longest time that is stored: a hundred years. */
    private static final Duration FOREVER = Duration.ofDays(36_500);

    private final Keys keys;
    private final Topology redis;
    private final RedisBus bus;
    private final Counters counters;
    private final int maxInlineBytes;
    private final RedisWorkQueues queues;
    private final Ids ids = new Ids();

    RedisLog(Keys keys, Topology redis, RedisBus bus, Counters counters, int maxInlineBytes) {
        this.keys = keys;
        this.redis = redis;
        this.bus = bus;
        this.counters = counters;
        this.maxInlineBytes = maxInlineBytes;
        this.queues = new RedisWorkQueues(keys, redis);
    }

    @Override
    public boolean announcesOn(Bus other) {
        return other == bus;
    }

    @Override
    public Optional<WorkQueues> workQueues() {
        return Optional.of(queues);
    }

    @Override
    public Health health() {
        Health commands = redis.primaries().stream()
                .map(primary -> primary.commands.health())
                .distinct()
                .reduce(Health.up(), Health::and);
        return commands.and(Breaker.health(redis.primaries()));
    }

    // ---- append

    @Override
    public CompletionStage<AppendResult> append(AppendRequest request) {
        byte[] place = Keys.place(request.channel());
        Primary home = redis.of(place);
        if (!home.commands.isUp()) {
            return CompletableFuture.completedStage(unavailable(request, AWAY_RETRY_MILLIS));
        } else if (home.commands.isFull()) {
            return CompletableFuture.completedStage(unavailable(request, FULL_RETRY_MILLIS));
        }
        return request.rules().isRetained() ? log(request, place) : send(request, place);
    }

    private <T> CompletionStage<AppendResult> append(
            AppendRequest request, Request<T> append, Function<T, AppendResult> result) {
        return redis.run(append.guarded())
                .handle((reply, failure) -> failure == null ? result.apply(reply) : unanswered(request, failure));
    }

    private AppendResult unanswered(AppendRequest request, Throwable failure) {
        SwitchedOffException switchedOff = SwitchedOffException.of(failure);
        if (switchedOff != null) {
            return unavailable(request, switchedOff.retryMillis);
        } else if (NotSentException.isCauseOf(failure)) {
            return unavailable(request, AWAY_RETRY_MILLIS);
        } else if (!wasNotRun(failure)) {
            throw CommandLink.asStoreFailure(failure);
        }
        counters.refusals.increment();
        return new AppendResult.Full(NOT_RUN_RETRY_MILLIS);
    }

    /** Refuses what would be logged; drops what nobody would miss. */
    private AppendResult unavailable(AppendRequest request, long retryAfterMillis) {
        if (!request.rules().isRetained()) {
            counters.dropped.increment();
            return new AppendResult.Appended(
                    unpositioned(request, System.currentTimeMillis()).build());
        }
        counters.refusals.increment();
        return new AppendResult.Full(retryAfterMillis);
    }

    private CompletionStage<AppendResult> log(AppendRequest request, byte[] place) {
        ChannelId channel = request.channel();
        ChannelRules rules = request.rules();
        String dedupKey = request.options().dedupKey();
        byte[] body = Envelope.body(request.data(), request.options(), request.publisher());
        Call call = dedupKey == null
                ? new Call(Script.APPEND, keys.head(place), keys.stream(place), keys.genesis(channel))
                : new Call(
                        Script.APPEND,
                        keys.head(place),
                        keys.stream(place),
                        keys.genesis(channel),
                        keys.dedup(place, dedupKey));
        call.with(ids.next())
                .with(Keys.phase(channel))
                .with(new ByteSink(8).putLong(request.tag()).toBytes())
                .with(rules.retainedCount())
                .with(millis(rules.retainedFor()))
                .with(millis(rules.headTtl()))
                .with(body)
                .with(redis.pubSub().publish.name())
                .with(keys.bus(place))
                .with(maxInlineBytes);
        if (dedupKey != null) {
            call.with(digest(request.data())).with(millis(rules.dedupWindow()));
        }
        return append(request, Request.of(call, RedisLog::value, body.length), reply -> result(request, reply));
    }

    private CompletionStage<AppendResult> send(AppendRequest request, byte[] place) {
        Publication publication =
                unpositioned(request, System.currentTimeMillis()).build();
        byte[] frame = BusFrame.published(publication);
        byte[] name = keys.bus(place);
        String dedupKey = request.options().dedupKey();
        if (dedupKey == null) {
            return append(
                    request,
                    Request.publish(redis.pubSub(), name, frame),
                    heard -> new AppendResult.Appended(publication));
        }
        Call call = new Call(Script.SEND, keys.dedup(place, dedupKey))
                .with(redis.pubSub().publish.name())
                .with(name)
                .with(frame)
                .with(digest(request.data()))
                .with(millis(request.rules().dedupWindow()));
        return append(
                request,
                Request.of(call, RedisLog::value, frame.length),
                reply -> reply.length == 1 && reply[0] == 'S'
                        ? new AppendResult.Appended(publication)
                        : result(request, reply));
    }

    private static ValueOutput<byte[], byte[]> value() {
        return new ValueOutput<>(ByteArrayCodec.INSTANCE);
    }

    private static AppendResult result(AppendRequest request, byte[] reply) {
        try {
            ByteSource source = new ByteSource(reply);
            int kind = source.next();
            return switch (kind) {
                case 'A' -> {
                    long previousTag = source.nextLong();
                    long timeMillis = source.nextLong();
                    long offset = source.nextLong();
                    String epoch = new String(source.rest(), US_ASCII);
                    yield new AppendResult.Appended(unpositioned(request, timeMillis)
                            .position(epoch, offset, request.tag(), previousTag)
                            .build());
                }
                case 'R' -> new AppendResult.Repeated(first(source));
                case 'C' -> AppendResult.Conflict.OTHER_BODY;
                default -> throw new MalformedException("an answer of kind " + kind);
            };
        } catch (MalformedException malformed) {
            throw new StoreException("Redis answered what Fanfare does not understand", malformed, false);
        }
    }

    private static @Nullable Cursor first(ByteSource source) throws MalformedException {
        long offset = source.nextLong();
        long tag = source.nextLong();
        return offset == 0 ? null : Envelope.cursor(new String(source.rest(), US_ASCII), offset, tag);
    }

    private static Publication.Builder unpositioned(AppendRequest request, long timeMillis) {
        return Publication.builder(request.data())
                .timeMillis(timeMillis)
                .eventType(request.options().eventType())
                .key(request.options().key())
                .headers(request.options().headers())
                .publisher(request.publisher());
    }

    private static byte[] digest(Payload data) {
        try {
            byte[] full = MessageDigest.getInstance("SHA-256").digest(data.unsafeBytes());
            return Arrays.copyOf(full, DIGEST_BYTES);
        } catch (NoSuchAlgorithmException everyJavaHasIt) {
            throw new IllegalStateException(everyJavaHasIt);
        }
    }

    /** Tells whether Redis refused it before it did anything: it does not write, or the slot is being moved. */
    private static boolean wasNotRun(Throwable failure) {
        return Redirect.of(failure) != null || Writes.refusalOf(failure) != null;
    }

    // ---- read

    @Override
    public CompletionStage<LogPage> read(LogRead read) {
        byte[] place = Keys.place(read.channel());
        Call call = new Call(Script.READ, keys.head(place), keys.stream(place), keys.genesis(read.channel()))
                .with(ids.next())
                .with(Keys.phase(read.channel()))
                .with(read.afterOffset())
                .with(read.limit())
                .with(read.isReverse() ? "r" : "f")
                .with(MAX_PAGE_BYTES);
        return redis.run(Request.of(call, () -> new ValueListOutput<>(ByteArrayCodec.INSTANCE), 0))
                .thenApply(reply -> page(read, reply));
    }

    private LogPage page(LogRead read, List<byte[]> reply) {
        try {
            ByteSource numbers = new ByteSource(reply.get(0));
            long tag = numbers.nextLong();
            long top = numbers.nextLong();
            long first = numbers.nextLong();
            String epoch = new String(reply.get(1), US_ASCII);
            List<byte[]> entries = reply.subList(2, reply.size());
            return new LogPage(Envelope.cursor(epoch, top, tag), publications(read, epoch, first, entries));
        } catch (MalformedException malformed) {
            throw new StoreException("Redis answered what Fanfare does not understand", malformed, false);
        }
    }

    /** Reads the entries. What stands before an unreadable one is left out with it, as if it had been trimmed. */
    private List<Publication> publications(LogRead read, String epoch, long first, List<byte[]> entries) {
        List<Publication> publications = new ArrayList<>(entries.size());
        for (int i = 0; i < entries.size(); i++) {
            long offset = read.isReverse() ? first - i : first + i;
            try {
                publications.add(Envelope.entry(epoch, offset, new ByteSource(entries.get(i))));
            } catch (MalformedException malformed) {
                counters.malformed.increment();
                MALFORMED.log("channel", read.channel(), "offset", offset, "failure", malformed.getMessage());
                if (read.isReverse()) {
                    break;
                }
                publications.clear();
            }
        }
        return List.copyOf(publications);
    }

    @Override
    public CompletionStage<Void> clear(ChannelId channel) {
        // Emptied, not deleted: so it keeps the time at which Redis forgets it.
        return redis.run(Request.of(
                        CommandType.XTRIM,
                        keys.stream(Keys.place(channel)),
                        () -> new IntegerOutput<>(ByteArrayCodec.INSTANCE),
                        "MAXLEN".getBytes(US_ASCII),
                        "0".getBytes(US_ASCII)))
                .thenApply(trimmed -> null);
    }

    static long millis(Duration duration) {
        return duration.compareTo(FOREVER) > 0 ? FOREVER.toMillis() : Math.max(1, duration.toMillis());
    }
}
