package dev.fanfare.testkit;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The log of one channel as a stale replica has it: the beginning of the true one, going on with other
 * publications at the same offsets. It forgets dedup keys and never trims.
 *
 * <p><b>Threading:</b> thread-safe; announcements go out in log order, under no lock.
 */
final class StaleLog {

    private final String epoch;
    private final SerialQueue<Publication> announcements;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final List<Publication> publications;

    @GuardedBy("lock")
    private final Map<String, Publication> byDedupKey = new HashMap<>();

    @GuardedBy("lock")
    private Cursor head;

    /**
     * Makes one.
     *
     * @param truth the true log, oldest first
     * @param keptOffset the last offset that the replica has
     */
    StaleLog(ChannelId channel, LogPage truth, long keptOffset, Consumer<Announcement> announcer) {

        this.epoch = truth.head().epoch();
        this.publications = truth.publications().stream()
                .filter(publication -> publication.offset() <= keptOffset)
                .collect(Collectors.toCollection(ArrayList::new));
        this.head = publications.isEmpty()
                ? new Cursor(epoch, 0, Cursor.NO_TAG)
                : publications.get(publications.size() - 1).cursor();
        this.announcements =
                new SerialQueue<>(publication -> announcer.accept(new Announcement.Published(channel, publication)));
    }

    AppendResult append(AppendRequest request) {
        AppendResult result;
        lock.lock();
        try {
            result = appendLocked(request);
        } finally {
            lock.unlock();
        }
        announcements.drain();
        return result;
    }

    @GuardedBy("lock")
    private AppendResult appendLocked(AppendRequest request) {
        PublishOptions options = request.options();
        Publication first = options.dedupKey() == null ? null : byDedupKey.get(options.dedupKey());
        if (first != null) {
            return first.data().equals(request.data())
                    ? new AppendResult.Repeated(first.cursor())
                    : AppendResult.Conflict.OTHER_BODY;
        }
        Publication publication = Publication.builder(request.data())
                .position(epoch, head.offset() + 1, request.tag(), head.tag())
                .timeMillis(1)
                .eventType(options.eventType())
                .key(options.key())
                .headers(options.headers())
                .publisher(request.publisher())
                .build();
        publications.add(publication);
        head = publication.cursor();
        if (options.dedupKey() != null) {
            byDedupKey.put(options.dedupKey(), publication);
        }
        announcements.add(publication);
        return new AppendResult.Appended(publication);
    }

    LogPage read(LogRead read) {
        lock.lock();
        try {
            List<Publication> found = new ArrayList<>();
            for (Publication publication : publications) {
                boolean wanted = read.isReverse()
                        ? publication.offset() < read.afterOffset()
                        : publication.offset() > read.afterOffset();
                if (wanted) {
                    found.add(publication);
                }
            }
            if (read.isReverse()) {
                Collections.reverse(found);
            }
            return new LogPage(head, List.copyOf(found.subList(0, Math.min(read.limit(), found.size()))));
        } finally {
            lock.unlock();
        }
    }

    void clear() {
        lock.lock();
        try {
            publications.clear();
        } finally {
            lock.unlock();
        }
    }
}
