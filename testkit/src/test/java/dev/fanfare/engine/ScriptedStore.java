package dev.fanfare.engine;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Health;
import dev.fanfare.Publication;
import dev.fanfare.StoreException;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * A store whose calls a test answers by hand, and whose log can be cut, set back, or begin a new life. What
 * is not held is answered at once.
 *
 * <p>Not thread-safe: the engine under test runs on the thread of the test.
 */
final class ScriptedStore implements Store {

    /** What to hold until the test answers it. */
    boolean holdsReads;

    boolean holdsWatches;
    boolean holdsAppends;
    boolean holdsHints;
    boolean isBusDown;
    /** Channels whose announcements are known not to come, while others' do. */
    final Set<ChannelId> deaf = new HashSet<>();

    boolean holdsAnnouncements;
    boolean holdsPresence;
    boolean holdsRenewals;
    /** Whether a held read sees the log as it is when it is asked, and not when it is answered. */
    boolean looksWhenAsked;
    /** What fails at once. */
    boolean failsReads;

    boolean failsAppends;
    boolean failsWatches;
    boolean failsAnnouncements;
    boolean failsPresence;
    boolean failsRenewals;
    /** Whether renewals of a lease come to pass, and nobody hears of it. */
    boolean losesRenewals;
    /** Whether appends are refused for want of room. */
    boolean isFull;
    /** By how much the log's clock is behind that of the node. */
    Duration clockBehind = Duration.ZERO;
    /** Whether the log announces what it appends; otherwise the engine does. */
    boolean announcesItself = true;

    boolean isDurable;

    final List<Held<ChannelLog.LogPage>> reads = new ArrayList<>();
    final List<Held<Bus.Watch>> watches = new ArrayList<>();
    final List<Held<ChannelLog.AppendResult>> appends = new ArrayList<>();
    final List<Held<Void>> announcements = new ArrayList<>();
    final List<Held<Boolean>> presenceCalls = new ArrayList<>();
    final List<Held<Boolean>> renewals = new ArrayList<>();
    /** Effective watches, in the order in which they became so. */
    final List<Watching> watching = new ArrayList<>();

    final List<ChannelLog.LogRead> readsAsked = new ArrayList<>();

    private final ManualTime time;
    private final MemoryStore rest;
    private final Map<ChannelId, Life> lives = new HashMap<>();
    private final Log log = new Log();
    private final HintBus bus = new HintBus();
    private final Presence presence = new Presence();
    private int epochs;

    ScriptedStore(ManualTime time) {
        this.time = time;
        this.rest = MemoryStore.create(time);
    }

    /** One call that waits for its answer. */
    static final class Held<T> {
        final String what;
        private final Supplier<T> work;
        private final CompletableFuture<T> answer = new CompletableFuture<>();
        private T seen;
        private boolean hasLooked;

        Held(String what, Supplier<T> work) {
            this.what = what;
            this.work = work;
        }

        /** Does the store's part now; the answer is still on its way. */
        void look() {
            if (!hasLooked) {
                hasLooked = true;
                seen = work.get();
            }
        }

        void answer() {
            look();
            answer.complete(seen);
        }

        void fail() {
            answer.completeExceptionally(new StoreException("scripted failure of " + what, null, true));
        }
    }

    // ---- what happens to a log

    /** Returns the position of the newest publication. */
    Cursor head(String channel) {
        return life(ChannelId.of(channel)).head();
    }

    /** Tells whether the log can prove that nothing is missing after that position. */
    boolean canContinue(String channel, Cursor position) {
        Life life = life(ChannelId.of(channel));
        if (!position.epoch().equals(life.epoch)) {
            return false;
        }
        if (position.offset() == life.top) {
            return position.tag() == life.tag;
        }
        return life.kept.stream().anyMatch(publication -> publication.follows(position));
    }

    /** Forgets all but the newest publications. */
    void trimTo(String channel, int count) {
        Life life = life(ChannelId.of(channel));
        while (life.kept.size() > count) {
            life.kept.removeFirst();
        }
    }

    /** Loses the newest publications, as a failover to a stale replica does; the epoch stays. */
    void loseNewest(String channel, int count) {
        Life life = life(ChannelId.of(channel));
        for (int i = 0; i < count && !life.kept.isEmpty(); i++) {
            Publication lost = life.kept.removeLast();
            life.top = lost.offset() - 1;
            life.tag = lost.previousTag();
        }
    }

    /** Loses everything: the channel begins anew in another epoch. */
    void beginAnew(String channel) {
        lives.remove(ChannelId.of(channel));
    }

    /** Tells all watchers of the channel that announcements may have been lost. */
    void interrupt() {
        List.copyOf(watching).forEach(each -> each.watcher.interrupted());
    }

    private Life life(ChannelId channel) {
        return lives.computeIfAbsent(channel, id -> new Life("e" + ++epochs));
    }

    private static final class Life {
        final String epoch;
        final Deque<Publication> kept = new ArrayDeque<>();
        final Map<String, Cursor> keys = new HashMap<>();
        long top;
        long tag;

        Life(String epoch) {
            this.epoch = epoch;
        }

        Cursor head() {
            return new Cursor(epoch, top, tag);
        }
    }

    // ---- answering

    private <T> CompletionStage<T> call(boolean isHeld, List<Held<T>> line, String what, Supplier<T> work) {
        Held<T> held = new Held<>(what, work);
        if (isHeld) {
            line.add(held);
        } else {
            held.answer();
        }
        return held.answer;
    }

    /** Answers everything that is held and delivers all hints, until there is nothing more. */
    boolean answerAll() {
        boolean didAnything = false;
        boolean goesOn = true;
        while (goesOn) {
            goesOn = answerFirst(appends)
                    | answerFirst(watches)
                    | answerFirst(reads)
                    | answerFirst(announcements)
                    | answerFirst(presenceCalls)
                    | answerFirst(renewals);
            for (Watching each : List.copyOf(watching)) {
                goesOn |= each.deliver();
            }
            didAnything |= goesOn;
        }
        return didAnything;
    }

    private static <T> boolean answerFirst(List<Held<T>> line) {
        if (line.isEmpty()) {
            return false;
        }
        line.remove(0).answer();
        return true;
    }

    // ---- the log

    private final class Log implements ChannelLog {
        @Override
        public CompletionStage<AppendResult> append(AppendRequest request) {
            if (failsAppends) {
                return CompletableFuture.failedFuture(new StoreException("scripted failure of append", null, true));
            }
            return call(holdsAppends, appends, "append", () -> appended(request));
        }

        private AppendResult appended(AppendRequest request) {
            if (isFull) {
                return new AppendResult.Full(20);
            }
            if (!request.rules().isRetained()) {
                Publication unlogged = Publication.builder(request.data())
                        .key(request.options().key())
                        .headers(request.options().headers())
                        .build();
                tell(new Announcement.Published(request.channel(), unlogged));
                return new AppendResult.Appended(unlogged);
            }
            Life life = life(request.channel());
            String key = request.options().dedupKey();
            if (key != null && life.keys.containsKey(key)) {
                return new AppendResult.Repeated(life.keys.get(key));
            }
            Publication publication = Publication.builder(request.data())
                    .position(life.epoch, life.top + 1, request.tag(), life.tag)
                    .timeMillis(time.millis() - clockBehind.toMillis())
                    .key(request.options().key())
                    .eventType(request.options().eventType())
                    .headers(request.options().headers())
                    .publisher(request.publisher())
                    .build();
            life.kept.add(publication);
            life.top++;
            life.tag = request.tag();
            if (key != null) {
                life.keys.put(key, life.head());
            }
            while (life.kept.size() > request.rules().retainedCount()) {
                life.kept.removeFirst();
            }
            tell(new Announcement.Published(request.channel(), publication));
            return new AppendResult.Appended(publication);
        }

        private void tell(Announcement announcement) {
            if (announcesItself) {
                bus.tell(announcement);
            }
        }

        @Override
        public CompletionStage<LogPage> read(LogRead read) {
            readsAsked.add(read);
            if (failsReads) {
                return CompletableFuture.failedFuture(new StoreException("scripted failure of a read", null, true));
            }
            CompletionStage<LogPage> page = call(holdsReads, reads, read.toString(), () -> page(read));
            if (holdsReads && looksWhenAsked) {
                reads.get(reads.size() - 1).look();
            }
            return page;
        }

        private LogPage page(LogRead read) {
            Life life = life(read.channel());
            List<Publication> found = new ArrayList<>();
            for (Publication publication : life.kept) {
                boolean isWanted = read.isReverse()
                        ? publication.offset() < read.afterOffset()
                        : publication.offset() > read.afterOffset();
                if (isWanted) {
                    found.add(publication);
                }
            }
            if (read.isReverse()) {
                java.util.Collections.reverse(found);
            }
            return new LogPage(life.head(), List.copyOf(found.subList(0, Math.min(read.limit(), found.size()))));
        }

        @Override
        public CompletionStage<Void> clear(ChannelId channel) {
            life(channel).kept.clear();
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public boolean isDurable() {
            return isDurable;
        }

        @Override
        public boolean announcesOn(Bus other) {
            return announcesItself;
        }
    }

    // ---- the bus

    /** One effective watch, and the hints that are on their way to it. */
    final class Watching implements Bus.Watch {
        final ChannelId channel;
        final Bus.Watcher watcher;
        final List<Announcement> hints = new ArrayList<>();

        Watching(ChannelId channel, Bus.Watcher watcher) {
            this.channel = channel;
            this.watcher = watcher;
        }

        /** Delivers the first hint. */
        boolean deliver() {
            return deliver(0);
        }

        boolean deliver(int index) {
            if (index >= hints.size()) {
                return false;
            }
            watcher.announced(hints.remove(index));
            return true;
        }

        @Override
        public boolean isEffective() {
            return !isBusDown && !deaf.contains(channel);
        }

        @Override
        public void close() {
            watching.remove(this);
        }
    }

    private final class HintBus implements Bus {
        @Override
        public CompletionStage<Watch> watch(ChannelId channel, Watcher watcher) {
            if (failsWatches) {
                return CompletableFuture.failedFuture(new StoreException("scripted failure of a watch", null, true));
            }
            return call(holdsWatches, watches, "watch", () -> {
                Watching effective = new Watching(channel, watcher);
                watching.add(effective);
                return effective;
            });
        }

        @Override
        public Health health() {
            return isBusDown ? Health.down("scripted") : Health.up();
        }

        @Override
        public CompletionStage<Void> announce(Announcement announcement) {
            if (failsAnnouncements) {
                return CompletableFuture.failedFuture(
                        new StoreException("scripted failure of an announcement", null, true));
            }
            return call(holdsAnnouncements, announcements, "announcement", () -> {
                tell(announcement);
                return null;
            });
        }

        void tell(Announcement announcement) {
            for (Watching each : List.copyOf(watching)) {
                if (each.channel.equals(announcement.channel())) {
                    each.hints.add(announcement);
                    if (!holdsHints) {
                        each.deliver(each.hints.size() - 1);
                    }
                }
            }
        }
    }

    // ---- presence

    private final class Presence implements PresenceStore {
        @Override
        public CompletionStage<Boolean> renew(String node, Duration timeToLive) {
            CompletionStage<Boolean> failure =
                    CompletableFuture.failedFuture(new StoreException("scripted failure of a renewal", null, true));
            if (failsRenewals) {
                return failure;
            }
            CompletionStage<Boolean> renewed = call(
                    holdsRenewals,
                    renewals,
                    "renew",
                    () -> rest.presence()
                            .renew(node, timeToLive)
                            .toCompletableFuture()
                            .join());
            return losesRenewals ? failure : renewed;
        }

        @Override
        public CompletionStage<Void> retire(String node) {
            return rest.presence().retire(node);
        }

        @Override
        public CompletionStage<Boolean> enter(String node, ChannelId channel, Member member, Duration grace) {
            return changed("enter", () -> rest.presence().enter(node, channel, member, grace));
        }

        @Override
        public CompletionStage<Boolean> leave(ChannelId channel, Member member, Duration grace) {
            return changed("leave", () -> rest.presence().leave(channel, member, grace));
        }

        private CompletionStage<Boolean> changed(String what, Supplier<CompletionStage<Boolean>> work) {
            if (failsPresence) {
                return CompletableFuture.failedFuture(new StoreException("scripted failure of " + what, null, true));
            }
            return call(
                    holdsPresence,
                    presenceCalls,
                    what,
                    () -> work.get().toCompletableFuture().join());
        }

        @Override
        public CompletionStage<List<Departure>> sweep(int limit) {
            return rest.presence().sweep(limit);
        }

        @Override
        public CompletionStage<PresenceSnapshot> snapshot(ChannelId channel, int limit) {
            return rest.presence().snapshot(channel, limit);
        }
    }

    // ---- the parts

    @Override
    public ChannelLog log() {
        return log;
    }

    @Override
    public Bus bus() {
        return bus;
    }

    @Override
    public PresenceStore presence() {
        return presence;
    }

    @Override
    public ControlBus control() {
        return rest.control();
    }

    @Override
    public LatestValues latestValues() {
        return rest.latestValues();
    }
}
