package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.DropReason;
import dev.fanfare.Expiry;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Frame;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One subscription: a position in a channel, and whether it is being pushed to or catching up.
 *
 * <p><i>State.</i> STARTING until {@link Replay} has found where it begins; LIVE while the lane pushes to
 * it; CATCHING_UP while {@link CatchUp} reads ring and log for it alone, because its socket was full or its lane fell
 * behind; ENDED. LIVE and CATCHING_UP change into each other as often as needed, without loss, because
 * both go by the position alone.
 *
 * <p><i>Threads.</i> Confined to the loop of its port; {@link #isEnded} also from elsewhere.
 *
 * <p><i>Ordering.</i> A publication is taken only if it follows the position, by tag; of those taken, {@link Outgoing}
 * may leave out some. While LIVE the position is the lane's. A publication that the filter does not want moves the
 * position on all the same.
 */
final class Reader {

    static final int NOWHERE = -1;

    private enum State {
        STARTING,
        LIVE,
        CATCHING_UP,
        ENDED
    }

    final Port port;
    final ChannelId channel;
    final ChannelRules rules;
    private final boolean asksForPresence;
    private boolean wantsPresence;
    final Outgoing outgoing;
    private final @Nullable Predicate<Publication> filter;
    /** Index in the lane; the lane's. */
    int place = NOWHERE;

    /** Set by the connection before the start: whether to announce a join; the connection's. */
    boolean announcesJoin;
    /** When it ends; the connection's. */
    @Nullable
    Deadline deadline;

    private volatile State state = State.STARTING;
    private @Nullable Lane lane;
    /** There is one while STARTING. */
    private @Nullable Replay replay;
    /** There is one while CATCHING_UP. */
    private @Nullable CatchUp catchUp;

    private String epoch = "";
    private long offset;
    private long tag;

    Reader(Port port, ChannelId channel, ChannelRules rules, SubscribeRequest request, Replay replay) {
        this.port = port;
        this.channel = channel;
        this.rules = rules;
        this.asksForPresence = rules.hasPresence() && request.wantsPresence() && !rules.announcesToAll();
        this.wantsPresence = asksForPresence || (rules.hasPresence() && rules.announcesToAll());
        this.filter = request.filter();
        this.outgoing =
                new Outgoing(this, port, rules, rules.allowsDeltas() && filter == null ? request.deltas() : null);
        this.replay = replay;
    }

    // ---- beginning and end

    /** Tells whether the client wants to be told of joins and leaves, which not everybody in the channel is. */
    boolean asksForPresence() {
        return asksForPresence;
    }

    /** Leaves joins and leaves out; before the start only. */
    void spareJoinsAndLeaves() {
        wantsPresence = false;
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

    /** Tells whether its lane has been served exactly up to there. */
    boolean isServedUpTo(Cursor position) {
        return lane().position().equals(position);
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
        catchUp = new CatchUp(this, lane(), outgoing);
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
        outgoing.end();
        catchUp = null;
        Replay unfinished = replay;
        replay = null;
        port.removed(this, reason, wasStarted);
        if (unfinished != null) {
            unfinished.cancelled();
        }
        return true;
    }

    boolean isEnded() {
        return state == State.ENDED;
    }

    boolean isStarted() {
        return state == State.LIVE || state == State.CATCHING_UP;
    }

    boolean isLive() {
        return state == State.LIVE;
    }

    boolean isCatchingUp() {
        return state == State.CATCHING_UP;
    }

    @Nullable
    Expiry expiry() {
        return deadline == null ? null : deadline.expiry();
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
        if (outgoing.mayWrite()) {
            return true;
        }
        if (outgoing.hold(publication)) {
            moveTo(publication);
        } else if (publication.isLogged()) {
            fallBehind();
        } else {
            outgoing.leaveOut();
        }
        return false;
    }

    /** Writes a publication that {@link #accepts} took. */
    void write(Frame frame, Publication publication) {
        moveTo(publication);
        outgoing.write(frame, publication);
    }

    /** Tells whether to write a join or leave now; if not, it is counted, and told when there is room. */
    boolean acceptsPresence() {
        if (!wantsPresence || !isStarted()) {
            return false;
        }
        if (outgoing.hasRoom()) {
            return true;
        }
        outgoing.leaveOutPresence();
        return false;
    }

    /** Learns that the lane could not be served for a while, and what it missed that is not logged. */
    void passedOver(long missedPublications, long missedPresence) {
        long publications = missedPublications;
        long presence = wantsPresence ? missedPresence : 0;
        if (state == State.LIVE && outgoing.mayLeaveOut()) {
            publications += passOver(missedPublications);
        }
        if (isStarted() && publications + presence > 0) {
            outgoing.leftOut(publications, presence);
        }
        if (!outgoing.mayLeaveOut()) {
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
        outgoing.drop(DropReason.EPHEMERAL, logged);
        return logged + missedPublications == 0 ? 0 : logged + outgoing.leaveBacklog();
    }

    /** Learns that the lane's history broke. */
    void laneReset(Resume.Reset reset) {
        if (state == State.LIVE) {
            reset(reset);
        }
        // Who catches up asks the log: what it has may be from before the break, and then nothing is wrong
        // with it. And a Replay compares with the lane, and finds out.
    }

    /** Goes on elsewhere, and says so; ends where the client cannot be told. */
    void reset(Resume.Reset reset) {
        hub().listener.onReset(channel, reset.reason());
        moveTo(reset.position());
        if (!outgoing.reset(reset)) {
            end(UnsubscribeReason.INSUFFICIENT_STATE);
        }
    }

    // ---- lagging

    /** Leaves the live path and catches up by itself. */
    private void fallBehind() {
        if (state == State.LIVE && rules.isRetained()) {
            state = State.CATCHING_UP;
            catchUp = new CatchUp(this, lane(), outgoing);
            outgoing.leaveBacklogBehind();
            hub().listener.onCatchUp(channel);
            catchUp.goOn();
        }
    }

    /** Has caught up with its lane. */
    void caughtUp() {
        state = State.LIVE;
        catchUp = null;
        outgoing.flushHeld();
    }

    /** Goes on where it stopped for want of room. */
    void resume() {
        outgoing.resumed();
        if (catchUp != null) {
            catchUp.goOn();
        } else if (state == State.LIVE && outgoing.hasRoom()) {
            outgoing.flushHeld();
        } else if (state == State.LIVE) {
            outgoing.awaitRoom();
        }
    }

    // ---- the position

    Cursor position() {
        return new Cursor(epoch, offset, tag);
    }

    long offset() {
        return offset;
    }

    boolean isAt(Cursor other) {
        return offset == other.offset() && tag == other.tag() && epoch.equals(other.epoch());
    }

    boolean follows(Publication publication) {
        return publication.offset() == offset + 1
                && publication.previousTag() == tag
                && publication.epoch().equals(epoch);
    }

    void moveTo(Publication publication) {
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

    // ---- small things

    /** Tells whether the subscriber is to see it. */
    boolean wants(Publication publication) {
        if (filter == null) {
            return true;
        }
        try {
            return filter.test(publication);
        } catch (RuntimeException broken) {
            hub().log.filterFailed(channel, broken);
            return true; // rather one too many than one lost unsaid
        }
    }

    Hub hub() {
        return lane().topic.hub;
    }

    private Lane lane() {
        return requireNonNull(lane);
    }
}
