package dev.fanfare.testkit;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.Health;
import dev.fanfare.StoreException;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A bus whose announcements go astray as a {@link FaultyStore} is told, for each watcher on its own. Shares are
 * between 0 for never and 1 for always; they may be changed at any time.
 *
 * <p><b>Threading:</b> thread-safe. Each watcher is called serially, as of every bus.
 */
public final class FaultyBus implements Bus {

    private final Bus bus;
    private final TimeSource time;
    private final Dice dice;
    private final Set<Victim> victims = ConcurrentHashMap.newKeySet();
    private final AtomicLong lost = new AtomicLong();
    private final AtomicLong repeated = new AtomicLong();
    private final AtomicLong reordered = new AtomicLong();

    private volatile double failingWatches;
    private volatile double losing;
    private volatile double repeating;
    private volatile double swapping;
    private volatile double delaying;
    private volatile Duration delay = Duration.ZERO;

    FaultyBus(Bus bus, TimeSource time, Dice dice) {
        this.bus = bus;
        this.time = time;
        this.dice = dice;
    }

    /** Lets that share of the watches fail with a {@link StoreException}, without doing anything. */
    @CanIgnoreReturnValue
    public FaultyBus failWatches(double share) {
        failingWatches = Dice.share(share);
        return this;
    }

    /** Loses that share of the announcements, silently. */
    @CanIgnoreReturnValue
    public FaultyBus lose(double share) {
        losing = Dice.share(share);
        return this;
    }

    /** Announces that share twice. */
    @CanIgnoreReturnValue
    public FaultyBus repeat(double share) {
        repeating = Dice.share(share);
        return this;
    }

    /** Holds that share back until the next one of the same watcher has passed. */
    @CanIgnoreReturnValue
    public FaultyBus swap(double share) {
        swapping = Dice.share(share);
        return this;
    }

    /** Delays that share by a random time up to that, while others overtake them. */
    @CanIgnoreReturnValue
    public FaultyBus delay(double share, Duration atMost) {
        delaying = Dice.share(share);
        delay = atMost;
        return this;
    }

    /** Tells all watchers that announcements may have been lost. */
    public void interrupt() {
        victims.forEach(Victim::interrupt);
    }

    /** Ends all faults, and lets go what was held back. */
    public void heal() {
        failingWatches = 0;
        losing = 0;
        repeating = 0;
        swapping = 0;
        delaying = 0;
        victims.forEach(Victim::letGo);
    }

    /** Returns how many announcements were lost. */
    public long lost() {
        return lost.get();
    }

    /** Returns how many announcements were repeated. */
    public long repeated() {
        return repeated.get();
    }

    /** Returns how many announcements were held back or delayed. */
    public long reordered() {
        return reordered.get();
    }

    @Override
    public CompletionStage<Watch> watch(ChannelId channel, Watcher watcher) {
        return watch(watcher, victim -> bus.watch(channel, victim));
    }

    @Override
    public CompletionStage<Watch> watchMatching(ChannelPattern pattern, Watcher watcher) {
        return watch(watcher, victim -> bus.watchMatching(pattern, victim));
    }

    private CompletionStage<Watch> watch(Watcher watcher, Function<Victim, CompletionStage<Watch>> call) {
        if (dice.roll(failingWatches)) {
            return CompletableFuture.failedFuture(new StoreException("A watch failed on purpose", null, true));
        }
        Victim victim = new Victim(watcher);
        victims.add(victim);
        return call.apply(victim).thenApply(watch -> new VictimWatch(watch, victim));
    }

    private final class VictimWatch implements Watch {
        private final Watch watch;
        private final Victim victim;

        VictimWatch(Watch watch, Victim victim) {
            this.watch = watch;
            this.victim = victim;
        }

        @Override
        public boolean isEffective() {
            return watch.isEffective();
        }

        @Override
        public void close() {
            victims.remove(victim);
            victim.closed = true;
            watch.close();
        }
    }

    @Override
    public CompletionStage<Void> announce(Announcement announcement) {
        return bus.announce(announcement);
    }

    @Override
    public Health health() {
        return bus.health();
    }

    /** A watcher, between the true bus and the one that the user gave. */
    private final class Victim implements Watcher {
        private final Watcher watcher;
        private final SerialQueue<Runnable> calls = new SerialQueue<>(Runnable::run);
        private final ReentrantLock lock = new ReentrantLock();
        private volatile boolean closed;

        @GuardedBy("lock")
        private @Nullable Announcement held;

        Victim(Watcher watcher) {
            this.watcher = watcher;
        }

        @Override
        public void announced(Announcement announcement) {
            if (dice.roll(losing)) {
                lost.incrementAndGet();
                return;
            }
            if (dice.roll(delaying)) {
                reordered.incrementAndGet();
                TimeSource.Timer unused = time.schedule(dice.upTo(delay), () -> tell(announcement));
                return;
            }
            if (dice.roll(swapping)) {
                reordered.incrementAndGet();
                Announcement former = exchange(announcement);
                if (former != null) {
                    tell(former);
                }
                return;
            }
            tell(announcement);
            if (dice.roll(repeating)) {
                repeated.incrementAndGet();
                tell(announcement);
            }
            letGo();
        }

        @Override
        public void interrupted() {
            interrupt();
        }

        void interrupt() {
            call(watcher::interrupted);
        }

        void letGo() {
            Announcement former = exchange(null);
            if (former != null) {
                tell(former);
            }
        }

        private @Nullable Announcement exchange(@Nullable Announcement next) {
            lock.lock();
            try {
                Announcement former = held;
                held = next;
                return former;
            } finally {
                lock.unlock();
            }
        }

        private void tell(Announcement announcement) {
            call(() -> watcher.announced(announcement));
        }

        private void call(Runnable call) {
            calls.add(() -> {
                if (!closed) {
                    call.run();
                }
            });
            calls.drain();
        }
    }
}
