package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.Cursor;
import dev.fanfare.FanfareListener;
import dev.fanfare.Refusal;
import dev.fanfare.Stats;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.spi.ChannelView;
import dev.fanfare.spi.Store;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds the topic of a channel, and the queue of an event loop.
 *
 * <p><i>Threads.</i> Thread-safe. It holds no lock while anything else runs.
 *
 * <p><i>Bounds.</i> One topic per channel with a subscriber on this node; an empty one goes after {@link
 * #LINGER}, so that a quick return finds it still there.
 */
final class Hub {

    private static final int STRIPES = 64;
    /** So many reads for readers that catch up are under way at a time. */
    private static final int CATCH_UPS = 64;

    private static final Duration LINGER = Duration.ofSeconds(5);
    /** Repairs that failed are tried again half a second to a second and a half later, not all at once. */
    private static final int RETRY_MIN_MILLIS = 500;

    private static final int RETRY_MAX_MILLIS = 1_500;
    /** Tail probes: 26 to 44 seconds apart. */
    private static final int PROBE_MIN_MILLIS = 26_000;

    private static final int PROBE_MAX_MILLIS = 44_000;

    final FanfareListener listener;
    final TimeSource time;
    final EventLog log = new EventLog();
    /** How many subscriptions are live. */
    final LongAdder subscriptions = new LongAdder();

    private final LongAdder logReads = new LongAdder();
    private final ChannelLog channelLog;
    private final Bus bus;
    private final Calls calls;
    private final ReadGate repairs;
    private final ReadGate catchUps;
    private final Stripe[] stripes = new Stripe[STRIPES];
    private final Map<ChannelId, Topic> topics = new ConcurrentHashMap<>();
    private final Map<Executor, LoopQueue> queues = new ConcurrentHashMap<>();
    private volatile boolean isClosed;

    Hub(Store store, FanfareListener listener, TimeSource time, Calls calls, Executor worker, int repairReads) {
        this.listener = listener;
        this.time = time;
        this.calls = calls;
        this.channelLog = store.log();
        this.bus = store.bus();
        this.repairs = new ReadGate(repairReads, this::read, listener::onRepairDelayed);
        this.catchUps = new ReadGate(CATCH_UPS, this::read, listener::onCatchUpDelayed);
        for (int i = 0; i < STRIPES; i++) {
            stripes[i] = new Stripe(worker);
        }
        probeLater();
    }

    /** Returns the queue through which topics reach that loop; it is kept until everybody has given it back. */
    LoopQueue queue(Executor loop) {
        return queues.compute(loop, (same, known) -> {
            LoopQueue queue = known == null ? new LoopQueue(loop) : known;
            queue.users++;
            return queue;
        });
    }

    /** Takes a queue back; that of a loop without connections is forgotten, since the loop may have ended. */
    void release(LoopQueue queue) {
        queues.computeIfPresent(queue.loop, (loop, known) -> {
            if (known == queue) {
                queue.users--;
            }
            return known.users == 0 ? null : known;
        });
    }

    /** Brings a reader to its topic, which is opened if need be. */
    void join(Reader reader) {
        if (isClosed) {
            reader.port.queue.add(() -> reader.refuse(Refusal.CLOSED));
            return;
        }
        Topic present = topics.get(reader.channel);
        if (present != null) {
            present.join(reader);
            return;
        }
        Stripe stripe = stripes[Math.floorMod(reader.channel.hashCode(), STRIPES)];
        Topic fresh = new Topic(this, reader.channel, reader.rules, stripe);
        present = topics.putIfAbsent(reader.channel, fresh);
        if (present != null) {
            present.join(reader);
            return;
        }
        fresh.open(reader);
        if (isClosed) {
            fresh.shutDown();
        }
    }

    void remove(Topic topic) {
        topics.remove(topic.channel, topic);
    }

    /** Returns the channels with that text in their names and most readers, those first. */
    List<ChannelView> views(String part, int limit) {
        return topics.values().stream()
                .filter(topic -> topic.channel.value().contains(part))
                .map(Topic::view)
                .sorted(Comparator.comparingInt(ChannelView::subscribers)
                        .reversed()
                        .thenComparing(ChannelView::channel))
                .limit(limit)
                .collect(Collectors.toUnmodifiableList());
    }

    /** Has a channel's history up to there shown to nobody any more. */
    void forget(ChannelId channel, Cursor upTo) {
        Topic topic = topics.get(channel);
        if (topic != null) {
            topic.forget(upTo);
        }
    }

    /** Returns channels that have subscribers on this node, with how many. */
    Map<String, Integer> channels(ChannelPattern pattern, int limit) {
        Map<String, Integer> found = new LinkedHashMap<>();
        for (Topic topic : topics.values()) {
            int readers = topic.readers();
            if (readers > 0 && found.size() < limit && pattern.matches(topic.channel)) {
                found.put(topic.channel.value(), readers);
            }
        }
        return found;
    }

    /** Counts what there is and what waits. */
    Stats stats(
            int connections, int waitingHostTasks, long refusedHostTasks, long unsentBytes, int overdueAnnouncements) {
        int waitingSignals = 0;
        long waitingBytes = 0;
        for (LoopQueue queue : queues.values()) {
            waitingSignals += queue.waiting();
            waitingBytes += queue.waitingBytes();
        }
        return new NodeStats(
                connections,
                subscriptions.intValue(),
                topics.size(),
                logReads.sum(),
                waitingSignals,
                waitingBytes,
                waitingHostTasks,
                refusedHostTasks,
                unsentBytes,
                overdueAnnouncements);
    }

    /** Closes all topics, and forgets the loops. */
    void close() {
        isClosed = true;
        topics.values().forEach(Topic::shutDown);
        queues.clear();
    }

    // ---- what topics need

    CompletionStage<Bus.Watch> watch(ChannelId channel, Bus.Watcher watcher) {
        return watch("watch of " + channel, () -> bus.watch(channel, watcher));
    }

    /** Watches all channels that match. */
    CompletionStage<Bus.Watch> watchMatching(ChannelPattern pattern, Bus.Watcher watcher) {
        return watch("watch of " + pattern, () -> bus.watchMatching(pattern, watcher));
    }

    private CompletionStage<Bus.Watch> watch(String what, Supplier<CompletionStage<Bus.Watch>> call) {
        AtomicReference<CompletionStage<Bus.Watch>> asked = new AtomicReference<>();
        CompletionStage<Bus.Watch> answered = calls.store(what, () -> {
            asked.set(call.get());
            return asked.get();
        });
        return answered.whenComplete((watch, failure) -> {
            CompletionStage<Bus.Watch> late = asked.get();
            if (failure != null && late != null) {
                late.thenAccept(Bus.Watch::close); // nobody waits for it any more
            }
        });
    }

    /** Tells whether the log keeps what it accepted, even while it cannot be read. */
    boolean isLogDurable() {
        return channelLog.isDurable();
    }

    CompletionStage<LogPage> read(LogRead read) {
        logReads.increment();
        return calls.store("read of " + read.channel(), () -> channelLog.read(read));
    }

    /** Reads to see whether a topic is where the log is, when it is its turn. */
    void readForRepair(LogRead read, BiConsumer<@Nullable LogPage, @Nullable Throwable> then) {
        repairs.read(read, then);
    }

    /**
     * Reads what readers miss, when it is their turn: so many reads at a time, first come, first served, and each
     * reader asks for one page at a time.
     */
    void readForReaders(LogRead read, BiConsumer<@Nullable LogPage, @Nullable Throwable> then) {
        catchUps.read(read, then);
    }

    void closeLater(Topic topic) {
        time.schedule(LINGER, topic::closeIfIdle);
    }

    /** Runs what failed again, after a while. */
    void retryLater(Runnable task) {
        int millis = ThreadLocalRandom.current().nextInt(RETRY_MIN_MILLIS, RETRY_MAX_MILLIS);
        time.schedule(Duration.ofMillis(millis), task);
    }

    private void probeLater() {
        int millis = ThreadLocalRandom.current().nextInt(PROBE_MIN_MILLIS, PROBE_MAX_MILLIS);
        time.schedule(Duration.ofMillis(millis), () -> {
            if (!isClosed) {
                topics.values().forEach(Topic::probe);
                probeLater();
            }
        });
    }
}
