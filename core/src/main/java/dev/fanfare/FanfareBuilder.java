package dev.fanfare;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.internal.Engine;
import dev.fanfare.internal.Settings;
import dev.fanfare.internal.StoreParts;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Builds a {@link Fanfare}. Everything has a default: without any setting there is a memory store, one
 * default namespace that retains nothing, and clients that may do nothing.
 *
 * <p><b>Threading:</b> not thread-safe. May be used again after {@link #build}.
 */
public final class FanfareBuilder {

    private static final int MAX_NAMESPACE_LENGTH = 64;
    private static final int DEFAULT_CHANNELS = 128;
    private static final int DEFAULT_REPAIR_READS = 64;
    private static final Duration DEFAULT_LEASE = Duration.ofSeconds(15);
    private static final Duration SHORTEST_LEASE = Duration.ofSeconds(1);
    private static final Duration LONGEST_LEASE = Duration.ofMinutes(10);

    private final Map<String, ChannelRules> namespaces = new LinkedHashMap<>();
    private @Nullable Store store;
    private @Nullable ChannelLog log;
    private @Nullable Bus bus;
    private @Nullable PresenceStore presence;
    private @Nullable ControlBus control;
    private @Nullable LatestValues latestValues;
    private @Nullable Authorizer authorizer;
    private @Nullable SubscriptionAuthenticator subscriptionAuthenticator;
    private @Nullable RpcHandler rpcHandler;
    private RpcHandler.@Nullable MessageHandler messageHandler;
    private final List<FanfareListener> listeners = new ArrayList<>();
    private @Nullable Executor hostExecutor;
    private @Nullable TimeSource timeSource;
    private @Nullable ClientLimits limits;
    private @Nullable Integer maxChannelsPerConnection;
    private @Nullable Integer repairReads;
    private @Nullable Duration presenceLease;

    FanfareBuilder() {}

    /** Sets the store; default: a {@link MemoryStore} of its own. */
    @CanIgnoreReturnValue
    public FanfareBuilder store(Store store) {
        this.store = once(this.store, store, "store");
        return this;
    }

    /**
     * Sets the log, if it is not the store's: {@code log(jdbc.log()).bus(redis.bus())} keeps history in a database and
     * announces through Redis. What Redis loses or is too far away to tell, nodes read from the log.
     *
     * <p>A log and a bus without a store make the rest this node's own: on several nodes set {@link #presence},
     * {@link #control} and {@link #latestValues} too, or {@link #store} for all that is not set by itself.
     */
    @CanIgnoreReturnValue
    public FanfareBuilder log(ChannelLog log) {
        this.log = once(this.log, log, "log");
        return this;
    }

    /** Sets the bus, if it is not the store's. */
    @CanIgnoreReturnValue
    public FanfareBuilder bus(Bus bus) {
        this.bus = once(this.bus, bus, "bus");
        return this;
    }

    /** Sets who is present, if it is not the store's. */
    @CanIgnoreReturnValue
    public FanfareBuilder presence(PresenceStore presence) {
        this.presence = once(this.presence, presence, "presence");
        return this;
    }

    /** Sets how nodes talk to each other, if it is not the store's. */
    @CanIgnoreReturnValue
    public FanfareBuilder control(ControlBus control) {
        this.control = once(this.control, control, "control");
        return this;
    }

    /** Sets the newest values, if they are not the store's. */
    @CanIgnoreReturnValue
    public FanfareBuilder latestValues(LatestValues latestValues) {
        this.latestValues = once(this.latestValues, latestValues, "latestValues");
        return this;
    }

    /**
     * Gives a namespace its rules: {@code namespace("chat", rules -> rules.retain(100,
     * Duration.ofHours(1)).presence())}. Once there is any, the default one is gone: channels without a namespace
     * need {@code namespace("", rules -> rules)} then.
     *
     * @param name what stands before the {@code ':'}; {@code ""} for channels without one
     */
    @CanIgnoreReturnValue
    public FanfareBuilder namespace(String name, UnaryOperator<ChannelRules.Builder> rules) {
        requireNonNull(name, "name");
        if (name.length() > MAX_NAMESPACE_LENGTH || name.indexOf(':') >= 0) {
            throw new IllegalArgumentException(
                    "A namespace has at most " + MAX_NAMESPACE_LENGTH + " characters and no ':': " + name);
        }
        if (namespaces.putIfAbsent(name, rules.apply(ChannelRules.builder()).build()) != null) {
            throw new IllegalStateException("namespace \"" + name + "\" has rules already");
        }
        return this;
    }

    /** Sets who decides what clients may do; default: nobody may do anything, of which a transport's start warns. */
    @CanIgnoreReturnValue
    public FanfareBuilder authorizer(Authorizer authorizer) {
        this.authorizer = once(this.authorizer, authorizer, "authorizer");
        return this;
    }

    /** Sets who judges the tokens that clients show for one channel; default: such tokens are not looked at. */
    @CanIgnoreReturnValue
    public FanfareBuilder subscriptionAuthenticator(SubscriptionAuthenticator authenticator) {
        this.subscriptionAuthenticator =
                once(this.subscriptionAuthenticator, authenticator, "subscriptionAuthenticator");
        return this;
    }

    /** Sets who answers clients' calls; default: calls are not available. */
    @CanIgnoreReturnValue
    public FanfareBuilder rpcHandler(RpcHandler handler) {
        this.rpcHandler = once(this.rpcHandler, handler, "rpcHandler");
        return this;
    }

    /** Sets who receives clients' one-way messages; default: a client that sends one is closed. */
    @CanIgnoreReturnValue
    public FanfareBuilder messageHandler(RpcHandler.MessageHandler handler) {
        this.messageHandler = once(this.messageHandler, handler, "messageHandler");
        return this;
    }

    /** Adds one who sees all events; each hears of them in the order in which they were added. */
    @CanIgnoreReturnValue
    public FanfareBuilder listener(FanfareListener listener) {
        listeners.add(requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Sets where foreign code runs: handlers, in-process subscribers, completions. It must not run
     * tasks on the calling thread. Default: a pool of daemon threads with a bounded queue.
     */
    @CanIgnoreReturnValue
    public FanfareBuilder hostExecutor(Executor executor) {
        this.hostExecutor = once(this.hostExecutor, executor, "hostExecutor");
        return this;
    }

    /** Sets the time source; for tests. */
    @CanIgnoreReturnValue
    public FanfareBuilder timeSource(TimeSource timeSource) {
        this.timeSource = once(this.timeSource, timeSource, "timeSource");
        return this;
    }

    /** Sets how often clients may publish and subscribe, and so on; default: {@link ClientLimits#standard}. */
    @CanIgnoreReturnValue
    public FanfareBuilder limits(ClientLimits limits) {
        this.limits = once(this.limits, limits, "limits");
        return this;
    }

    /** Sets how many channels one connection may be subscribed to, 1 to 100,000; default 128. */
    @CanIgnoreReturnValue
    public FanfareBuilder maxChannelsPerConnection(int count) {
        if (count < 1 || count > 100_000) {
            throw new IllegalArgumentException("count must be in [1, 100000]: " + count);
        }
        this.maxChannelsPerConnection = once(this.maxChannelsPerConnection, count, "maxChannelsPerConnection");
        return this;
    }

    /**
     * Sets how many channels at a time may read the log to see whether announcements were lost, 1 to 10,000;
     * default 64. The others wait their turn: after the bus was away, all want to look.
     */
    @CanIgnoreReturnValue
    public FanfareBuilder repairReads(int count) {
        if (count < 1 || count > 10_000) {
            throw new IllegalArgumentException("count must be in [1, 10000]: " + count);
        }
        this.repairReads = once(this.repairReads, count, "repairReads");
        return this;
    }

    /**
     * Sets for how long members are believed to be there without a sign of life from their node, 1 second to 10 minutes;
     * default 15 seconds. Nodes give one three times in that time. A node that dies keeps its members for so long, and
     * then for their grace; one that is only slow must not be taken for dead.
     */
    @CanIgnoreReturnValue
    public FanfareBuilder presenceLease(Duration lease) {
        if (lease.compareTo(SHORTEST_LEASE) < 0 || lease.compareTo(LONGEST_LEASE) > 0) {
            throw new IllegalArgumentException(
                    "lease must be in [" + SHORTEST_LEASE + ", " + LONGEST_LEASE + "]: " + lease);
        }
        this.presenceLease = once(this.presenceLease, lease, "presenceLease");
        return this;
    }

    /**
     * Builds it; it works at once.
     *
     * @throws IllegalStateException if there is a log without a bus, a bus without a log, or neither store nor presence
     *     behind a namespace with presence whose log is set by itself
     */
    public Fanfare build() {
        Map<String, ChannelRules> rules = new LinkedHashMap<>(namespaces);
        if (rules.isEmpty()) {
            rules.put("", ChannelRules.builder().build());
        }
        requireWhole(rules.values().stream().anyMatch(ChannelRules::hasPresence));
        return Engine.start(new Settings(
                Map.copyOf(rules),
                store,
                new StoreParts(log, bus, presence, control, latestValues),
                authorizer,
                subscriptionAuthenticator,
                rpcHandler,
                messageHandler,
                List.copyOf(listeners),
                hostExecutor,
                timeSource,
                maxChannelsPerConnection == null ? DEFAULT_CHANNELS : maxChannelsPerConnection,
                repairReads == null ? DEFAULT_REPAIR_READS : repairReads,
                presenceLease == null ? DEFAULT_LEASE : presenceLease,
                limits == null ? ClientLimits.standard() : limits));
    }

    /** Without a store a part that is missing would be this node's own; where that breaks a promise it must be set. */
    private void requireWhole(boolean isPresenceUsed) {
        if (store != null) {
            return;
        }
        if ((log == null) != (bus == null)) {
            throw new IllegalStateException("Without a store, log and bus must both be set, or neither");
        }
        if (log != null && presence == null && isPresenceUsed) {
            throw new IllegalStateException("A namespace has presence: set presence too, or a store");
        }
    }

    private static <T> T once(@Nullable T present, T value, String name) {
        requireNonNull(value, name);
        if (present != null) {
            throw new IllegalStateException(name + " is set already");
        }
        return value;
    }
}
