package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.DeliveryClass;
import dev.fanfare.DropReason;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.spi.Frame;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One subscription: a position in a channel, and whether it is being pushed to or catching up.
 *
 * <p><i>State.</i> STARTING until {@link Replay} has found where it begins; LIVE while the lane pushes to
 * it; CATCHING_UP while it reads ring and log by itself, because its socket was full or its lane fell
 * behind; ENDED. LIVE and CATCHING_UP change into each other as often as needed, without loss, because
 * both go by the position alone.
 *
 * <p><i>Threads.</i> Confined to the loop of its port.
 *
 * <p><i>Ordering.</i> A publication is written only if it follows the position, by tag.
 *
 * <p><i>Bounds.</i> Nothing is queued here, except by {@link Conflation}, which is bounded by keys.
 */
final class Reader {

    static final int NOWHERE = -1;
    private static final int PAGE = 100;
    private static final Duration RETRY = Duration.ofSeconds(1);

    private enum State {
        STARTING,
        LIVE,
        CATCHING_UP,
        ENDED
    }

    final Port port;
    final ChannelId channel;
    final ChannelRules rules;
    final boolean wantsPresence;
    /** Index in the lane; the lane's. */
    int place = NOWHERE;

    private State state = State.STARTING;
    /** Set by the connection before the start: whether to announce a join; the connection's. */
    boolean announcesJoin;

    private boolean isReading;
    private boolean isAwaiting;
    private @Nullable Lane lane;
    private @Nullable Replay replay;
    private @Nullable Conflation conflation;
    private String epoch = "";
    private long offset;
    private long tag;
    private long skipped;

    Reader(Port port, ChannelId channel, ChannelRules rules, boolean wantsPresence, Replay replay) {
        this.port = port;
        this.channel = channel;
        this.rules = rules;
        this.wantsPresence = wantsPresence;
        this.replay = replay;
        if (rules.delivery().kind() == DeliveryClass.Kind.SAMPLED
                || rules.delivery().kind() == DeliveryClass.Kind.STATE) {
            this.conflation = new Conflation(rules.delivery());
        }
    }

    boolean isEnded() {
        return state == State.ENDED;
    }

    boolean isStarted() {
        return state == State.LIVE || state == State.CATCHING_UP;
    }

    Cursor position() {
        return new Cursor(epoch, offset, tag);
    }

    /** Takes its place in a lane and looks where to begin. */
    void attach(Lane lane) {
        this.lane = lane;
        lane.add(this);
        if (state == State.ENDED) {
            lane.remove(this);
        } else {
            requireNonNull(replay).begin(this, lane);
        }
    }

    /** Begins to be pushed to; everything after the position follows. */
    void goLive(Cursor position) {
        moveTo(position);
        state = State.LIVE;
        replay = null;
    }

    /** Ends before it began, and says why. */
    void refuse(Refusal reason) {
        if (replay != null) {
            replay.refuse(reason);
        }
        end(UnsubscribeReason.NOT_STARTED);
    }

    /**
     * Ends the subscription, whatever its state.
     *
     * @return whether it was not over yet
     */
    @CanIgnoreReturnValue
    boolean end(UnsubscribeReason reason) {
        if (state == State.ENDED) {
            return false;
        }
        boolean wasStarted = isStarted();
        state = State.ENDED;
        if (lane != null) {
            lane.remove(this);
        }
        conflation = null;
        Replay unfinished = replay;
        replay = null;
        port.removed(this, reason, wasStarted);
        if (unfinished != null) {
            unfinished.cancelled();
        }
        return true;
    }

    // ---- pushed to by the lane

    /** Tells whether to write this publication now; if not, sees to it that nothing is lost unsaid. */
    boolean accepts(Publication publication) {
        if (state != State.LIVE) {
            return false;
        }
        if (publication.isLogged()) {
            if (publication.offset() <= offset) {
                return false;
            }
            if (publication.previousTag() != tag && conflation == null) {
                fallBehind();
                return false;
            }
        }
        if (conflation != null) {
            return acceptsConflated(publication, conflation);
        }
        if (port.outlet().isWritable()) {
            if (skipped > 0) {
                tellSkipped();
            }
            return true;
        }
        refuse(publication);
        return false;
    }

    /** Writes a publication that {@link #accepts} took. */
    void write(Frame frame, Publication publication) {
        moveTo(publication);
        port.outlet().write(channel, frame, publication);
        port.written();
    }

    /** Leaves the live path and catches up by itself. */
    void fallBehind() {
        if (state == State.LIVE && rules.isRetained()) {
            state = State.CATCHING_UP;
            lane().topic.hub.listener.onCatchUp(channel);
            pump();
        }
    }

    /** Learns that the lane could not be served for a while. */
    void passedOver(long missed) {
        if (rules.isRetained()) {
            fallBehind();
        } else if (state == State.LIVE && missed > 0) {
            skipped += missed;
            awaitRoom();
            port.queue.add(port::resumeWaiting);
        }
    }

    /** Goes on where it stopped for want of room. */
    void resume() {
        isAwaiting = false;
        if (state == State.CATCHING_UP) {
            pump();
        } else if (state == State.LIVE) {
            if (skipped > 0) {
                tellSkipped();
            }
            flushConflated();
        }
    }

    /** Takes note that the channel's history broke. */
    void reset(Resume.Reset reset) {
        if (!isStarted()) {
            return; // its Replay compares with the lane and finds out
        }
        Lane at = lane();
        at.topic.hub.listener.onReset(channel, reset.reason());
        if (conflation != null) {
            conflation.clear();
        }
        if (port.outlet().reset(channel, reset)) {
            moveTo(reset.position());
            state = State.LIVE;
            port.written();
        } else {
            end(UnsubscribeReason.INSUFFICIENT_STATE);
        }
    }

    // ---- catching up

    private void pump() {
        while (state == State.CATCHING_UP && !isReading) {
            if (!port.outlet().isWritable()) {
                awaitRoom();
                return;
            }
            Cursor served = lane().position();
            if (offset > served.offset() || (offset == served.offset() && tag == served.tag())) {
                state = State.LIVE;
                return;
            }
            Publication next = lane().topic.ring().at(offset + 1);
            if (next != null && follows(next)) {
                writeAlone(next);
            } else {
                readPage();
            }
        }
    }

    private void readPage() {
        isReading = true;
        lane().topic.read(LogRead.after(channel, offset, PAGE), lane().queue, (page, failure) -> {
            isReading = false;
            if (state != State.CATCHING_UP) {
                return;
            }
            if (page == null) {
                retryLater();
            } else {
                take(page);
            }
        });
    }

    private void take(LogPage page) {
        ResetReason broken = Positions.judge(position(), page);
        if (broken != null) {
            reset(new Resume.Reset(broken, page.head()));
            if (state == State.LIVE) {
                state = State.CATCHING_UP; // the lane may have gone on since that head
                pump();
            }
            return;
        }
        if (page.publications().isEmpty()) {
            verifyThenPump();
            return;
        }
        for (Publication publication : page.publications()) {
            if (state != State.CATCHING_UP || !port.outlet().isWritable()) {
                break;
            }
            writeAlone(publication);
        }
        pump();
    }

    /** The log has nothing after our position, yet the lane is elsewhere: one of them is wrong. */
    private void verifyThenPump() {
        isReading = true;
        lane().topic.verify(lane().queue, () -> {
            isReading = false;
            pump();
        });
    }

    private void retryLater() {
        isReading = true;
        LoopQueue queue = lane().queue;
        lane().topic
                .hub
                .time
                .schedule(
                        RETRY,
                        () -> queue.add(() -> {
                            isReading = false;
                            pump();
                        }));
    }

    // ---- delivery classes that may leave out

    private void refuse(Publication publication) {
        boolean mayDrop = rules.delivery().kind() == DeliveryClass.Kind.EPHEMERAL || !publication.isLogged();
        if (!mayDrop) {
            fallBehind();
            return;
        }
        if (publication.isLogged()) {
            moveTo(publication);
        }
        skipped++;
        DropReason reason = rules.delivery().kind() == DeliveryClass.Kind.EPHEMERAL
                ? DropReason.EPHEMERAL
                : DropReason.NOT_RETAINED;
        lane().topic.hub.listener.onDrop(channel, reason, 1);
        awaitRoom();
    }

    private boolean acceptsConflated(Publication publication, Conflation held) {
        long now = lane().topic.hub.time.nanos();
        if (!held.isHolding() && port.outlet().isWritable() && held.nanosUntilDue(now) == 0) {
            held.sent(now);
            return true;
        }
        held.hold(publication);
        flushConflated();
        return false;
    }

    private void flushConflated() {
        Conflation held = conflation;
        if (held == null || !held.isHolding()) {
            return;
        }
        long now = lane().topic.hub.time.nanos();
        long wait = held.nanosUntilDue(now);
        if (wait > 0) {
            flushConflatedIn(wait);
            return;
        }
        skipped += held.takeSkipped();
        while (held.isHolding() && port.outlet().isWritable()) {
            writeAlone(held.take());
        }
        held.sent(now);
        if (held.isHolding()) {
            awaitRoom();
        }
        if (skipped > 0 && port.outlet().isWritable()) {
            lane().topic.hub.listener.onDrop(channel, DropReason.CONFLATED, skipped);
            tellSkipped();
        }
    }

    private void flushConflatedIn(long nanos) {
        if (isAwaiting) {
            return;
        }
        isAwaiting = true;
        LoopQueue queue = lane().queue;
        lane().topic.hub.time.schedule(Duration.ofNanos(nanos), () -> queue.add(this::resume));
    }

    private void tellSkipped() {
        port.outlet().skipped(channel, skipped);
        skipped = 0;
        port.written();
    }

    // ---- small things

    private void awaitRoom() {
        if (!isAwaiting) {
            isAwaiting = true;
            port.await(this);
        }
    }

    private void writeAlone(Publication publication) {
        Frame frame = port.outlet().encoder().publication(channel, publication);
        try {
            write(frame, publication);
        } finally {
            frame.release();
        }
    }

    private boolean follows(Publication publication) {
        return publication.previousTag() == tag && publication.epoch().equals(epoch);
    }

    private void moveTo(Publication publication) {
        if (publication.isLogged()) {
            epoch = publication.epoch();
            offset = publication.offset();
            tag = publication.tag();
        }
    }

    private void moveTo(Cursor position) {
        epoch = position.epoch();
        offset = position.offset();
        tag = position.tag();
    }

    private Lane lane() {
        return requireNonNull(lane);
    }
}
