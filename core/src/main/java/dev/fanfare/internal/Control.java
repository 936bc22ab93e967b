package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ClosedException;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Connections;
import dev.fanfare.DisconnectReason;
import dev.fanfare.StoreException;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Acts on and looks at connections, wherever they are, by messages to all nodes, this one included.
 *
 * <p><i>State.</i> The questions of this node that are not answered yet.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Bounds.</i> At most {@link #MAX_QUESTIONS} questions at a time, each for at most {@link
 * #PATIENCE}; at most {@link #MAX_LISTED} connections in an answer.
 */
final class Control implements Connections {

    static final int MAX_LISTED = 1000;
    private static final int MAX_QUESTIONS = 1000;
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final Duration RETRY = Duration.ofSeconds(5);
    private static final Logger LOG = LoggerFactory.getLogger(Control.class);

    private final String node;
    private final ControlBus bus;
    private final Clients clients;
    private final Calls calls;
    private final TimeSource time;
    private final Map<String, Question> questions = new ConcurrentHashMap<>();
    private final AtomicLong asked = new AtomicLong();
    private volatile ControlBus.@Nullable Membership membership;
    private volatile boolean isClosed;

    Control(String node, ControlBus bus, Clients clients, Calls calls, TimeSource time) {
        this.node = node;
        this.bus = bus;
        this.clients = clients;
        this.calls = calls;
        this.time = time;
    }

    /** Joins the bus; if that fails, tries again until it succeeds. */
    void start() {
        if (isClosed) {
            return;
        }
        calls.store("joining the control bus", () -> bus.join(node, this::receive))
                .whenComplete((joined, failure) -> {
                    if (failure != null) {
                        LOG.error(
                                "Cannot join the control bus, trying again; orders to connections do not arrive",
                                failure);
                        time.schedule(RETRY, this::start);
                        return;
                    }
                    membership = joined;
                    if (isClosed) {
                        joined.close();
                    }
                });
    }

    void close() {
        isClosed = true;
        ControlBus.Membership joined = membership;
        if (joined != null) {
            joined.close();
        }
        questions.values().forEach(question -> question.answer.completeExceptionally(closed()));
    }

    private static ClosedException closed() {
        return new ClosedException("This Fanfare is closed");
    }

    // ---- for the host

    @Override
    public CompletionStage<Integer> count() {
        return calls.forHost(ask(ControlMessage.Ask.COUNT, "").thenApply(answer -> answer.count));
    }

    @Override
    public CompletionStage<List<ConnectionInfo>> of(String user) {
        return calls.forHost(ask(ControlMessage.Ask.OF_USER, user).thenApply(answer -> answer.connections));
    }

    @Override
    public CompletionStage<List<ConnectionInfo>> list() {
        return calls.forHost(ask(ControlMessage.Ask.ALL, "").thenApply(answer -> answer.connections));
    }

    @Override
    public CompletionStage<Void> disconnect(String user, DisconnectReason reason) {
        return order(new ControlMessage.Disconnect(user, reason));
    }

    @Override
    public CompletionStage<Void> subscribe(String user, ChannelId channel) {
        return order(new ControlMessage.Subscribe(user, channel));
    }

    @Override
    public CompletionStage<Void> unsubscribe(String user, ChannelId channel) {
        return order(new ControlMessage.Unsubscribe(user, channel));
    }

    private CompletionStage<Void> order(ControlMessage message) {
        requireOpen();
        return calls.forHost(send(message));
    }

    private void requireOpen() {
        if (isClosed) {
            throw closed();
        }
    }

    private CompletionStage<Void> send(ControlMessage message) {
        return calls.store("control message", () -> bus.send(message.encode()));
    }

    private CompletionStage<Question> ask(String what, String user) {
        requireOpen();
        if (questions.size() >= MAX_QUESTIONS) {
            return CompletableFuture.failedFuture(
                    new StoreException("Too many questions to the cluster at a time; try again", null, true));
        }
        String id = node + '-' + asked.incrementAndGet();
        Question question = new Question();
        questions.put(id, question);
        TimeSource.Timer timer = time.schedule(PATIENCE, question::giveUp);
        question.answer.whenComplete((done, failure) -> {
            timer.cancel();
            questions.remove(id);
        });
        if (isClosed) { // meanwhile: who closes may have looked before this question was there
            question.answer.completeExceptionally(closed());
        }
        calls.store("nodes of the cluster", bus::nodes).whenComplete((nodes, failure) -> {
            if (failure != null) {
                question.answer.completeExceptionally(failure);
                return;
            }
            question.expect(nodes);
            send(new ControlMessage.Ask(id, what, user)).whenComplete((sent, broken) -> {
                if (broken != null) {
                    question.answer.completeExceptionally(broken);
                }
            });
        });
        return question.answer;
    }

    // ---- from the bus

    private void receive(String text) {
        ControlMessage message = ControlMessage.decode(text);
        if (message instanceof ControlMessage.Disconnect order) {
            clients.forEachOf(order.user(), connection -> connection.disconnect(order.reason()));
        } else if (message instanceof ControlMessage.Subscribe order) {
            clients.forEachOf(
                    order.user(),
                    connection -> connection.queue.add(() -> connection.subscribeByHost(order.channel())));
        } else if (message instanceof ControlMessage.Unsubscribe order) {
            clients.forEachOf(
                    order.user(),
                    connection -> connection.queue.add(() -> connection.unsubscribeByHost(order.channel())));
        } else if (message instanceof ControlMessage.Ask ask) {
            reply(ask);
        } else if (message instanceof ControlMessage.Answer answer) {
            Question question = questions.get(answer.question());
            if (question != null) {
                question.take(answer);
            }
        } else {
            LOG.debug("A control message of a kind that this version does not know was left out");
        }
    }

    private void reply(ControlMessage.Ask ask) {
        List<ConnectionInfo> found = switch (ask.what()) {
            case ControlMessage.Ask.ALL -> clients.list(MAX_LISTED);
            case ControlMessage.Ask.OF_USER -> clients.listOf(ask.user(), MAX_LISTED);
            default -> List.of();
        };
        send(new ControlMessage.Answer(ask.question(), node, clients.count(), found))
                .whenComplete((sent, failure) -> {
                    if (failure != null) {
                        LOG.warn("Cannot answer a question of another node: {}", failure.toString());
                    }
                });
    }

    private static final class Question {
        final CompletableFuture<Question> answer = new CompletableFuture<>();
        private final Set<String> missing = new HashSet<>();
        volatile int count;
        volatile List<ConnectionInfo> connections = List.of();

        synchronized void expect(Set<String> nodes) {
            missing.addAll(nodes);
        }

        void take(ControlMessage.Answer part) {
            boolean isLast;
            synchronized (this) {
                if (!missing.remove(part.node())) {
                    return;
                }
                count += part.count();
                List<ConnectionInfo> all = new ArrayList<>(connections);
                all.addAll(part.connections());
                connections = List.copyOf(all);
                isLast = missing.isEmpty();
            }
            if (isLast) {
                answer.complete(this);
            }
        }

        void giveUp() {
            String silent;
            synchronized (this) {
                silent = String.join(", ", missing);
            }
            answer.completeExceptionally(new StoreException(
                    "No answer in " + PATIENCE.toSeconds() + " s from node(s) " + silent, null, true));
        }
    }
}
