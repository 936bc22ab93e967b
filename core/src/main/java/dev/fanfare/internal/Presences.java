package dev.fanfare.internal;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.FanfareListener;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.PresenceStore.Departure;
import dev.fanfare.spi.Store;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * Keeps this node's lease, its members under it, and announces who joined and left.
 *
 * <p><i>State.</i> The entries of this node's own connections, so that they can be entered again should
 * the lease have run out while the store could not be reached.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Ordering.</i> What concerns one connection in one channel reaches the store in the order in which it
 * happened here: the next call is made when the store has answered the one before, also where whoever asked
 * has given up waiting, since a call that is late may still come to pass. Only one that is not answered for
 * {@link #PATIENCE} is passed by.
 *
 * <p><i>Bounds.</i> One entry per subscription to a channel with presence, and one per subscription that ended and
 * could not be taken out while the lease lasts. A sweep hands out at most
 * {@link #SWEEP} departures and goes on at once while it finds that many.
 */
final class Presences {

    /** Heartbeats within the time of a lease. */
    private static final int BEATS = 3;

    private static final Duration SWEEP_PAUSE = Duration.ofSeconds(1);
    private static final Duration LEAVE_PAUSE = Duration.ofSeconds(5);
    /** After so long without an answer a call to the store is taken for lost, and the next one is made. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private static final int SWEEP = 256;

    private record Place(ChannelId channel, String connection) {}

    /** One connection in one channel, and how far its way in has come. */
    private static final class Entry {
        final Member member;
        final Duration grace;
        /** What the store has answered, however late. */
        final CompletableFuture<Boolean> entered = new CompletableFuture<>();

        volatile boolean isAnnounced;

        Entry(Member member, Duration grace) {
            this.member = member;
            this.grace = grace;
        }
    }

    private record Overdue(Entry entry, Duration grace) {}

    private final String node;
    private final PresenceStore store;
    private final Bus bus;
    private final Calls calls;
    private final TimeSource time;
    private final EventLog log;
    private final FanfareListener listener;
    private final Duration lease;
    private final Map<Place, Entry> mine = new ConcurrentHashMap<>();
    /** The last call under way per place. */
    private final Map<Place, CompletableFuture<Void>> lines = new ConcurrentHashMap<>();

    /** Who could not be taken out, and is to be; while our lease lasts, for without it nobody is in. */
    private final Map<Place, Overdue> overdue = new ConcurrentHashMap<>();

    private final AtomicBoolean willTakeOut = new AtomicBoolean();
    /** When the lease was renewed last; see {@code TimeSource.nanos()}. */
    private volatile long renewedAt;

    private volatile boolean isClosed;

    Presences(
            String node,
            Store store,
            Calls calls,
            TimeSource time,
            EventLog log,
            FanfareListener listener,
            Duration lease) {
        this.node = node;
        this.store = store.presence();
        this.bus = store.bus();
        this.calls = calls;
        this.time = time;
        this.log = log;
        this.listener = listener;
        this.renewedAt = time.nanos();
        this.lease = lease;
    }

    /** Takes the lease, and keeps it from now on. */
    void start() {
        beat();
        time.schedule(SWEEP_PAUSE, this::sweep);
    }

    /** Enters a connection; completes with whether the user joined by this. */
    CompletionStage<Boolean> enter(ChannelId channel, Member member, ChannelRules rules) {
        Place place = new Place(channel, member.connection());
        Entry entry = new Entry(rules.countsConnections() ? member.alone() : member, rules.presenceGrace());
        mine.put(place, entry);
        inTurn(place, () -> enter(place, entry)).whenComplete((joined, failure) -> {
            if (failure == null) {
                entry.entered.complete(joined);
            } else {
                entry.entered.completeExceptionally(failure);
            }
        });
        return calls.store("presence in " + channel, () -> entry.entered);
    }

    private CompletionStage<Boolean> enter(Place place, Entry entry) {
        return change(place, () -> store.enter(node, place.channel, entry.member, entry.grace));
    }

    private CompletionStage<Boolean> change(Place place, Supplier<CompletionStage<Boolean>> call) {
        return calls.store("presence in " + place.channel, PATIENCE, call);
    }

    /** Announces that the user joined; once the subscription is live, if {@link #enter} said so. */
    void announceJoin(ChannelId channel, Member member) {
        Entry entry = mine.get(new Place(channel, member.connection()));
        if (entry != null) {
            entry.isAnnounced = true;
            announce(channel, new PresenceEvent(PresenceEvent.Kind.JOIN, member));
        }
    }

    /**
     * Takes a connection out once it is in, and announces it if the user left by this. A user whose join
     * was never announced leaves at once and in silence.
     */
    void leave(ChannelId channel, Member member, Duration grace) {
        Place place = new Place(channel, member.connection());
        Entry entry = mine.remove(place);
        if (entry != null) {
            inTurn(place, () -> leave(place, entry, grace));
        }
    }

    private CompletionStage<Boolean> leave(Place place, Entry entry, Duration grace) {
        boolean hasEntered = !entry.entered.isCompletedExceptionally();
        boolean isUnseen = hasEntered && entry.entered.getNow(false) && !entry.isAnnounced;
        Duration patience = hasEntered && !isUnseen ? grace : Duration.ZERO;
        return change(place, () -> store.leave(place.channel, entry.member, patience))
                .whenComplete((left, failure) -> {
                    if (failure != null) {
                        log.presenceFailed("a leave", failure);
                        takeOutLater(place, entry, grace);
                    } else if (left && hasEntered && !isUnseen) {
                        announce(place.channel, new PresenceEvent(PresenceEvent.Kind.LEAVE, entry.member));
                    } else if (!left && isUnseen) {
                        // Another connection of the user came meanwhile, and relied on this one's join.
                        announce(place.channel, new PresenceEvent(PresenceEvent.Kind.JOIN, entry.member));
                    }
                });
    }

    private void takeOutLater(Place place, Entry entry, Duration grace) {
        overdue.put(place, new Overdue(entry, grace));
        if (!isClosed && willTakeOut.compareAndSet(false, true)) {
            time.schedule(LEAVE_PAUSE, this::takeOut);
        }
    }

    private void takeOut() {
        willTakeOut.set(false);
        if (isClosed || time.nanos() - renewedAt > lease.toNanos()) {
            overdue.clear(); // the lease has run out, and the store lets all that was under it leave by itself
            return;
        }
        Map.copyOf(overdue).forEach((place, late) -> {
            overdue.remove(place, late);
            inTurn(place, () -> leaveAgain(place, late));
        });
    }

    private CompletionStage<Boolean> leaveAgain(Place place, Overdue late) {
        return mine.containsKey(place)
                ? CompletableFuture.completedFuture(false)
                : leave(place, late.entry, late.grace);
    }

    /** Makes the calls that concern one place one after the other, however long the store takes. */
    @CanIgnoreReturnValue
    private CompletionStage<Boolean> inTurn(Place place, Supplier<CompletionStage<Boolean>> call) {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        CompletableFuture<Void> done = new CompletableFuture<>();
        CompletableFuture<Void> before = lines.put(place, done);
        Runnable turn = () -> call.get().whenComplete((value, failure) -> {
            if (failure == null) {
                answer.complete(value);
            } else {
                answer.completeExceptionally(failure);
            }
            lines.remove(place, done);
            done.complete(null);
        });
        if (before == null) {
            turn.run();
        } else {
            before.thenRun(turn);
        }
        return answer;
    }

    CompletionStage<PresenceSnapshot> snapshot(ChannelId channel, int limit) {
        return calls.store("presence in " + channel, () -> store.snapshot(channel, limit));
    }

    /** Gives the lease up; members leave with their grace. */
    CompletionStage<Void> close() {
        isClosed = true;
        return calls.store("end of the lease", () -> store.retire(node));
    }

    private void announce(ChannelId channel, PresenceEvent event) {
        listener.onPresence(channel, event);
        calls.store("announcement to " + channel, () -> bus.announce(new Announcement.Presence(channel, event)))
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        log.presenceFailed("an announcement, which is lost,", failure);
                    }
                });
    }

    private void beat() {
        if (isClosed) {
            return;
        }
        calls.store("lease", () -> store.renew(node, lease)).whenComplete((held, failure) -> {
            if (failure != null) {
                log.presenceFailed("the lease", failure);
                return;
            }
            renewedAt = time.nanos();
            if (!held) {
                overdue.clear();
                mine.forEach(this::enterAgain);
            }
        });
        time.schedule(lease.dividedBy(BEATS), this::beat);
    }

    private void enterAgain(Place place, Entry entry) {
        inTurn(place, () -> mine.get(place) == entry ? enter(place, entry) : CompletableFuture.completedFuture(false))
                .whenComplete((joined, failure) -> {
                    if (failure != null) {
                        log.presenceFailed("a return", failure);
                        time.schedule(LEAVE_PAUSE, () -> {
                            if (!isClosed && mine.get(place) == entry) {
                                enterAgain(place, entry);
                            }
                        });
                    } else if (joined) {
                        announceJoin(place.channel, entry.member);
                    }
                });
    }

    private void sweep() {
        if (isClosed) {
            return;
        }
        calls.store("sweep of presence", () -> store.sweep(SWEEP)).whenComplete((departures, failure) -> {
            if (failure != null) {
                log.presenceFailed("a sweep", failure);
            } else {
                announceAll(departures);
            }
            boolean isMore = failure == null && departures.size() == SWEEP;
            time.schedule(isMore ? Duration.ZERO : SWEEP_PAUSE, this::sweep);
        });
    }

    private void announceAll(List<Departure> departures) {
        for (Departure departure : departures) {
            announce(departure.channel(), new PresenceEvent(PresenceEvent.Kind.LEAVE, departure.member()));
        }
    }
}
