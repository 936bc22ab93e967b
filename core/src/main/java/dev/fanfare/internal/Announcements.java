package dev.fanfare.internal;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.FanfareListener;
import dev.fanfare.Publication;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Announces what a log appended that does not announce itself, and does not forget what the bus would not take: nodes
 * whose own way to the bus is whole have no reason to look at the log.
 *
 * <p><i>State.</i> The newest position per channel whose announcement failed. Every {@link #RETRY} one of them is tried,
 * and if the bus takes it, the others after it.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Bounds.</i> {@link #MAX_OVERDUE} channels; those beyond are told to the listener, and found by the nodes' tail
 * probes. {@link #AT_ONCE} announcements under way at a time, so that a bus that is just back is not run over.
 */
final class Announcements {

    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final int MAX_OVERDUE = 10_000;
    private static final int AT_ONCE = 64;

    private final Bus bus;
    private final Calls calls;
    private final TimeSource time;
    private final FanfareListener listener;
    private final EventLog log;
    private final Map<ChannelId, Cursor> overdue = new ConcurrentHashMap<>();
    private final AtomicBoolean willRetry = new AtomicBoolean();
    private volatile boolean isClosed;

    Announcements(Bus bus, Calls calls, TimeSource time, FanfareListener listener, EventLog log) {
        this.bus = bus;
        this.calls = calls;
        this.time = time;
        this.listener = listener;
        this.log = log;
    }

    /** Announces a publication; fails if the bus would not take it, which for one that a log keeps is no loss. */
    @CanIgnoreReturnValue
    CompletionStage<Void> announce(ChannelId channel, Publication publication) {
        CompletionStage<Void> announced = send(new Announcement.Published(channel, publication));
        if (publication.isLogged()) {
            announced.whenComplete((done, failure) -> {
                if (failure != null) {
                    log.announcementFailed(channel, failure);
                    tryAgain(channel, publication.cursor());
                }
            });
        }
        return announced;
    }

    /** Returns how many channels are to be announced again. */
    int overdue() {
        return overdue.size();
    }

    private void tryAgain(ChannelId channel, Cursor position) {
        boolean isKept = overdue.size() < MAX_OVERDUE || overdue.containsKey(channel);
        listener.onAnnounceFailed(channel, isKept);
        if (isKept) {
            overdue.put(channel, position);
            retryLater();
        }
    }

    private void retryLater() {
        if (!isClosed && willRetry.compareAndSet(false, true)) {
            time.schedule(RETRY, () -> {
                willRetry.set(false);
                retry();
            });
        }
    }

    /** Tries one, and when the bus took it, the others. */
    private void retry() {
        Iterator<ChannelId> all = overdue.keySet().iterator();
        if (all.hasNext()) {
            again(all.next()).thenRun(() -> new Spread<>(List.copyOf(overdue.keySet()), AT_ONCE, this::again).begin());
        }
    }

    private CompletionStage<Void> again(ChannelId channel) {
        Cursor position = overdue.get(channel);
        if (position == null) {
            return CompletableFuture.completedStage(null);
        }
        return send(new Announcement.Moved(channel, position)).whenComplete((done, failure) -> {
            if (failure == null) {
                overdue.remove(channel, position);
            } else {
                retryLater();
            }
        });
    }

    private CompletionStage<Void> send(Announcement announcement) {
        return calls.store("announcement to " + announcement.channel(), () -> bus.announce(announcement));
    }

    /** Gives up what is overdue. */
    void close() {
        isClosed = true;
        overdue.clear();
    }
}
