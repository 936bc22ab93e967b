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
import java.util.concurrent.CompletionStage;

/**
 * Announces what a log appended that does not announce itself, and does not forget what the bus would not take: nodes
 * whose own way to the bus is whole have no reason to look at the log.
 *
 * <p><i>State.</i> The newest position per channel whose announcement failed.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Bounds.</i> {@link #MAX_OVERDUE} channels; those beyond are told to the listener, and found by the nodes' tail
 * probes.
 */
final class Announcements {

    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final int MAX_OVERDUE = 10_000;

    private final Bus bus;
    private final Calls calls;
    private final FanfareListener listener;
    private final EventLog log;
    private final Overdue<ChannelId, Cursor> overdue;

    Announcements(Bus bus, Calls calls, TimeSource time, FanfareListener listener, EventLog log) {
        this.bus = bus;
        this.calls = calls;
        this.listener = listener;
        this.log = log;
        this.overdue =
                new Overdue<>(time, RETRY, (channel, position) -> send(new Announcement.Moved(channel, position)));
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
        boolean isKept = overdue.size() < MAX_OVERDUE || overdue.contains(channel);
        listener.onAnnounceFailed(channel, isKept);
        if (isKept) {
            overdue.add(channel, position);
        }
    }

    private CompletionStage<Void> send(Announcement announcement) {
        return calls.store("announcement to " + announcement.channel(), () -> bus.announce(announcement));
    }

    /** Gives up what is overdue. */
    void close() {
        overdue.close();
    }
}
