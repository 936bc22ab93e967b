package dev.fanfare.internal;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.FanfareListener;
import dev.fanfare.StoreException;
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
 * <p>A leave that the store did not take is made again until it answers: only the store knows whether the lease lasts,
 * and our clock does not tell how long a call was under way.
 *
 * <p><i>Bounds.</i> One entry per subscription to a channel with presence, and one per leave that is overdue. While there
 * are {@link #MAX_OVERDUE} of those nobody is entered. A sweep hands out at most
 * {@link #SWEEP} departures and goes on at once while it finds that many.
 */
final class Presences {

    /** Heartbeats within the time of a lease. */
    private static final int BEATS = 3;

    private static final Duration SWEEP_PAUSE = Duration.ofSeconds(1);
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(5);
    /** After so long without an answer a call to the store is taken for lost, and the next one is made. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private static final int SWEEP = 256;
    private static final int MAX_OVERDUE = 10_000;

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

        boolean hasEntered() {
            return !entered.isCompletedExceptionally();
        }

        /** Tells whether its user came by this one, and nobody was told so. */
        boolean isUnseen() {
            return hasEntered() && entered.getNow(false) && !isAnnounced;
        }
    }

    private record Leave(Entry entry, Duration grace, boolean isAgain) {}

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

    /** Who could not be taken out, and is to be. */
    private final Overdue<Place, Leave> leaves;
    /** Who is to be entered again, since the lease may have run out meanwhile. */
    private final Overdue<Place, Entry> returns;
    /** When the last renewal was made that was answered; see {@code TimeSource.nanos()}. */
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
        this.leaves = new Overdue<>(time, RETRY_PAUSE, this::leaveAgain);
        this.returns = new Overdue<>(time, RETRY_PAUSE, this::enterAgain);
    }

    /** Takes the lease, and keeps it from now on. */
    void start() {
        beat();
        time.schedule(SWEEP_PAUSE, this::sweep);
    }

    /** Enters a connection; completes with whether the user joined by this. */
    CompletionStage<Boolean> enter(ChannelId channel, Member member, ChannelRules rules) {
        if (leaves.size() >= MAX_OVERDUE) {
            return CompletableFuture.failedFuture(
                    new StoreException("The presence store is behind; nobody enters " + channel + " now", null, true));
        }
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
        Leave before = leaves.remove(place);
        CompletionStage<Boolean> entered =
                change(place, () -> store.enter(node, place.channel, entry.member, entry.grace));
        boolean owesJoin = before != null && before.entry.isUnseen(); // the store may well have it in still
        return owesJoin ? entered.thenApply(joined -> true) : entered;
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
            inTurn(place, () -> leave(place, new Leave(entry, grace, false)));
        }
    }

    private CompletionStage<Boolean> leave(Place place, Leave leave) {
        Entry entry = leave.entry;
        boolean isUnseen = entry.isUnseen();
        boolean isSeen = entry.hasEntered() && !isUnseen;
        return change(place, () -> store.leave(place.channel, entry.member, isSeen ? leave.grace : Duration.ZERO))
                .whenComplete((left, failure) -> {
                    if (failure != null) {
                        log.presenceFailed("a leave", failure);
                        leaves.add(place, new Leave(entry, leave.grace, true));
                    } else if (left && isSeen) {
                        announce(place.channel, new PresenceEvent(PresenceEvent.Kind.LEAVE, entry.member));
                    } else if (!left && isUnseen && !leave.isAgain) {
                        // Another connection of the user came meanwhile, and relied on this one's join. Of a leave that
                        // is made again nobody knows that: the one before may have come to pass.
                        announce(place.channel, new PresenceEvent(PresenceEvent.Kind.JOIN, entry.member));
                    }
                });
    }

    private CompletionStage<Boolean> leaveAgain(Place place, Leave late) {
        return inTurn(
                place, () -> mine.containsKey(place) ? CompletableFuture.completedFuture(false) : leave(place, late));
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
        leaves.close();
        returns.close();
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
        long now = time.nanos();
        calls.store("lease", () -> store.renew(node, lease)).whenComplete((held, failure) -> {
            if (failure == null) {
                renewed(held, now);
            } else {
                log.presenceFailed("the lease", failure);
            }
        });
        time.schedule(lease.dividedBy(BEATS), this::beat);
    }

    /** Enters everybody again if nobody is in any more: a renewal whose answer was lost may have found the lease run out. */
    private void renewed(boolean isHeld, long madeAt) {
        // One whose answer was lost may have come to the store at any time until now.
        boolean isCertain = isHeld && time.nanos() - renewedAt <= lease.toNanos();
        renewedAt = madeAt;
        if (!isCertain) {
            returns.addAll(mine);
        }
    }

    private CompletionStage<Boolean> enterAgain(Place place, Entry entry) {
        return inTurn(
                        place,
                        () -> mine.get(place) == entry ? enter(place, entry) : CompletableFuture.completedFuture(false))
                .whenComplete((joined, failure) -> {
                    if (failure != null) {
                        log.presenceFailed("a return", failure);
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
