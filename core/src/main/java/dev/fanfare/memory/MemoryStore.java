package dev.fanfare.memory;

import static java.util.Objects.requireNonNull;

import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import dev.fanfare.spi.TimeSource;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Keeps everything in this JVM: nothing to install, nothing survives. The store that a Fanfare has
 * when it is given none.
 *
 * <p>Given to several Fanfares it makes them nodes of one cluster, as any other store does; good for
 * tests.
 *
 * <p>All stages are complete when they are returned. Announcements are handed on by the thread that
 * appends, or by another one that is just announcing in the same channel; after 128 in a row, by the store's
 * own thread.
 *
 * <p><b>Bounds:</b> what {@link dev.fanfare.ChannelRules} retain per channel, and about 300 bytes for
 * each channel that was published to within {@link dev.fanfare.ChannelRules#headTtl}; reading a
 * channel leaves no trace. {@value #MAX_DEDUP_KEYS} dedup keys: beyond that the oldest are forgotten
 * before their window is over. What is over is dropped when it is touched, and otherwise little by little
 * while others append, without a timer.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks; what is locked is locked for one step on one
 * channel, and nothing foreign runs meanwhile.
 */
public final class MemoryStore implements Store {

    /** Most dedup keys that are remembered at a time. */
    public static final int MAX_DEDUP_KEYS = 1_000_000;

    private static final int WORKER_IDLE_SECONDS = 1;

    private final MemoryBus bus;
    private final MemoryLog log;
    private final MemoryPresence presence;
    private final MemoryControl control;
    private final MemoryLatest latestValues;

    private MemoryStore(Clock clock) {
        Executor worker = worker();
        this.bus = new MemoryBus(worker);
        this.log = new MemoryLog(clock, bus, new DedupTable(MAX_DEDUP_KEYS), new LogChannels());
        this.presence = new MemoryPresence(clock);
        this.control = new MemoryControl(worker);
        this.latestValues = new MemoryLatest(clock);
    }

    /** A thread for what is too much for one publisher to hand on; it is there only while there is some. */
    private static Executor worker() {
        ThreadPoolExecutor worker = new ThreadPoolExecutor(
                1, 1, WORKER_IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "fanfare-memory");
                    thread.setDaemon(true);
                    return thread;
                });
        worker.allowCoreThreadTimeOut(true);
        return worker;
    }

    /** Makes an empty store. */
    public static MemoryStore create() {
        return new MemoryStore(Clock.system());
    }

    /** Makes an empty store that goes by that time; for tests. */
    public static MemoryStore create(TimeSource time) {
        return new MemoryStore(Clock.of(requireNonNull(time, "time")));
    }

    @Override
    public ChannelLog log() {
        return log;
    }

    @Override
    public Bus bus() {
        return bus;
    }

    @Override
    public PresenceStore presence() {
        return presence;
    }

    @Override
    public ControlBus control() {
        return control;
    }

    @Override
    public LatestValues latestValues() {
        return latestValues;
    }
}
