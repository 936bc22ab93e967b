package dev.fanfare.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.StoreException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.SlotHash;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The primaries of a Redis Cluster, each with its slots. */
final class Cluster implements Topology {

    /*
     * State: the primary of each slot, in an array that is replaced as a whole; the primaries by address; and at which
     * primary each wanted line is.
     *
     * Threads: thread-safe. The timer alone changes where slots and lines are, one step after the other.
     *
     * Ordering: commands for one key are run in the order of the calls, except while its slot moves.
     *
     * Bounds: MOST_WAITING commands that wait until their slot has moved, each for at most the sum of MOST_TRIES growing
     * pauses; what is beyond fails. One task of the timer per line that comes or goes.
     *
     * A server without slots has its connections as long as keys of a slot that it is about to get are asked of it; others are
     * let go of.
     *
     * Which server has a slot is learned from redirections, from subscriptions that a server ends, and by asking: every
     * LOOK_PAUSE while a primary cannot be reached, otherwise now and then.
     */

    private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);
    private static final Duration REFRESH_PAUSE = Duration.ofMillis(100);
    private static final Duration LOOK_PAUSE = Duration.ofMillis(500);
    private static final int QUIET_LOOKS = 20;
    private static final Duration RETIRE_PAUSE = Duration.ofSeconds(2);
    private static final Duration GUEST_TIME = Duration.ofSeconds(5);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(5);
    private static final int MOST_TRIES = 9;
    private static final int MOST_WAITING = 4096;

    private final Threads threads;
    private final Relay relay;
    private final RedisURI example;
    private final Seeds seeds;
    private final Function<RedisURI, Connector> connectors;
    private final Primary.Parts parts;
    private final Map<String, Primary> primaries = new ConcurrentHashMap<>();
    private final AtomicBoolean isRefreshing = new AtomicBoolean();
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile Primary[] slots = {};

    /** Who got a slot last, and so knows best who has what. */
    private volatile @Nullable String witness;

    /** Who was asked last, until there is an answer. */
    private volatile @Nullable String silent;

    private volatile boolean isClosed;

    /** Confined to the timer. */
    private final Map<String, Placed> placed = new HashMap<>();

    /** Confined to the timer. */
    private final Set<String> strays = new HashSet<>();

    /** Where commands were sent of slots that are about to go there, and when last; confined to the timer. */
    private final Map<Primary, Long> guests = new HashMap<>();

    /** Primaries no more, about to be closed; confined to the timer. */
    private final Set<Primary> retiring = new HashSet<>();

    /** Confined to the timer. */
    private int looks;

    private record Placed(Line line, int slot, Primary at) {}

    Cluster(
            Threads threads,
            Relay relay,
            List<RedisURI> seeds,
            Function<RedisURI, Connector> connectors,
            Primary.Parts parts) {
        this.threads = threads;
        this.relay = relay;
        this.example = seeds.get(0);
        this.seeds = new Seeds(seeds.stream().map(connectors).toList());
        this.connectors = connectors;
        this.parts = parts;
    }

    @Override
    public PubSub pubSub() {
        return PubSub.SHARDED;
    }

    @Override
    public CompletionStage<Void> start() {
        CompletableFuture<Void> started = new CompletableFuture<>();
        seeds.ask().whenComplete((found, failure) -> {
            if (failure == null) {
                threads.execute(started, () -> pass(begin(found), started));
            } else {
                started.completeExceptionally(failure);
            }
        });
        return started;
    }

    private CompletionStage<Void> begin(SlotMap found) {
        if (isClosed) {
            return CompletableFuture.failedStage(Threads.closed());
        }
        if (!found.isWhole()) {
            return CompletableFuture.failedStage(
                    new StoreException("Nobody has some slots of the Redis Cluster", null, true));
        }
        CompletionStage<Void> all = adopt(found);
        threads.later(LOOK_PAUSE, this::look);
        return all;
    }

    private static void pass(CompletionStage<Void> outcome, CompletableFuture<Void> waiting) {
        outcome.whenComplete((done, failure) -> {
            if (failure == null) {
                waiting.complete(null);
            } else {
                waiting.completeExceptionally(failure);
            }
        });
    }

    @Override
    public Collection<Primary> primaries() {
        return primaries.values();
    }

    @Override
    public CompletionStage<Void> close() {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        threads.execute(closed, () -> {
            isClosed = true;
            seeds.close();
            retiring.addAll(primaries.values());
            pass(Primary.closeAll(retiring), closed);
        });
        return closed.handle((done, already) -> null);
    }

    // ---- commands

    @Override
    public Primary of(byte[] key) {
        return slots[SlotHash.getSlot(key)];
    }

    @Override
    public <T> CompletionStage<T> run(Request<T> request) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        run(request, of(request.key), false, 1, answer);
        return answer;
    }

    private <T> void run(Request<T> request, Primary at, boolean isAsking, int tries, CompletableFuture<T> answer) {
        at.commands.run(request, isAsking).whenComplete((reply, failure) -> {
            if (failure == null) {
                answer.complete(reply);
                return;
            }
            Redirect redirect = Redirect.of(failure);
            boolean isUnsent = tries > 1 && NotSentException.isCauseOf(failure);
            if ((redirect == null && !isUnsent) || tries == MOST_TRIES) {
                answer.completeExceptionally(failure);
            } else if (redirect != null && !redirect.address().isEmpty()) {
                follow(request, at, redirect, tries, answer);
            } else {
                runLater(request, tries, answer, failure);
            }
        });
    }

    private <T> void follow(
            Request<T> request, Primary from, Redirect redirect, int tries, CompletableFuture<T> answer) {
        String address = from.addressOf(redirect.address());
        boolean isAsking = redirect.kind() == Redirect.Kind.ASK;
        threads.execute(answer, () -> {
            if (isClosed) {
                answer.completeExceptionally(Threads.closed());
                return;
            }
            Primary to = primaryAt(address, new ArrayList<>());
            if (isAsking) {
                guests.put(to, System.nanoTime());
            } else {
                moved(redirect.slot(), address, to);
            }
            if (to.commands.isUp()) {
                run(request, to, isAsking, tries + 1, answer);
            } else {
                runLater(request, tries, answer, NotSentException.at(address));
            }
        });
    }

    private <T> void runLater(Request<T> request, int tries, CompletableFuture<T> answer, Throwable failure) {
        if (waiting.incrementAndGet() > MOST_WAITING) {
            waiting.decrementAndGet();
            answer.completeExceptionally(failure);
            return;
        }
        refresh();
        threads.later(FIRST_PAUSE.multipliedBy(1L << (tries - 1)), answer, () -> {
            waiting.decrementAndGet();
            run(request, of(request.key), false, tries + 1, answer);
        });
    }

    // ---- lines

    @Override
    public CompletionStage<Void> want(Line line) {
        CompletableFuture<Void> effective = new CompletableFuture<>();
        threads.execute(effective, () -> pass(place(line, false), effective));
        return effective;
    }

    @Override
    public boolean isHeard(Line line) {
        return slots[SlotHash.getSlot(line.name)].events.isHeard(line);
    }

    @Override
    public void unwant(Line line) {
        threads.execute(() -> {
            Placed present = placed.get(line.name);
            if (present != null && present.line == line) {
                placed.remove(line.name);
                present.at.events.unwant(line);
            }
        });
    }

    /** Subscribes a line at the primary that has its pub/sub channel, and nowhere else. */
    private CompletionStage<Void> place(Line line, boolean hasMissed) {
        int slot = SlotHash.getSlot(line.name);
        Primary home = slots[slot];
        Placed former = placed.put(line.name, new Placed(line, slot, home));
        if (former != null && former.at != home) {
            former.at.events.unwant(former.line);
        }
        return home.events.want(line, hasMissed);
    }

    private void stray(Line line) {
        threads.execute(() -> strays.add(line.name));
        refresh();
    }

    // ---- where the slots are

    /** Asks soon who has what, once for all who wish so meanwhile. */
    private void refresh() {
        if (!isClosed && isRefreshing.compareAndSet(false, true)) {
            threads.later(
                    REFRESH_PAUSE,
                    () -> askInTime()
                            .whenComplete((found, failure) -> threads.execute(() -> refreshed(found, failure))));
        }
    }

    private void refreshed(@Nullable SlotMap found, @Nullable Throwable failure) {
        isRefreshing.set(false);
        if (found != null && !isClosed) {
            silent = null;
            adopt(found);
        } else {
            LOG.debug("No server of the Redis Cluster says who has which slot", failure);
        }
    }

    private void look() {
        boolean isWhole = primaries.values().stream().allMatch(Primary::isUp);
        if (!isWhole || !strays.isEmpty() || silent != null || ++looks % QUIET_LOOKS == 0) {
            refresh();
        }
        primaries.values().forEach(primary -> primary.commands.askIfDown());
        threads.later(LOOK_PAUSE, this::look);
    }

    /** Asks; a server that does not answer, though it may still accept connections, holds up no later question. */
    private CompletionStage<SlotMap> askInTime() {
        try {
            long patience = 2 * example.getTimeout().toMillis();
            return ask().toCompletableFuture().copy().orTimeout(patience, TimeUnit.MILLISECONDS);
        } catch (RuntimeException broken) {
            return CompletableFuture.failedFuture(broken);
        }
    }

    /** Asks whoever got a slot last, or any primary but one that did not answer, or else the addresses that we were given. */
    private CompletionStage<SlotMap> ask() {
        List<Map.Entry<String, Primary>> up = new ArrayList<>(primaries.entrySet());
        up.removeIf(each -> !each.getValue().commands.isUp());
        Collections.shuffle(up);
        String preferred = witness;
        String avoided = silent;
        witness = null;
        up.sort(Comparator.comparing(
                        (Map.Entry<String, Primary> each) -> each.getKey().equals(avoided))
                .thenComparing(each -> !each.getKey().equals(preferred)));
        if (up.isEmpty()) {
            return seeds.ask();
        }
        Primary asked = up.get(0).getValue();
        silent = up.get(0).getKey();
        return asked.commands.run(SlotMap.request(), false).thenApply(answer -> SlotMap.of(answer, asked.host()));
    }

    /** Takes over a map; completes when all primaries that are new are connected. */
    @CanIgnoreReturnValue
    private CompletionStage<Void> adopt(SlotMap found) {
        List<CompletableFuture<Void>> starts = new ArrayList<>();
        Primary[] fresh = new Primary[SlotHash.SLOT_COUNT];
        for (int slot = 0; slot < fresh.length; slot++) {
            String address = found.addressOf(slot);
            fresh[slot] = address == null ? slots[slot] : primaryAt(address, starts);
        }
        slots = fresh;
        List.copyOf(placed.values()).forEach(this::moveIfNeeded);
        strays.clear();
        retireUnused();
        return CompletableFuture.allOf(starts.toArray(CompletableFuture<?>[]::new));
    }

    private void moveIfNeeded(Placed present) {
        Line line = present.line;
        if (slots[present.slot] != present.at || strays.contains(line.name)) {
            place(line, true).whenComplete((effective, failure) -> {
                if (failure != null) {
                    relay.interrupt(line);
                }
            });
        }
    }

    private void retireUnused() {
        long now = System.nanoTime();
        guests.values().removeIf(asked -> now - asked > GUEST_TIME.toNanos());
        Set<Primary> used = new HashSet<>(Arrays.asList(slots));
        used.addAll(guests.keySet());
        primaries.values().removeIf(primary -> {
            boolean isUnused = !used.contains(primary);
            if (isUnused) {
                retire(primary);
            }
            return isUnused;
        });
    }

    /** Closes it, but not at once, as it may still owe replies. */
    private void retire(Primary primary) {
        retiring.add(primary);
        threads.later(RETIRE_PAUSE, () -> {
            retiring.remove(primary);
            primary.close();
        });
    }

    private void moved(int slot, String address, Primary to) {
        if (slots[slot] != to) {
            Primary[] fresh = slots.clone();
            fresh[slot] = to;
            slots = fresh;
            witness = address;
            refresh();
        }
    }

    private Primary primaryAt(String address, List<CompletableFuture<Void>> starts) {
        Primary present = primaries.get(address);
        if (present != null) {
            return present;
        }
        int colon = address.lastIndexOf(':');
        RedisURI uri = RedisURI.builder(example)
                .withHost(address.substring(0, colon))
                .withPort(Integer.parseInt(address.substring(colon + 1)))
                .build();
        Primary fresh = new Primary(connectors.apply(uri), parts, this::stray);
        primaries.put(address, fresh);
        starts.add(fresh.start().toCompletableFuture());
        return fresh;
    }
}
