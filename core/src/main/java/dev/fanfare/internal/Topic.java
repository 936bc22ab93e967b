package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.DropReason;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.spi.ChannelView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One channel on this node: it turns announcements, which may be lost, repeated or late, into one
 * unbroken run, and hands each publication once to each event loop that has subscribers.
 *
 * <p><i>State.</i> OPENING until the bus watch is effective and the log's head is known; then OPEN, with
 * the position reached; CLOSED when nobody has been here for a while. A publication that links to the
 * position, by offset and tag, is delivered. One that is in the ring is a repetition. Anything else makes
 * the topic read the log ({@link #repair}, one read at a time), and only if that does not link either are
 * the subscribers reset.
 *
 * <p><i>Threads.</i> Confined to its stripe; {@link #announced}, {@link #interrupted}, {@link #join},
 * {@link #left}, {@link #read} and {@link #verify} may be called from anywhere and hand over to it.
 * {@link #ring} is read from anywhere.
 *
 * <p><i>Ordering.</i> The stripe keeps the order of announcements; each loop's queue keeps it from there.
 * The ring is written before a publication is handed to the lanes, so a lane's position is never beyond
 * the ring.
 *
 * <p><i>Bounds.</i> Announcements of at most {@link #MAX_IN_FLIGHT_BYTES} wait for the stripe, each counted as
 * {@link #LEAST_BYTES} at least; more are dropped, counted, and repaired from the log. As many as a ring holds wait for the end of a repair; for more there is
 * another one.
 */
final class Topic implements Bus.Watcher {

    private static final long MAX_IN_FLIGHT_BYTES = 32L * 1024 * 1024;
    /** So that there are at most 4,096. */
    private static final int LEAST_BYTES = 8 * 1024;

    private static final int REPAIR_PAGE = 1000;
    /** Of the probes of a channel with news, so many make one comparison with the log, about every nine minutes. */
    private static final int BUSY_PROBES = 16;

    private enum State {
        OPENING,
        OPEN,
        CLOSED
    }

    final Hub hub;
    final ChannelId channel;
    final ChannelRules rules;
    private final Stripe stripe;
    private final Map<LoopQueue, Lane> lanes = new HashMap<>(2);
    private final AtomicLong inFlightBytes = new AtomicLong();
    private final AtomicLong lostUnlogged = new AtomicLong();
    private final AtomicLong lostPresence = new AtomicLong();
    private final Reads reads;
    private final List<Reader> waiting = new ArrayList<>(1);
    private final List<Runnable> afterRepair = new ArrayList<>(1);
    private final List<Runnable> afterWarming = new ArrayList<>(0);
    private final List<Publication> early = new ArrayList<>(0);

    private State state = State.OPENING;
    private Bus.@Nullable Watch watch;
    private Cursor base = Cursor.of("", 0);
    private @Nullable Publication last;
    /** The base of the next difference, where publications are not logged and the rules allow differences. */
    private @Nullable Publication lastUnlogged;

    /** How many readers the lanes have; theirs. */
    final AtomicInteger readerCount = new AtomicInteger();

    /** How many publications were sent on. */
    private final AtomicLong sentCount = new AtomicLong();

    private volatile @Nullable Cursor forgotten;
    private volatile Ring ring = new Ring(0);
    private volatile boolean isWarm;
    private volatile boolean hasLostAnnouncements;
    private volatile boolean hasNewsSinceProbe;
    /** How often there was news when a probe was due; the prober's. */
    private int busyProbes;

    private boolean isRepairing;
    private boolean isRetrying;
    private boolean isRepairWanted;
    private int earlyBytes;
    private boolean isClosingLater;

    Topic(Hub hub, ChannelId channel, ChannelRules rules, Stripe stripe) {
        this.hub = hub;
        this.channel = channel;
        this.rules = rules;
        this.stripe = stripe;
        this.reads = new Reads(hub, stripe);
    }

    // ---- coming and going

    /** Begins to watch the channel, for a first reader, who shares its fate; called once. */
    void open(Reader first) {
        join(first);
        hub.watch(channel, this)
                .whenComplete((effective, failure) -> stripe.execute(() -> watching(effective, failure)));
    }

    private void watching(Bus.@Nullable Watch effective, @Nullable Throwable failure) {
        if (state == State.CLOSED) {
            if (effective != null) {
                effective.close();
            }
            return;
        }
        if (effective == null) {
            failOpening(failure);
            return;
        }
        watch = effective;
        if (!rules.isRetained()) {
            opened(Cursor.of("", 0));
            return;
        }
        hub.read(LogRead.head(channel))
                .whenComplete((page, broken) -> stripe.execute(() -> {
                    if (state == State.CLOSED) {
                        return;
                    }
                    if (page == null) {
                        failOpening(broken);
                    } else {
                        opened(page.head());
                    }
                }));
    }

    private void opened(Cursor head) {
        base = head;
        ring = new Ring(head.offset());
        state = State.OPEN;
        List<Reader> arrivals = List.copyOf(waiting);
        waiting.clear();
        arrivals.forEach(this::place);
        if (isRepairWanted) {
            repair();
        }
        closeIfEmpty();
    }

    private void failOpening(@Nullable Throwable failure) {
        hub.log.openFailed(channel, failure);
        close(Refusal.UNAVAILABLE);
    }

    /** Takes in a reader; one that comes to a closed topic is sent to the hub again. */
    void join(Reader reader) {
        stripe.execute(() -> {
            switch (state) {
                case OPENING -> waiting.add(reader);
                case OPEN -> place(reader);
                case CLOSED -> hub.join(reader);
            }
        });
    }

    private void place(Reader reader) {
        Lane lane = lanes.computeIfAbsent(reader.port.queue, queue -> new Lane(this, queue, position()));
        lane.attached++;
        lane.queue.add(() -> reader.attach(lane));
    }

    /** Takes note that a reader has left its lane. */
    void left(Lane lane) {
        stripe.execute(() -> {
            lane.attached--;
            if (lane.attached == 0) {
                lanes.remove(lane.queue, lane);
                closeIfEmpty();
            }
        });
    }

    private void closeIfEmpty() {
        if (lanes.isEmpty() && waiting.isEmpty() && !isClosingLater) {
            isClosingLater = true;
            hub.closeLater(this);
        }
    }

    /** Closes if there is still nobody. */
    void closeIfIdle() {
        stripe.execute(() -> {
            isClosingLater = false;
            if (state == State.OPEN && lanes.isEmpty() && waiting.isEmpty()) {
                close(Refusal.CLOSED);
            }
        });
    }

    /** Closes in any case: Fanfare is being closed. */
    void shutDown() {
        stripe.execute(() -> close(Refusal.CLOSED));
    }

    private void close(Refusal answer) {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        if (watch != null) {
            watch.close();
        }
        hub.remove(this);
        waiting.forEach(reader -> reader.port.queue.add(() -> reader.refuse(answer)));
        waiting.clear();
        runAfterRepair();
    }

    // ---- announcements

    @Override
    public void announced(Announcement announcement) {
        int bytes = bytesOf(announcement);
        if (inFlightBytes.addAndGet(bytes) > MAX_IN_FLIGHT_BYTES) {
            inFlightBytes.addAndGet(-bytes);
            lose(announcement);
        } else {
            stripe.execute(() -> {
                inFlightBytes.addAndGet(-bytes);
                receive(announcement);
            });
        }
    }

    private static int bytesOf(Announcement announcement) {
        return announcement instanceof Announcement.Published published
                ? Math.max(LEAST_BYTES, published.publication().data().size())
                : LEAST_BYTES;
    }

    @Override
    public void interrupted() {
        stripe.execute(() -> {
            repair();
            compareRing();
        });
    }

    private void lose(Announcement announcement) {
        boolean isLogged = announcement instanceof Announcement.Published published
                && published.publication().isLogged();
        if (isLogged || announcement instanceof Announcement.Moved) {
            if (!hasLostAnnouncements) {
                hasLostAnnouncements = true;
                stripe.execute(this::repairLost);
            }
        } else if (announcement instanceof Announcement.Presence) {
            hub.listener.onDrop(channel, DropReason.PRESENCE, 1);
            lose(lostPresence);
        } else {
            hub.listener.onDrop(channel, DropReason.NOT_RETAINED, 1);
            lose(lostUnlogged);
        }
    }

    private void lose(AtomicLong count) {
        if (count.getAndIncrement() == 0) {
            stripe.execute(this::tellLost);
        }
    }

    private void tellLost() {
        long publications = lostUnlogged.getAndSet(0);
        long events = lostPresence.getAndSet(0);
        lanes.values().forEach(lane -> passOver(lane, publications, events));
    }

    private void repairLost() {
        hasLostAnnouncements = false;
        repair();
    }

    private void receive(Announcement announcement) {
        if (state == State.CLOSED) {
            return;
        }
        if (announcement instanceof Announcement.Published published) {
            receive(published.publication());
        } else if (announcement instanceof Announcement.Moved) {
            repair();
        } else if (announcement instanceof Announcement.Presence presence) {
            send(presence);
        }
    }

    private void receive(Publication publication) {
        if (!publication.isLogged()) {
            send(publication);
        } else if (state == State.OPENING) {
            isRepairWanted = true;
        } else if (isNext(publication)) {
            take(publication);
        } else if (!ring.holds(publication)) {
            if (isRepairing || isRetrying) {
                keepEarly(publication);
            } else {
                repair();
            }
        }
    }

    private void take(Publication publication) {
        hasNewsSinceProbe = true;
        last = publication;
        ring.add(publication);
        send(publication);
    }

    private boolean isNext(Publication publication) {
        Publication before = last;
        return before == null
                ? publication.follows(base)
                : publication.offset() == before.offset() + 1
                        && publication.previousTag() == before.tag()
                        && publication.epoch().equals(before.epoch());
    }

    private Cursor position() {
        Publication newest = last;
        return newest == null ? base : newest.cursor();
    }

    // ---- fan-out

    private void send(Publication publication) {
        sentCount.incrementAndGet();
        Publication previous = rules.allowsDeltas() ? previous(publication) : null;
        int count = lanes.size();
        if (count == 0) {
            return;
        }
        Broadcast broadcast = Broadcast.of(channel, publication, previous, count, hub.time.nanos());
        for (Lane lane : lanes.values()) {
            if (lane.isBehind
                    || !lane.queue.offer(
                            new Delivery(lane, broadcast, publication),
                            publication.data().size())) {
                broadcast.done();
                overflow(lane, publication);
            }
        }
    }

    /** Returns what differences to this publication are based on; null if it is not at hand. */
    private @Nullable Publication previous(Publication publication) {
        if (publication.isLogged()) {
            return ring.at(publication.offset() - 1);
        }
        Publication before = lastUnlogged;
        lastUnlogged = publication;
        return before;
    }

    private void send(Announcement.Presence presence) {
        int count = lanes.size();
        if (count == 0) {
            return;
        }
        Broadcast broadcast = Broadcast.of(channel, presence.event(), count);
        for (Lane lane : lanes.values()) {
            if (!lane.queue.offer(() -> lane.deliverPresence(broadcast), 0)) {
                broadcast.done();
                hub.listener.onDrop(channel, DropReason.PRESENCE, lane.attached);
                passOver(lane, 0, 1);
            }
        }
    }

    private record Delivery(Lane lane, Broadcast broadcast, Publication publication) implements Runnable {
        @Override
        public void run() {
            lane.queue.release(publication.data().size());
            lane.deliver(broadcast, publication);
        }
    }

    /** The loop is too far behind: it gets nothing pushed until it has come to where we are then. */
    private void overflow(Lane lane, Publication publication) {
        if (!publication.isLogged()) {
            hub.listener.onDrop(channel, DropReason.NOT_RETAINED, lane.attached);
        }
        passOver(lane, publication.isLogged() ? 0 : 1, 0);
    }

    private void passOver(Lane lane, long publications, long events) {
        lane.missed += publications;
        lane.missedPresence += events;
        if (!lane.isBehind) {
            lane.isBehind = true;
            lane.queue.add(() -> stripe.execute(() -> catchUp(lane)));
        }
    }

    private void catchUp(Lane lane) {
        lane.isBehind = false;
        Cursor reached = position();
        long publications = lane.missed;
        long events = lane.missedPresence;
        lane.missed = 0;
        lane.missedPresence = 0;
        lane.queue.add(() -> lane.skipTo(reached, publications, events));
    }

    // ---- repair from the log

    /** Looks at the log now, and runs the task on the loop when position and log agree. */
    void verify(LoopQueue queue, Runnable then) {
        stripe.execute(() -> {
            afterRepair.add(() -> queue.add(then));
            repair();
        });
    }

    /** Compares with the log, unless it has brought something since the last time. */
    void probe() {
        boolean isQuiet = !hasNewsSinceProbe;
        hasNewsSinceProbe = false;
        if (isQuiet) {
            stripe.execute(this::repair);
        }
        if (isQuiet || ++busyProbes % BUSY_PROBES == 0) {
            stripe.execute(this::compareRing);
        }
    }

    private void repair() {
        if (state != State.OPEN || !rules.isRetained()) {
            isRepairWanted = true;
            if (state == State.OPEN) {
                finishRepair();
            }
            return;
        }
        if (isRepairing || isRetrying) {
            isRepairWanted = true;
            return;
        }
        isRepairing = true;
        isRepairWanted = false;
        Cursor asked = position();
        hub.readForRepair(
                LogRead.after(channel, asked.offset(), REPAIR_PAGE),
                (page, failure) -> stripe.execute(() -> repaired(asked, page, failure)));
    }

    private void repaired(Cursor asked, @Nullable LogPage page, @Nullable Throwable failure) {
        isRepairing = false;
        if (state == State.CLOSED) {
            return;
        }
        if (page == null) {
            hub.log.repairFailed(channel, requireNonNull(failure));
            isRetrying = true;
            hub.retryRepair(this);
            runAfterRepair(); // those who wait have their own patience
            return;
        }
        ResetReason broken = Positions.judge(asked, page);
        if (broken == null) {
            takeAll(page);
        } else if (asked.equals(position())) {
            hub.listener.onRepair(channel, true);
            reset(new Resume.Reset(broken, page.head()));
        } else {
            isRepairWanted = true; // announcements moved the position on meanwhile, and the page is of before
        }
        takeEarly();
        if (isRepairWanted || isBehind(page.head())) {
            repair();
        } else {
            finishRepair();
        }
    }

    /** Tries again, a while after the log could not be read. */
    void retryRepair() {
        stripe.execute(() -> {
            isRetrying = false;
            repair();
        });
    }

    /** Takes what the position does not have yet; announcements may have brought some of it meanwhile. */
    private void takeAll(LogPage page) {
        boolean hasTaken = false;
        for (Publication publication : page.publications()) {
            if (isNext(publication)) {
                take(publication);
                hasTaken = true;
            } else if (publication.offset() > position().offset() || ring.contradicts(publication)) {
                isRepairWanted = true;
                break;
            }
        }
        if (hasTaken) {
            hub.listener.onRepair(channel, false);
        }
    }

    private boolean isBehind(Cursor head) {
        Cursor reached = position();
        return head.offset() > reached.offset() || !head.epoch().equals(reached.epoch());
    }

    /** Keeps what comes while the log is being read: it follows what the read brings. */
    private void keepEarly(Publication publication) {
        if (early.size() < Ring.MOST_SLOTS && earlyBytes < Ring.MOST_BYTES) {
            early.add(publication);
            earlyBytes += publication.data().size();
        } else {
            isRepairWanted = true;
        }
    }

    private void takeEarly() {
        for (Publication publication : early) {
            if (isNext(publication)) {
                take(publication);
            } else if (!ring.holds(publication)) {
                isRepairWanted = true;
            }
        }
        early.clear();
        earlyBytes = 0;
    }

    private void finishRepair() {
        isRepairWanted = false;
        runAfterRepair();
    }

    private void runAfterRepair() {
        List<Runnable> tasks = List.copyOf(afterRepair);
        afterRepair.clear();
        tasks.forEach(Runnable::run);
    }

    private void reset(Resume.Reset reset) {
        base = reset.position();
        last = null;
        ring = new Ring(base.offset());
        isWarm = false;
        lanes.values().forEach(lane -> lane.queue.add(() -> lane.reset(reset)));
    }

    // ---- reads for readers

    /** Tells whether the ring reaches back as far as it ever will. */
    boolean isWarm() {
        return isWarm;
    }

    /**
     * Fills the ring with what the log still has from before this topic was opened, and then runs the task
     * on the loop. However many readers come back at once, on whatever cursors, this is one read.
     */
    void warm(LoopQueue queue, Runnable then) {
        stripe.execute(() -> {
            if (isWarm) {
                queue.add(then);
                return;
            }
            afterWarming.add(() -> queue.add(then));
            if (afterWarming.size() == 1) {
                int count = Math.min(rules.retainedCount(), Ring.MOST_SLOTS);
                hub.read(LogRead.newest(channel, count))
                        .whenComplete((page, failure) -> stripe.execute(() -> warmed(page)));
            }
        });
    }

    private void warmed(@Nullable LogPage page) {
        if (page != null) {
            ring.prepend(page.publications(), base);
        }
        isWarm = true; // also if it failed: the readers then ask for themselves, and say what is wrong
        List<Runnable> tasks = List.copyOf(afterWarming);
        afterWarming.clear();
        tasks.forEach(Runnable::run);
    }

    /** Returns how many readers there are. */
    int readers() {
        return readerCount.get();
    }

    /** Returns what operators see of it. */
    ChannelView view() {
        return new ChannelView(channel, readers(), sentCount.get());
    }

    /** Returns the newest publications of the channel's present life. */
    Ring ring() {
        return ring;
    }

    /** Tells whether a publication may still be shown to who begins: the rules keep it, and nobody removed it. */
    boolean isRetained(Publication publication) {
        Cursor removed = forgotten;
        boolean isForgotten = removed != null
                && removed.epoch().equals(publication.epoch())
                && publication.offset() <= removed.offset();
        return !isForgotten
                && hub.time.millis() - publication.timeMillis()
                        < rules.retainedFor().toMillis();
    }

    /** Shows nothing up to there to who begins; who reads already goes on. */
    void forget(Cursor upTo) {
        stripe.execute(() -> {
            Cursor before = forgotten;
            if (before == null || !before.epoch().equals(upTo.epoch()) || before.offset() < upTo.offset()) {
                forgotten = upTo;
            }
        });
    }

    /**
     * Forgets what the log has no more: a node that could not be told of a removed history is not to show it for ever.
     */
    private void compareRing() {
        long oldest = ring.oldest();
        String epoch = position().epoch();
        if (state != State.OPEN || oldest > ring.top()) {
            return;
        }
        hub.readForRepair(LogRead.after(channel, oldest - 1, 1), (page, failure) -> {
            if (page != null && page.head().epoch().equals(epoch)) { // a new life is for the repair to see
                List<Publication> first = page.publications();
                forget(first.isEmpty() ? page.head() : Positions.before(first.get(0)));
            }
        });
    }

    /** Reads the log for a reader; readers that want the same share one read. */
    void read(LogRead read, LoopQueue queue, BiConsumer<@Nullable LogPage, @Nullable Throwable> then) {
        reads.read(read, queue, then);
    }
}
