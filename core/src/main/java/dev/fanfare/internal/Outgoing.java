package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.DeliveryClass;
import dev.fanfare.DisconnectReason;
import dev.fanfare.DropReason;
import dev.fanfare.Publication;
import dev.fanfare.Resume;
import dev.fanfare.spi.DeltaEncoder;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one subscription writes to its port: in which form, when there is room, and what has to wait or be left out
 * when there is none, as the channel's delivery class says.
 *
 * <p>A subscription with differences remembers what was sent on it last, and gets a difference to that or a whole
 * publication. How many were left out is told as soon as there is room, before anything else.
 *
 * <p><i>Threads.</i> Confined to the loop of its port.
 *
 * <p><i>Bounds.</i> Nothing is queued here, except in {@link Held}, which is bounded. With differences, one publication
 * is remembered.
 */
final class Outgoing {

    private final Reader reader;
    private final Port port;
    private final ChannelId channel;
    private final boolean mayLeaveOut;
    private final boolean isEphemeral;
    private final @Nullable DeltaEncoder deltas;
    /** What was sent last, if there are differences. */
    private @Nullable Publication base;

    private @Nullable Held held;
    private long skipped;
    private long skippedPresence;
    private boolean isAwaiting;
    private boolean isTimed;

    Outgoing(Reader reader, Port port, ChannelRules rules, @Nullable DeltaEncoder deltas) {
        this.reader = reader;
        this.port = port;
        this.channel = reader.channel;
        this.deltas = deltas;
        DeliveryClass.Kind kind = rules.delivery().kind();
        this.isEphemeral = kind == DeliveryClass.Kind.EPHEMERAL;
        this.mayLeaveOut = isEphemeral || !rules.isRetained();
        if (kind == DeliveryClass.Kind.SAMPLED || kind == DeliveryClass.Kind.STATE) {
            this.held = new Conflation(rules.delivery());
        }
    }

    // ---- the form

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

    // ---- writing

    /** Tells whether the next publication may be written now. */
    boolean mayWrite() {
        Held waiting = held;
        if (waiting == null) {
            return hasRoom();
        }
        long now = nanos();
        if (!waiting.isHolding() && waiting.nanosUntilDue(now) == 0 && hasRoom()) {
            waiting.sent(now);
            return true;
        }
        return false;
    }

    /** Writes a publication that many share. */
    void write(Frame frame, Publication publication) {
        port.outlet().write(channel, frame, publication);
        port.written();
        sent(publication);
    }

    /** Takes a publication that was caught up; there is room. */
    void take(Publication publication) {
        if (held != null) {
            drop(held.reason(), held.hold(publication));
        } else {
            writeAlone(publication);
        }
    }

    private void writeAlone(Publication publication) {
        Frame frame = Lane.encodeOrNull(encoder(), channel, publication);
        if (frame == null) {
            port.outlet().disconnect(DisconnectReason.INAPPROPRIATE_PROTOCOL);
            return;
        }
        try {
            write(frame, publication);
        } finally {
            frame.release();
        }
    }

    /** Takes note of what went out with the answer to the subscribe. */
    void answeredWith(List<Publication> missed) {
        if (!missed.isEmpty()) {
            sent(missed.get(missed.size() - 1));
        }
    }

    private void sent(Publication publication) {
        if (deltas != null) {
            base = publication;
        }
    }

    /** Tells that the run is broken; returns false if the client cannot be told that way. */
    boolean reset(Resume.Reset reset) {
        skipped = 0; // the reset says it; of joins and leaves it says nothing
        base = null;
        if (held instanceof Conflation conflation) {
            conflation.clear();
        } else {
            held = null;
        }
        if (port.outlet().reset(channel, reset)) {
            port.written();
            return true;
        }
        return false;
    }

    // ---- room

    /** Tells whether there is room to write; what was left out before is told first. */
    boolean hasRoom() {
        if ((skipped > 0 || skippedPresence > 0) && port.hasRoom()) {
            port.outlet().skipped(channel, skipped, skippedPresence);
            skipped = 0;
            skippedPresence = 0;
            port.written();
        }
        return port.hasRoom();
    }

    /** Has the reader go on when there is room. */
    void awaitRoom() {
        if (!isAwaiting) {
            isAwaiting = true;
            port.await(reader);
        }
    }

    /** The reader's turn in the line for room has come. */
    void resumed() {
        isAwaiting = false;
    }

    // ---- holding back, and leaving out

    /** Tells whether the subscription leaves out what it has no room for, rather than catch up from the log. */
    boolean mayLeaveOut() {
        return mayLeaveOut;
    }

    /** Holds a publication back for which there is no room now, unless it is to be caught up. */
    boolean hold(Publication publication) {
        Held where = held;
        if (where == null) {
            if (!mayLeaveOut) {
                return false;
            }
            where = new Backlog(isEphemeral ? DropReason.EPHEMERAL : DropReason.NOT_RETAINED);
            held = where;
        }
        drop(where.reason(), where.hold(publication));
        flushHeld();
        return true;
    }

    /** Leaves out a publication that is not retained, for which there is no room. */
    void leaveOut() {
        drop(DropReason.NOT_RETAINED, 1);
        skipped++;
        awaitRoom();
    }

    /** Leaves out a join or leave for which there is no room. */
    void leaveOutPresence() {
        drop(DropReason.PRESENCE, 1);
        skippedPresence++;
        awaitRoom();
    }

    /** Takes note that so many were left out, and counted, elsewhere. */
    void leftOut(long publications, long presence) {
        skipped += publications;
        skippedPresence += presence;
        awaitRoom();
        port.queue.add(port::resumeWaiting);
    }

    /** Leaves out what waits; returns how many were left out and not told of. */
    long leaveBacklog() {
        if (!(held instanceof Backlog backlog)) {
            return 0;
        }
        held = null;
        drop(backlog.reason(), backlog.size());
        return backlog.takeSkipped() + backlog.size();
    }

    /** Leaves out what waits, since all of it will be caught up, and keeps the count. */
    void leaveBacklogBehind() {
        skipped += leaveBacklog();
    }

    /** Lets go of what is held: the subscription is over. */
    void end() {
        held = null;
    }

    /** Goes on with what is held, as far as there is room and it is due. */
    void flushHeld() {
        Held waiting = held;
        if (waiting == null || !waiting.isHolding()) {
            return;
        }
        long now = nanos();
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
            writeAlone(waiting.take());
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
        reader.hub()
                .time
                .schedule(
                        Duration.ofNanos(nanos),
                        () -> port.queue.add(() -> {
                            isTimed = false;
                            if (reader.isLive()) {
                                flushHeld();
                            }
                        }));
    }

    void drop(DropReason reason, long count) {
        if (count > 0) {
            reader.hub().listener.onDrop(channel, reason, count);
        }
    }

    private long nanos() {
        return reader.hub().time.nanos();
    }
}
