package dev.fanfare.testkit;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.Publication;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Keeps what a bus announces, and notices when two announcements come at once. */
final class RecordingWatcher implements Bus.Watcher {

    private final BlockingQueue<Announcement> heard = new LinkedBlockingQueue<>();
    private final AtomicBoolean inside = new AtomicBoolean();
    private final AtomicInteger overlaps = new AtomicInteger();
    private final AtomicInteger interruptions = new AtomicInteger();
    private final CountDownLatch interrupted = new CountDownLatch(1);

    private Bus.Watch watch = () -> {};

    /** Returns a watcher whose watch is effective. */
    static RecordingWatcher watching(Bus bus, ChannelId channel) {
        RecordingWatcher watcher = new RecordingWatcher();
        watcher.watch = StoreContract.await(bus.watch(channel, watcher));
        return watcher;
    }

    /** Returns a watcher whose watch of all channels that match is effective. */
    static RecordingWatcher watchingAll(Bus bus, String pattern) {
        RecordingWatcher watcher = new RecordingWatcher();
        watcher.watch = StoreContract.await(bus.watchMatching(ChannelPattern.of(pattern), watcher));
        return watcher;
    }

    @Override
    public void announced(Announcement announcement) {
        if (!inside.compareAndSet(false, true)) {
            overlaps.incrementAndGet();
        }
        heard.add(announcement);
        inside.set(false);
    }

    @Override
    public void interrupted() {
        interruptions.incrementAndGet();
        interrupted.countDown();
    }

    void close() {
        watch.close();
    }

    Announcement next() {
        try {
            Announcement next = heard.poll(StoreContract.PATIENCE.toSeconds(), SECONDS);
            if (next == null) {
                throw new AssertionError("Nothing was announced within " + StoreContract.PATIENCE);
            }
            return next;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("Interrupted", e);
        }
    }

    Publication nextPublication() {
        Announcement next = next();
        if (next instanceof Announcement.Published published) {
            return published.publication();
        }
        throw new AssertionError("Expected a publication: " + next);
    }

    /** Returns what was heard and not taken yet. */
    List<Announcement> waiting() {
        return List.copyOf(heard);
    }

    int overlaps() {
        return overlaps.get();
    }

    void awaitInterruption() {
        try {
            if (!interrupted.await(StoreContract.PATIENCE.toSeconds(), SECONDS)) {
                throw new AssertionError("The watcher was not interrupted within " + StoreContract.PATIENCE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("Interrupted", e);
        }
    }

    int interruptions() {
        return interruptions.get();
    }
}
