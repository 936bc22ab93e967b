package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Payload;
import dev.fanfare.Rate;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.StoreException;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.Mailboxes;
import dev.fanfare.spi.TimeSource;
import dev.fanfare.spi.TokenBucket;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The mailboxes of this node, and what this node brings to those of others: by a message to all nodes, which
 * the one that is meant answers.
 *
 * <p><i>State.</i> The open mailboxes; what was sent to other nodes and is not answered yet; which nodes were there when
 * that was looked at last.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Ordering.</i> A post is sent by its caller, without a hop, and the bus keeps the order of one sender.
 *
 * <p><i>Bounds.</i> {@link #MAX_OPEN} mailboxes; {@link #MAX_UNANSWERED} posts to other nodes at a time, each
 * of at most {@link Mailboxes#MAX_REMOTE_BYTES} and for at most {@link #PATIENCE}; to nodes that nobody saw,
 * which anybody can make up, {@link #TO_UNSEEN}.
 */
final class Mail implements Mailboxes {

    static final Duration PATIENCE = Duration.ofSeconds(2);
    static final int MAX_UNANSWERED = 256;
    /** How often something is sent to a node that nobody saw. */
    static final Rate TO_UNSEEN = Rate.of(20, 100);

    private static final Duration FRESH = Duration.ofSeconds(1);
    private static final int MAX_OPEN = 1_000_000;
    private static final LogLine NO_RECEIPT =
            LogLine.warn(Mail.class, "Cannot tell another node that its post arrived");

    private final String node;
    private final ControlBus bus;
    private final Calls calls;
    private final TimeSource time;
    private final Map<String, Predicate<byte[]>> open = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<Delivery>> unanswered = new ConcurrentHashMap<>();
    private final AtomicLong sent = new AtomicLong();
    private final TokenBucket toUnseen = new TokenBucket(TO_UNSEEN);
    /** Under way for those whose node was there when that was looked at last. */
    private final AtomicReference<@Nullable CompletableFuture<Set<String>>> look = new AtomicReference<>();

    /** Null until it was looked at: nobody is made up before. */
    private volatile @Nullable Seen seen;

    Mail(String node, ControlBus bus, Calls calls, TimeSource time) {
        this.node = node;
        this.bus = bus;
        this.calls = calls;
        this.time = time;
    }

    @Override
    public Mailbox open(String address, Predicate<byte[]> receiver) {
        requireNonNull(receiver, "receiver");
        if (open.size() >= MAX_OPEN) {
            throw new RefusedException("This node has " + MAX_OPEN + " mailboxes already", Refusal.LIMIT_EXCEEDED);
        }
        if (open.putIfAbsent(address, receiver) != null) {
            throw new IllegalArgumentException("That address is taken");
        }
        return () -> open.remove(address, receiver);
    }

    @Override
    public CompletionStage<Delivery> post(String to, String address, byte[] bytes) {
        if (to.equals(node)) {
            return CompletableFuture.completedFuture(deliver(address, bytes));
        }
        if (bytes.length > MAX_REMOTE_BYTES) {
            return CompletableFuture.completedFuture(Delivery.TOO_LARGE);
        }
        if (unanswered.size() >= MAX_UNANSWERED || !mayBeThere(to)) {
            return CompletableFuture.completedFuture(Delivery.TOO_MANY);
        }
        return send(to, address, bytes);
    }

    /** Tells whether that node is known; anybody can make up others, and each would be asked for on all nodes. */
    private boolean mayBeThere(String to) {
        Seen known = seen;
        return known == null || known.nodes.contains(to) || toUnseen.tryTake(time.nanos());
    }

    private CompletionStage<Delivery> send(String to, String address, byte[] bytes) {
        String id = node + '-' + sent.incrementAndGet();
        CompletableFuture<Delivery> answer = new CompletableFuture<>();
        unanswered.put(id, answer);
        TimeSource.Timer timer = time.schedule(PATIENCE, () -> giveUp(answer, to));
        answer.whenComplete((done, failure) -> {
            timer.cancel();
            unanswered.remove(id);
        });
        String message = new ControlMessage.Post(id, to, address, Payload.wrap(bytes)).encode();
        calls.store("post to another node", () -> bus.send(message)).whenComplete((done, failure) -> {
            if (failure != null) {
                answer.completeExceptionally(failure);
            }
        });
        checkThatItIsThere(to, answer);
        return answer;
    }

    private void checkThatItIsThere(String to, CompletableFuture<Delivery> answer) {
        Seen known = seen;
        if (known == null || !known.nodes.contains(to)) {
            look().whenComplete((nodes, failure) -> noneIfGone(answer, to, nodes)); // it may just have come
        } else if (time.nanos() - known.nanos > FRESH.toNanos()) {
            lookTogether().whenComplete((nodes, failure) -> noneIfGone(answer, to, nodes));
        }
    }

    private CompletionStage<Set<String>> lookTogether() {
        CompletableFuture<Set<String>> mine = new CompletableFuture<>();
        CompletableFuture<Set<String>> present = look.compareAndExchange(null, mine);
        if (present != null) {
            return present;
        }
        look().whenComplete((nodes, failure) -> {
            look.set(null);
            if (failure == null) {
                mine.complete(nodes);
            } else {
                mine.completeExceptionally(failure);
            }
        });
        return mine;
    }

    private CompletionStage<Set<String>> look() {
        return calls.store("nodes of the cluster", bus::nodes).whenComplete((nodes, failure) -> {
            if (nodes != null) {
                seen = new Seen(Set.copyOf(nodes), time.nanos());
            }
        });
    }

    private static void noneIfGone(CompletableFuture<Delivery> answer, String to, @Nullable Set<String> nodes) {
        if (nodes != null && !nodes.contains(to)) {
            answer.complete(Delivery.NO_NODE);
        }
    }

    private static void giveUp(CompletableFuture<Delivery> answer, String to) {
        answer.completeExceptionally(new StoreException(
                "No answer in " + PATIENCE.toSeconds() + " s from node " + to + " to a post", null, true));
    }

    private Delivery deliver(String address, byte[] bytes) {
        Predicate<byte[]> receiver = open.get(address);
        if (receiver == null) {
            return Delivery.NO_MAILBOX;
        }
        return receiver.test(bytes) ? Delivery.DELIVERED : Delivery.REFUSED;
    }

    /** Takes what another node posts, if it is for this one. */
    void receive(ControlMessage.Post post) {
        if (!post.to().equals(node)) {
            return;
        }
        Delivery delivery = deliver(post.address(), post.bytes().unsafeBytes());
        String message = new ControlMessage.Receipt(post.id(), delivery).encode();
        calls.store("receipt for a post", () -> bus.send(message)).whenComplete((done, failure) -> {
            if (failure != null) {
                NO_RECEIPT.log("failure", failure);
            }
        });
    }

    /** Takes what became of a post, if it was this node's. */
    void receive(ControlMessage.Receipt receipt) {
        CompletableFuture<Delivery> answer = unanswered.get(receipt.id());
        if (answer != null) {
            answer.complete(receipt.delivery());
        }
    }

    /**
     * The nodes that were there.
     *
     * @param nanos when
     */
    private record Seen(Set<String> nodes, long nanos) {}
}
