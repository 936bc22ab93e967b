package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.ClosedException;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Connections;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import dev.fanfare.Selection;
import dev.fanfare.StoreException;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
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
 * #PATIENCE}; at most {@link #MAX_LISTED} connections, or {@link #MAX_LISTED_CHANNELS} channels, in an answer.
 */
final class Control implements Connections {

    static final int MAX_LISTED = 1000;
    private static final int MAX_LISTED_CHANNELS = 5000;
    private static final int MAX_QUESTIONS = 1000;
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final Duration RETRY = Duration.ofSeconds(5);
    private static final Logger LOG = LoggerFactory.getLogger(Control.class);
    private static final LogLine NO_ANSWER = LogLine.warn(Control.class, "Cannot answer a question of another node");
    private static final LogLine NOT_JOINED = LogLine.error(
            Control.class, "Cannot join the control bus, trying again; orders to connections do not arrive");

    private final String node;
    private final ControlBus bus;
    private final Clients clients;
    private final Hub hub;
    private final Mail mail;
    private final Calls calls;
    private final TimeSource time;
    private final Map<String, Question> questions = new ConcurrentHashMap<>();
    private final AtomicLong asked = new AtomicLong();
    private volatile ControlBus.@Nullable Membership membership;
    private volatile boolean isClosed;

    Control(String node, ControlBus bus, Clients clients, Hub hub, Mail mail, Calls calls, TimeSource time) {
        this.node = node;
        this.bus = bus;
        this.clients = clients;
        this.hub = hub;
        this.mail = mail;
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
                        NOT_JOINED.logTrace(failure, "node", node);
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
        return calls.forHost(ask(ControlMessage.Ask.COUNT, "")
                .thenApply(question -> question.parts.stream()
                        .mapToInt(part -> part instanceof ControlMessage.Answer answer ? answer.count() : 0)
                        .sum()));
    }

    @Override
    public CompletionStage<List<ConnectionInfo>> of(String user) {
        return connections(ControlMessage.Ask.OF_USER, user);
    }

    @Override
    public CompletionStage<List<ConnectionInfo>> list() {
        return connections(ControlMessage.Ask.ALL, "");
    }

    private CompletionStage<List<ConnectionInfo>> connections(String what, String user) {
        return calls.forHost(ask(what, user)
                .thenApply(question -> question.parts.stream()
                        .flatMap(part -> part instanceof ControlMessage.Answer answer
                                ? answer.connections().stream()
                                : Stream.empty())
                        .toList()));
    }

    @Override
    public CompletionStage<Map<ChannelId, Integer>> channels(String pattern) {
        if (pattern.length() > ChannelId.MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "A pattern has at most " + ChannelId.MAX_LENGTH + " characters: " + pattern.length());
        }
        return calls.forHost(ask(ControlMessage.Ask.CHANNELS, pattern).thenApply(question -> {
            Map<ChannelId, Integer> all = new TreeMap<>(Comparator.comparing(ChannelId::value));
            for (ControlMessage.Part part : question.parts) {
                if (part instanceof ControlMessage.Channels found) {
                    found.channels().forEach((name, count) -> all.merge(ChannelId.of(name), count, Integer::sum));
                }
            }
            return all;
        }));
    }

    @Override
    public CompletionStage<Void> disconnect(Selection who, DisconnectReason reason) {
        return order(who, new ControlMessage.Disconnect(reason, null));
    }

    @Override
    public CompletionStage<Void> disconnect(Selection who, HostCode code) {
        return order(who, new ControlMessage.Disconnect(code.reason(), code));
    }

    @Override
    public CompletionStage<Void> refresh(Selection who, @Nullable Instant until) {
        return order(who, new ControlMessage.Refresh(until));
    }

    @Override
    public CompletionStage<Void> subscribe(Selection who, ChannelId channel, @Nullable Instant until) {
        return order(who, new ControlMessage.Subscribe(channel, until));
    }

    @Override
    public CompletionStage<Void> unsubscribe(Selection who, ChannelId channel) {
        return order(who, new ControlMessage.Unsubscribe(channel, null));
    }

    @Override
    public CompletionStage<Void> unsubscribe(Selection who, ChannelId channel, HostCode code) {
        return order(who, new ControlMessage.Unsubscribe(channel, code));
    }

    private CompletionStage<Void> order(Selection who, ControlMessage.Deed deed) {
        requireOpen();
        return calls.forHost(send(new ControlMessage.Order(who, deed)));
    }

    /** Has every node forget what it keeps of a channel up to there. */
    CompletionStage<Void> forget(ChannelId channel, Cursor upTo) {
        return send(new ControlMessage.Forget(channel, upTo));
    }

    private void requireOpen() {
        if (isClosed) {
            throw closed();
        }
    }

    private CompletionStage<Void> send(ControlMessage message) {
        return calls.store("control message", () -> bus.send(message.encode()));
    }

    private CompletionStage<Question> ask(String what, String which) {
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
            send(new ControlMessage.Ask(id, what, which)).whenComplete((sent, broken) -> {
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
        if (message instanceof ControlMessage.Order order) {
            clients.forEachOf(order.who(), connection -> connection.queue.add(() -> connection.carryOut(order.deed())));
        } else if (message instanceof ControlMessage.Forget order) {
            hub.forget(order.channel(), order.upTo());
        } else if (message instanceof ControlMessage.Post post) {
            mail.receive(post);
        } else if (message instanceof ControlMessage.Receipt receipt) {
            mail.receive(receipt);
        } else if (message instanceof ControlMessage.Ask ask) {
            reply(ask);
        } else if (message instanceof ControlMessage.Part part) {
            Question question = questions.get(part.question());
            if (question != null) {
                question.take(part);
            }
        } else {
            LOG.debug("A control message of a kind that this version does not know was left out");
        }
    }

    private void reply(ControlMessage.Ask ask) {
        ControlMessage.Part part = ask.what().equals(ControlMessage.Ask.CHANNELS)
                ? new ControlMessage.Channels(ask.question(), node, openChannels(ask.which()))
                : new ControlMessage.Answer(ask.question(), node, clients.count(), connections(ask));
        send(part).whenComplete((sent, failure) -> {
            if (failure != null) {
                NO_ANSWER.log("failure", failure);
            }
        });
    }

    private Map<String, Integer> openChannels(String pattern) {
        return ChannelId.isValid(pattern) ? hub.channels(ChannelPattern.of(pattern), MAX_LISTED_CHANNELS) : Map.of();
    }

    private List<ConnectionInfo> connections(ControlMessage.Ask ask) {
        return switch (ask.what()) {
            case ControlMessage.Ask.ALL -> clients.list(MAX_LISTED);
            case ControlMessage.Ask.OF_USER -> clients.listOf(ask.which(), MAX_LISTED);
            default -> List.of();
        };
    }

    private static final class Question {
        final CompletableFuture<Question> answer = new CompletableFuture<>();
        private final Set<String> missing = new HashSet<>();
        volatile List<ControlMessage.Part> parts = List.of();

        synchronized void expect(Set<String> nodes) {
            missing.addAll(nodes);
        }

        void take(ControlMessage.Part part) {
            boolean isLast;
            synchronized (this) {
                if (!missing.remove(part.node())) {
                    return;
                }
                List<ControlMessage.Part> all = new ArrayList<>(parts);
                all.add(part);
                parts = List.copyOf(all);
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
