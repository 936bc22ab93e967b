package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.Cursor;
import dev.fanfare.DropReason;
import dev.fanfare.PatternSubscriber;
import dev.fanfare.PatternSubscription;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.spi.LogLine;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * An in-process subscription to all channels that match a pattern, fed by the bus alone: it opens no topics.
 *
 * <p><i>State.</i> Per channel that was heard of, the position up to which it was. What links is given on; for a hole, and
 * for what the bus tells of without bringing it, the log is read from that position.
 *
 * <p><i>Threads.</i> Confined to its loop, a serial view of the host executor, but for what the bus calls and what
 * {@link PatternSubscription} offers to everybody.
 *
 * <p><i>Bounds.</i> What waits is bounded by the loop's queue; what finds no room there is told as an interruption, and
 * counted if no log keeps it. {@link #MAX_CHANNELS} positions: the one not used for longest is forgotten, and a hole
 * there goes unnoticed, unless it was already being filled. One read per channel at a time, in the line of the repairs.
 */
final class MatchingSubscription implements PatternSubscription, Bus.Watcher {

    private static final LogLine THREW =
            LogLine.warn(MatchingSubscription.class, "A subscriber to a pattern threw; its subscription ends");
    private static final int MAX_CHANNELS = 10_000;
    private static final int PAGE = 300;
    private static final int LEAST_BYTES = 256;

    /** How far one channel was heard. */
    private static final class Position {
        @Nullable
        Cursor at;

        /** Heard of while the log was being read. */
        @Nullable
        Cursor wanted;

        boolean isReading;

        Position(@Nullable Cursor at) {
            this.at = at;
        }

        /** Takes note of how far the log is said to go; an announcement that is late does not take that back. */
        void want(Cursor heard) {
            Cursor before = wanted;
            boolean isOlder =
                    before != null && before.epoch().equals(heard.epoch()) && before.offset() > heard.offset();
            wanted = isOlder ? before : heard;
        }

        boolean isBehind(Cursor position) {
            Cursor reached = at;
            return reached == null || !reached.epoch().equals(position.epoch()) || position.offset() > reached.offset();
        }
    }

    private final Engine engine;
    private final ChannelPattern pattern;
    private final PatternSubscriber subscriber;
    private final LoopQueue queue;
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final AtomicBoolean isInterruptionDue = new AtomicBoolean();
    /** The one used longest ago first. */
    private final Map<ChannelId, Position> positions = new LinkedHashMap<>(16, 0.75f, true);

    private Bus.@Nullable Watch watch;
    private boolean isEnded;

    MatchingSubscription(Engine engine, ChannelPattern pattern, PatternSubscriber subscriber, LoopQueue queue) {
        this.engine = engine;
        this.pattern = pattern;
        this.subscriber = subscriber;
        this.queue = queue;
    }

    void begin() {
        int colon = pattern.value().indexOf(':');
        int star = pattern.value().indexOf('*');
        boolean isOneNamespace = colon >= 0 && (star < 0 || star > colon);
        if (isOneNamespace && engine.rules(ChannelId.of(pattern.value())) == null) {
            refuse(new RefusedException(
                    "Cannot subscribe to " + pattern + ": unknown namespace", Refusal.UNKNOWN_NAMESPACE));
            return;
        }
        engine.hub
                .watchMatching(pattern, this)
                .whenComplete((begun, failure) -> queue.add(() -> {
                    if (begun == null) {
                        refuse(reasonOf(Calls.unwrap(failure)));
                    } else if (isEnded) {
                        begun.close();
                    } else {
                        watch = begun;
                        ready.complete(null);
                    }
                }));
    }

    /** Tells a bus that has no patterns, which stays so, from one that failed. */
    private Throwable reasonOf(Throwable failure) {
        if (!(failure.getCause() instanceof UnsupportedOperationException cannot)) {
            return failure;
        }
        return new RefusedException(
                "Cannot subscribe to " + pattern + ": " + cannot.getMessage()
                        + ". Subscribe to the channels by name, or to one to which all of them is published as well",
                Refusal.NOT_AVAILABLE);
    }

    private void refuse(Throwable failure) {
        queue.add(() -> {
            ready.completeExceptionally(failure);
            endNow(UnsubscribeReason.NOT_STARTED);
        });
    }

    // ---- for the host

    @Override
    public ChannelPattern pattern() {
        return pattern;
    }

    @Override
    public CompletionStage<Void> ready() {
        return ready.minimalCompletionStage();
    }

    @Override
    public void close() {
        end(UnsubscribeReason.BY_SUBSCRIBER);
    }

    void end(UnsubscribeReason reason) {
        queue.add(() -> endNow(reason));
    }

    private void endNow(UnsubscribeReason reason) {
        if (isEnded) {
            return;
        }
        isEnded = true;
        positions.clear();
        if (watch != null) {
            watch.close();
        }
        ready.completeExceptionally(
                new RefusedException("The subscription to " + pattern + " is closed", Refusal.CLOSED));
        try {
            subscriber.onEnded(reason);
        } catch (RuntimeException | Error failure) {
            THREW.logTrace(failure, "pattern", pattern);
        }
        engine.hub.release(queue);
        engine.inProcess.forget(this);
    }

    // ---- from the bus, on any thread

    @Override
    public void announced(Announcement announcement) {
        if (announcement instanceof Announcement.Published published) {
            Publication publication = published.publication();
            int bytes = Math.max(LEAST_BYTES, publication.data().size());
            if (!queue.offer(() -> heard(published.channel(), publication, bytes), bytes)) {
                if (!publication.isLogged()) {
                    engine.listener().onDrop(published.channel(), DropReason.NOT_RETAINED, 1);
                }
                interrupted();
            }
        } else if (announcement instanceof Announcement.Moved moved && !queue.offer(() -> heard(moved), LEAST_BYTES)) {
            interrupted();
        }
    }

    @Override
    public void interrupted() {
        if (isInterruptionDue.compareAndSet(false, true)) {
            queue.add(() -> {
                isInterruptionDue.set(false);
                call(subscriber::onInterrupted);
            });
        }
    }

    // ---- on the loop

    private void heard(ChannelId channel, Publication publication, int bytes) {
        queue.release(bytes);
        if (isEnded) {
            return;
        }
        Position position = publication.isLogged() ? positions.get(channel) : null;
        if (!publication.isLogged()) {
            give(channel, publication);
        } else if (position == null) {
            begin(channel, publication.cursor());
            give(channel, publication);
        } else if (position.isReading) {
            position.want(publication.cursor());
        } else if (position.at != null && publication.follows(position.at)) {
            position.at = publication.cursor();
            give(channel, publication);
        } else if (!publication.cursor().equals(position.at)) {
            read(channel, position);
            position.want(publication.cursor());
        }
    }

    private void heard(Announcement.Moved moved) {
        queue.release(LEAST_BYTES);
        if (isEnded) {
            return;
        }
        Position known = positions.get(moved.channel());
        Position position = known == null ? begin(moved.channel(), null) : known;
        if (isEnded) {
            return;
        }
        if (position.isReading) {
            position.want(moved.head());
        } else if (position.isBehind(moved.head())) {
            read(moved.channel(), position);
        }
    }

    /** Begins a channel, in the place of the oldest if there are too many; the subscription may be over then. */
    @CanIgnoreReturnValue
    private Position begin(ChannelId channel, @Nullable Cursor at) {
        Position fresh = new Position(at);
        positions.put(channel, fresh);
        if (positions.size() > MAX_CHANNELS) {
            forgetOldest();
        }
        return fresh;
    }

    /** What a read is under way for was announced, and will not be given now. */
    private void forgetOldest() {
        ChannelId oldest = positions.keySet().iterator().next();
        Position forgotten = requireNonNull(positions.remove(oldest));
        if (forgotten.isReading) {
            missed(oldest);
        }
    }

    private void read(ChannelId channel, Position position) {
        Cursor from = position.at;
        position.isReading = true;
        position.wanted = null;
        LogRead read = from == null ? LogRead.newest(channel, 1) : LogRead.after(channel, from.offset(), PAGE);
        engine.hub.readForRepair(
                read,
                (page, failure) -> queue.add(() -> {
                    if (!isEnded && positions.get(channel) == position) {
                        position.isReading = false;
                        take(channel, position, page);
                    }
                }));
    }

    private void take(ChannelId channel, Position position, @Nullable LogPage page) {
        if (page == null) {
            missed(channel);
            positions.remove(channel);
            return;
        }
        Cursor head = page.head();
        List<Publication> found = page.publications();
        Cursor from = position.at;
        boolean isWhole = from == null ? head.offset() == 1 : Positions.judge(from, page) == null;
        if (!isWhole) {
            missed(channel);
        }
        boolean isOfOneLife = from == null || from.epoch().equals(head.epoch());
        if (isOfOneLife && !found.isEmpty()) {
            position.at = found.get(found.size() - 1).cursor();
            found.forEach(publication -> give(channel, publication));
        } else {
            position.at = head;
        }
        Cursor wanted = position.wanted;
        boolean isMore = from != null && !found.isEmpty() && position.isBehind(head);
        if (isMore || (wanted != null && position.isBehind(wanted))) {
            read(channel, position);
        }
    }

    private void give(ChannelId channel, Publication publication) {
        call(() -> subscriber.onPublication(channel, publication));
    }

    private void missed(ChannelId channel) {
        call(() -> subscriber.onMissed(channel));
    }

    private void call(Runnable callback) {
        if (isEnded) {
            return;
        }
        try {
            callback.run();
        } catch (RuntimeException | Error failure) {
            THREW.logTrace(failure, "pattern", pattern);
            endNow(UnsubscribeReason.SUBSCRIBER_FAILED);
        }
    }
}
