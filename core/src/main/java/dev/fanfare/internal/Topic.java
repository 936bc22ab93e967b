package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Durability;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.Resume;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.spi.ChannelView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One channel on this node: it turns announcements, which may be lost, repeated or late, into one
 * unbroken run, and hands each publication once to each event loop that has subscribers.
 *
 * <p>An announcement comes in by {@link Intake}. A publication that links to the {@link Run}, by offset and tag, goes
 * on to {@link FanOut}; one that is in the ring is a repetition; anything else makes {@link Repair} read the log, and
 * only if that does not link either are the subscribers reset.
 *
 * <p><i>State.</i> OPENING until the bus watch is effective and the log's head is known; then OPEN; CLOSED when
 * nobody has been here for a while.
 *
 * <p><i>Threads.</i> Confined to its stripe; {@link #announced}, {@link #interrupted}, {@link #join},
 * {@link #left}, {@link #read}, {@link #warm} and {@link #verify} may be called from anywhere and hand over to it.
 * {@link #ring} and {@link #isInDoubt} are read from anywhere.
 *
 * <p><i>Ordering.</i> The stripe keeps the order of announcements; each loop's queue keeps it from there.
 *
 * <p><i>Bounds.</i> Those of {@link Intake}, {@link FanOut}, {@link Repair} and {@link Ring}.
 */
final class Topic implements Bus.Watcher {

    /** What comes as soon as this needs no probe. */
    private static final Duration FRESH = Duration.ofSeconds(5);
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
    /** How many readers the lanes have; theirs. */
    final AtomicInteger readerCount = new AtomicInteger();

    private final Stripe stripe;
    private final Intake intake;
    private final Run run = new Run();
    private final FanOut fanOut;
    private final Repair repair;
    private final Reads reads;
    private final List<Reader> arrivals = new ArrayList<>(1);
    private final List<Runnable> afterWarming = new ArrayList<>(0);
    private final AtomicLong sentCount = new AtomicLong();

    private State state = State.OPENING;
    private volatile Bus.@Nullable Watch watch;
    /** Interruptions that are on their way to the stripe. */
    private final AtomicInteger interruptions = new AtomicInteger();
    /** The base of the next difference, where publications are not logged and the rules allow differences. */
    private @Nullable Publication lastUnlogged;

    private volatile @Nullable Cursor forgotten;
    /** When the last publication was taken that did not come late; see {@code TimeSource.nanos()}. */
    private volatile long newsAt;

    /** How often there was news when a probe was due; the prober's. */
    private int busyProbes;

    /** By how much a publication of the past came least late, as the clocks of here and there tell. */
    private long leastLagMillis = Long.MAX_VALUE;

    private boolean isClosingLater;
    private volatile boolean isComparing;

    Topic(Hub hub, ChannelId channel, ChannelRules rules, Stripe stripe) {
        this.hub = hub;
        this.channel = channel;
        this.rules = rules;
        this.stripe = stripe;
        this.intake = new Intake(this, stripe);
        this.fanOut = new FanOut(hub, channel, stripe, run);
        this.repair = new Repair(this, stripe, run);
        this.reads = new Reads(hub, stripe);
        this.newsAt = hub.time.nanos() - FRESH.toNanos();
    }

    // ---- opening and closing

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
        run.beginAfter(head);
        state = State.OPEN;
        List<Reader> early = List.copyOf(arrivals);
        arrivals.clear();
        early.forEach(reader -> fanOut.place(this, reader));
        if (repair.isWanted()) {
            repair.begin();
        }
        closeIfEmpty();
    }

    private void failOpening(@Nullable Throwable failure) {
        hub.log.openFailed(channel, failure);
        close(Refusal.UNAVAILABLE);
    }

    private boolean isEmpty() {
        return fanOut.isEmpty() && arrivals.isEmpty();
    }

    private void closeIfEmpty() {
        if (isEmpty() && !isClosingLater) {
            isClosingLater = true;
            hub.closeLater(this);
        }
    }

    /** Closes if there is still nobody. */
    void closeIfIdle() {
        stripe.execute(() -> {
            isClosingLater = false;
            if (state == State.OPEN && isEmpty()) {
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
        Bus.Watch effective = watch;
        if (effective != null) {
            effective.close();
        }
        hub.remove(this);
        arrivals.forEach(reader -> reader.port.queue.add(() -> reader.refuse(answer)));
        arrivals.clear();
        repair.release(false);
    }

    boolean isOpen() {
        return state == State.OPEN;
    }

    // ---- readers come and go

    /** Takes in a reader; one that comes to a closed topic is sent to the hub again. */
    void join(Reader reader) {
        stripe.execute(() -> {
            switch (state) {
                case OPENING -> arrivals.add(reader);
                case OPEN -> fanOut.place(this, reader);
                case CLOSED -> hub.join(reader);
            }
        });
    }

    /** Takes note that a reader has left its lane. */
    void left(Lane lane) {
        stripe.execute(() -> {
            fanOut.left(lane);
            closeIfEmpty();
        });
    }

    // ---- announcements become one run

    @Override
    public void announced(Announcement announcement) {
        intake.offer(announcement);
    }

    @Override
    public void interrupted() {
        interruptions.incrementAndGet();
        stripe.execute(() -> {
            compare();
            interruptions.decrementAndGet();
        });
    }

    /** Takes an announcement; on the stripe. */
    void receive(Announcement announcement) {
        if (state == State.CLOSED) {
            return;
        }
        if (announcement instanceof Announcement.Published published) {
            receive(published.publication());
        } else if (announcement instanceof Announcement.Moved) {
            repair.begin();
        } else if (announcement instanceof Announcement.Presence presence) {
            fanOut.send(presence.event());
        }
    }

    private void receive(Publication publication) {
        if (!publication.isLogged()) {
            sendUnlogged(publication);
        } else if (state == State.OPENING) {
            repair.want();
        } else if (run.isNext(publication)) {
            take(publication);
        } else if (!run.ring().holds(publication)) {
            repair.takeUnlinked(publication);
        }
    }

    /** Takes the publication that comes next, and sends it on; on the stripe. */
    void take(Publication publication) {
        if (isFresh(publication)) {
            newsAt = hub.time.nanos(); // what comes later than that says nothing of the tail
        }
        run.add(publication);
        Publication previous = rules.allowsDeltas() ? run.ring().at(publication.offset() - 1) : null;
        send(publication, previous);
    }

    /** Tells whether it comes no later than others did: whoever stamped it may have another time than this node. */
    private boolean isFresh(Publication publication) {
        long lagMillis = hub.time.millis() - publication.timeMillis();
        leastLagMillis = Math.min(leastLagMillis, lagMillis);
        return lagMillis - leastLagMillis <= FRESH.toMillis();
    }

    private void sendUnlogged(Publication publication) {
        Publication previous = lastUnlogged;
        if (rules.allowsDeltas()) {
            lastUnlogged = publication;
        }
        send(publication, previous);
    }

    private void send(Publication publication, @Nullable Publication previous) {
        sentCount.incrementAndGet();
        fanOut.send(publication, previous);
    }

    /** Begins a new run after a break, and says so to everybody; on the stripe. */
    void reset(Resume.Reset reset) {
        run.beginAfter(reset.position());
        fanOut.reset(reset);
    }

    /** Takes note that announcements were lost that no log has; on the stripe. */
    void passOver(long publications, long events) {
        fanOut.passOver(publications, events);
    }

    // ---- comparing with the log

    /** Compares with the log; on the stripe. */
    void repair() {
        repair.begin();
    }

    /**
     * Tells whether the ring may hold what the log does not know any more: announcements do not come, or may have been lost,
     * and the log was not looked at since.
     */
    boolean isInDoubt() {
        return !isHeard() || interruptions.get() > 0 || isComparing || !repair.isSettled();
    }

    /** Tells whether what the ring holds is still in the log, even if nobody can look: it may be old, and is not wrong. */
    boolean isLogDurable() {
        return hub.isLogDurable() && rules.durability() == Durability.SYNC;
    }

    private boolean isHeard() {
        Bus.Watch effective = watch;
        try {
            return effective != null && effective.isEffective();
        } catch (RuntimeException broken) {
            return false;
        }
    }

    /** Looks at the log now, and tells on the loop when position and log agree, or that they could not be compared. */
    void verify(LoopQueue queue, Consumer<Boolean> then) {
        Consumer<Boolean> onLoop = isVerified -> queue.add(() -> then.accept(isVerified));
        stripe.execute(() -> {
            if (state == State.CLOSED) {
                onLoop.accept(false);
            } else {
                repair.begin(onLoop);
            }
        });
    }

    /** Compares with the log, unless something has come just now: then more would have shown a hole. */
    void probe() {
        boolean isQuiet = hub.time.nanos() - newsAt > FRESH.toNanos();
        if (isQuiet || ++busyProbes % BUSY_PROBES == 0) {
            stripe.execute(this::compare);
        }
    }

    /**
     * Looks with one small read whether there is anything to repair, and whether the log has lost what the ring still
     * holds: a node that could not be told of a removed history is not to show it for ever.
     */
    private void compare() {
        long oldest = run.ring().oldest();
        if (state != State.OPEN || isComparing || oldest > run.ring().top()) {
            repair.begin(); // the ring holds nothing, or what is being read may be of before
            return;
        }
        isComparing = true;
        String epoch = run.position().epoch();
        hub.readForRepair(
                LogRead.after(channel, oldest - 1, 1),
                (page, failure) -> stripe.execute(() -> {
                    compared(oldest, epoch, page);
                    isComparing = false;
                }));
    }

    private void compared(long oldest, String epoch, @Nullable LogPage page) {
        if (page != null && page.head().epoch().equals(epoch)) { // a new life is for the repair to see
            List<Publication> first = page.publications();
            if (first.isEmpty()) {
                forget(page.head());
            } else if (first.get(0).offset() > oldest) {
                forget(Positions.before(first.get(0)));
            }
        }
        if (page == null || !page.head().equals(run.position())) {
            repair.begin();
        }
    }

    // ---- what readers read

    /** Returns the newest publications of the channel's present life. */
    Ring ring() {
        return run.ring();
    }

    /** Reads the log for a reader; readers that want the same share one read. */
    void read(LogRead read, LoopQueue queue, BiConsumer<@Nullable LogPage, @Nullable Throwable> then) {
        reads.read(read, queue, then);
    }

    /**
     * Fills the ring with what the log still has from before this topic was opened, and then runs the task
     * on the loop. However many readers come back at once, on whatever cursors, this is one read.
     */
    void warm(LoopQueue queue, Runnable then) {
        stripe.execute(() -> {
            if (run.ring().isWarm()) {
                queue.add(then);
                return;
            }
            afterWarming.add(() -> queue.add(then));
            if (afterWarming.size() == 1) {
                int count = Math.min(rules.retainedCount(), Ring.MOST_SLOTS);
                hub.readForReaders(
                        LogRead.newest(channel, count), (page, failure) -> stripe.execute(() -> warmed(page)));
            }
        });
    }

    private void warmed(@Nullable LogPage page) {
        if (page != null) {
            run.prepend(page.publications());
        }
        run.ring().warmed(); // also if it failed: the readers then ask for themselves, and say what is wrong
        List<Runnable> tasks = List.copyOf(afterWarming);
        afterWarming.clear();
        tasks.forEach(Runnable::run);
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

    // ---- what operators see

    /** Returns how many readers there are. */
    int readers() {
        return readerCount.get();
    }

    ChannelView view() {
        return new ChannelView(channel, readers(), sentCount.get());
    }
}
