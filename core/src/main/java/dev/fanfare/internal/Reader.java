package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.DeliveryClass;
import dev.fanfare.DisconnectReason;
import dev.fanfare.DropReason;
import dev.fanfare.Expiry;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.DeltaEncoder;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
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
 * <p><i>Ordering.</i> A publication is taken only if it follows the position, by tag; of those taken,
 * conflation may leave out some. While LIVE the position is the lane's.
 *
 * <p>A publication that the filter does not want moves the position on all the same. A subscription with
 * differences remembers what was sent on it last, and gets a difference to that or a whole publication.
 *
 * <p><i>Bounds.</i> Nothing is queued here, except in {@link Held}, which is bounded. With differences, one publication
 * is remembered.
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
    private final @Nullable Predicate<Publication> filter;
    private final @Nullable DeltaEncoder deltas;
    /** Index in the lane; the lane's. */
    int place = NOWHERE;

    private State state = State.STARTING;
    /** Set by the connection before the start: whether to announce a join; the connection's. */
    boolean announcesJoin;
    /** When it ends; the connection's. */
    @Nullable
    Deadline deadline;

    private boolean isReading;
    private boolean isAwaiting;
    private boolean isTimed;
    private @Nullable Lane lane;
    private @Nullable Replay replay;
    private @Nullable Held held;
    /** What was sent last, if there are differences. */
    private @Nullable Publication base;

    private String epoch = "";
    private long offset;
    private long tag;
    private long skipped;

    Reader(Port port, ChannelId channel, ChannelRules rules, SubscribeRequest request, Replay replay) {
        this.port = port;
        this.channel = channel;
        this.rules = rules;
        this.wantsPresence = rules.hasPresence() && (request.wantsPresence() || rules.announcesToAll());
        this.filter = request.filter();
        this.deltas = rules.allowsDeltas() && filter == null ? request.deltas() : null;
        this.replay = replay;
        if (rules.delivery().kind() == DeliveryClass.Kind.SAMPLED
                || rules.delivery().kind() == DeliveryClass.Kind.STATE) {
            this.held = new Conflation(rules.delivery());
        }
    }

    boolean isEnded() {
        return state == State.ENDED;
    }

    boolean isStarted() {
        return state == State.LIVE || state == State.CATCHING_UP;
    }

    @Nullable
    Expiry expiry() {
        return deadline == null ? null : deadline.expiry();
    }

    Cursor position() {
        return new Cursor(epoch, offset, tag);
    }

    /** Returns what encodes publications for this subscription. */
    FrameEncoder encoder() {
        return deltas == null ? port.outlet().encoder() : deltas;
    }

    boolean hasDeltas() {
        return deltas != null;
    }

    /** Tells whether to encode as the difference to that publication: it was what was sent here last. */
    boolean wantsDifference(@Nullable Publication previous) {
        return deltas != null && base != null && previous != null && isSame(base, previous);
    }

    private static boolean isSame(Publication one, Publication other) {
        return one == other
                || (one.isLogged()
                        && one.offset() == other.offset()
                        && one.tag() == other.tag()
                        && one.epoch().equals(other.epoch()));
    }

    /** Tells whether the subscriber is to see it. */
    boolean wants(Publication publication) {
        if (filter == null) {
            return true;
        }
        try {
            return filter.test(publication);
        } catch (RuntimeException broken) {
            lane().topic.hub.log.hostFailed("filter of a subscription", broken);
            return false;
        }
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

    /** Takes note of what went out with the answer to the subscribe. */
    void answeredWith(List<Publication> missed) {
        if (!missed.isEmpty()) {
            sent(missed.get(missed.size() - 1));
        }
    }

    /** Begins to be pushed to, at the position that its lane has reached. */
    void goLive(Cursor position) {
        moveTo(position);
        state = State.LIVE;
        replay = null;
    }

    /** Begins behind its lane; {@link #resume} sets it going. */
    void goCatchUp(Cursor position) {
        moveTo(position);
        state = State.CATCHING_UP;
        replay = null;
    }

    /** Ends before it began, and says why. */
    void refuse(Refusal reason) {
        Replay unfinished = replay;
        replay = null;
        end(UnsubscribeReason.NOT_STARTED);
        if (unfinished != null) {
            unfinished.refuse(reason);
        }
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
        held = null;
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
        if (publication.isLogged() && !follows(publication)) {
            fallBehind();
            return false;
        }
        if (filter != null && !wants(publication)) {
            moveTo(publication);
            return false;
        }
        if (held != null) {
            return acceptsOrHolds(publication, held);
        }
        if (hasRoom()) {
            return true;
        }
        if (!catchesUp()) {
            hold(publication, new Backlog(isEphemeral() ? DropReason.EPHEMERAL : DropReason.NOT_RETAINED));
        } else if (publication.isLogged()) {
            fallBehind();
        } else {
            leaveOutUnlogged();
        }
        return false;
    }

    /** Writes a publication that {@link #accepts} took. */
    void write(Frame frame, Publication publication) {
        moveTo(publication);
        send(frame, publication);
    }

    /** Leaves the live path and catches up by itself. */
    private void fallBehind() {
        if (state == State.LIVE && rules.isRetained()) {
            state = State.CATCHING_UP;
            skipped += leaveBacklog();
            lane().topic.hub.listener.onCatchUp(channel);
            pump();
        }
    }

    /** Learns that the lane could not be served for a while, and what it missed that is not logged. */
    void passedOver(long missedPublications, long missedPresence) {
        long missed = missedPublications + (wantsPresence ? missedPresence : 0);
        if (state == State.LIVE && !catchesUp()) {
            missed += passOver(missedPublications);
        }
        if (isStarted() && missed > 0) {
            skipped += missed;
            awaitRoom();
            port.queue.add(port::resumeWaiting);
        }
        if (catchesUp()) {
            fallBehind();
        }
    }

    /**
     * Goes to where the lane is, without what was logged meanwhile. What waits is left out too: the count is to be
     * told where the hole is. Returns how many that makes.
     */
    private long passOver(long missedPublications) {
        long logged = lane().offset() - offset;
        moveTo(lane().position());
        drop(DropReason.EPHEMERAL, logged);
        return logged + missedPublications == 0 ? 0 : logged + leaveBacklog();
    }

    /** Leaves out what waits; returns how many were left out and not told of. */
    private long leaveBacklog() {
        if (!(held instanceof Backlog backlog)) {
            return 0;
        }
        held = null;
        drop(backlog.reason(), backlog.size());
        return backlog.takeSkipped() + backlog.size();
    }

    /** Tells whether to write a join or leave now; if not, it is counted, and told when there is room. */
    boolean acceptsPresence() {
        if (!wantsPresence || !isStarted()) {
            return false;
        }
        if (hasRoom()) {
            return true;
        }
        skipped++;
        lane().topic.hub.listener.onDrop(channel, DropReason.PRESENCE, 1);
        awaitRoom();
        return false;
    }

    private void drop(DropReason reason, long count) {
        if (count > 0) {
            lane().topic.hub.listener.onDrop(channel, reason, count);
        }
    }

    /** Goes on where it stopped for want of room. */
    void resume() {
        isAwaiting = false;
        if (state == State.CATCHING_UP) {
            pump();
        } else if (state == State.LIVE && hasRoom()) {
            flushHeld();
        } else if (state == State.LIVE) {
            awaitRoom();
        }
    }

    /** Learns that the lane's history broke. */
    void laneReset(Resume.Reset reset) {
        if (state == State.LIVE) {
            reset(reset);
        }
        // Who catches up asks the log: what it has may be from before the break, and then nothing is wrong
        // with it. And a Replay compares with the lane, and finds out.
    }

    private void reset(Resume.Reset reset) {
        lane().topic.hub.listener.onReset(channel, reset.reason());
        skipped = 0;
        base = null;
        if (held instanceof Conflation conflation) {
            conflation.clear();
        } else {
            held = null;
        }
        moveTo(reset.position());
        if (port.outlet().reset(channel, reset)) {
            port.written();
        } else {
            end(UnsubscribeReason.INSUFFICIENT_STATE);
        }
    }

    // ---- catching up

    private void pump() {
        while (state == State.CATCHING_UP && !isReading) {
            if (!hasRoom()) {
                awaitRoom();
                return;
            }
            Cursor served = lane().position();
            if (isAt(served)) {
                state = State.LIVE;
                flushHeld();
            } else {
                Publication next = lane().topic.ring().at(offset + 1);
                if (next != null && next.offset() <= served.offset() && follows(next)) {
                    advance(next);
                } else {
                    readPage();
                }
            }
        }
    }

    private void readPage() {
        isReading = true;
        Cursor asked = position();
        lane().topic.read(LogRead.after(channel, offset, PAGE), lane().queue, (page, failure) -> {
            isReading = false;
            if (state != State.CATCHING_UP) {
                return;
            }
            if (page == null) {
                retryLater();
            } else if (!isAt(asked)) {
                pump(); // a reset moved it meanwhile
            } else {
                take(page);
            }
        });
    }

    private void take(LogPage page) {
        ResetReason broken = Positions.judge(position(), page);
        if (broken != null) {
            reset(new Resume.Reset(broken, page.head()));
            pump();
            return;
        }
        long served = lane().position().offset();
        if (page.publications().isEmpty() || served <= offset) {
            verifyThenPump();
            return;
        }
        for (Publication publication : page.publications()) {
            // What lies beyond the lane's position comes through the lane.
            if (publication.offset() > served || state != State.CATCHING_UP || !hasRoom()) {
                break;
            }
            advance(publication);
        }
        pump();
    }

    /** The log agrees with our position, and the lane does not: let the topic look at the log. */
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

    /** Takes the next publication while catching up. */
    private void advance(Publication publication) {
        moveTo(publication);
        if (!wants(publication)) {
            return;
        }
        if (held != null) {
            drop(held.reason(), held.hold(publication));
        } else {
            sendAlone(publication);
        }
    }

    // ---- delivery classes that may leave out

    /** Leaves out what is not logged, in a channel whose subscribers catch up from the log. */
    private void leaveOutUnlogged() {
        skipped++;
        drop(DropReason.NOT_RETAINED, 1);
        awaitRoom();
    }

    private boolean catchesUp() {
        return rules.isRetained() && !isEphemeral();
    }

    private boolean isEphemeral() {
        return rules.delivery().kind() == DeliveryClass.Kind.EPHEMERAL;
    }

    private boolean acceptsOrHolds(Publication publication, Held held) {
        long now = lane().topic.hub.time.nanos();
        if (!held.isHolding() && held.nanosUntilDue(now) == 0 && hasRoom()) {
            held.sent(now);
            return true;
        }
        hold(publication, held);
        return false;
    }

    private void hold(Publication publication, Held where) {
        held = where;
        drop(where.reason(), where.hold(publication));
        moveTo(publication);
        flushHeld();
    }

    private void flushHeld() {
        Held waiting = held;
        if (waiting == null || !waiting.isHolding()) {
            return;
        }
        long now = lane().topic.hub.time.nanos();
        long wait = waiting.nanosUntilDue(now);
        if (wait > 0) {
            flushHeldIn(wait);
            return;
        }
        if (!port.hasRoom()) {
            awaitRoom();
            return;
        }
        skipped += waiting.takeSkipped();
        while (waiting.isHolding() && hasRoom()) {
            sendAlone(waiting.take());
            waiting.sent(now);
        }
        if (waiting.isHolding()) {
            awaitRoom();
        } else if (waiting instanceof Backlog && held == waiting) {
            held = null;
        }
    }

    private void flushHeldIn(long nanos) {
        if (isTimed) {
            return;
        }
        isTimed = true;
        LoopQueue queue = lane().queue;
        lane().topic
                .hub
                .time
                .schedule(
                        Duration.ofNanos(nanos),
                        () -> queue.add(() -> {
                            isTimed = false;
                            if (state == State.LIVE) {
                                flushHeld();
                            }
                        }));
    }

    // ---- small things

    /** Tells whether there is room to write; what was left out before is told first. */
    private boolean hasRoom() {
        if (skipped > 0 && port.hasRoom()) {
            port.outlet().skipped(channel, skipped);
            skipped = 0;
            port.written();
        }
        return port.hasRoom();
    }

    private void awaitRoom() {
        if (!isAwaiting) {
            isAwaiting = true;
            port.await(this);
        }
    }

    private void sendAlone(Publication publication) {
        Frame frame = Lane.encodeOrNull(encoder(), channel, publication);
        if (frame == null) {
            port.outlet().disconnect(DisconnectReason.INAPPROPRIATE_PROTOCOL);
            return;
        }
        try {
            send(frame, publication);
        } finally {
            frame.release();
        }
    }

    private void send(Frame frame, Publication publication) {
        port.outlet().write(channel, frame, publication);
        port.written();
        sent(publication);
    }

    private void sent(Publication publication) {
        if (deltas != null) {
            base = publication;
        }
    }

    private boolean isAt(Cursor other) {
        return offset == other.offset() && tag == other.tag() && epoch.equals(other.epoch());
    }

    private boolean follows(Publication publication) {
        return publication.offset() == offset + 1
                && publication.previousTag() == tag
                && publication.epoch().equals(epoch);
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
