package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ClientLimits;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.spi.ChannelView;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Gateway;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.Mailboxes;
import dev.fanfare.spi.Outlet;
import dev.fanfare.spi.TimeSource;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The door through which transports reach an {@link Engine}. Thread-safe. */
final class Gate implements Gateway {

    private static final LogLine NO_AUTHORIZER = LogLine.warn(
            Gate.class, "No authorizer: clients may not subscribe, publish or read; Fanfare.builder().authorizer(...)");
    private static final LogLine LARGER = LogLine.warn(
            Gate.class,
            "Rules allow larger messages than the transport takes: a client that publishes one is disconnected. "
                    + "Give both the same maxMessageBytes, and the transport a little more");

    private final Engine engine;
    private final AtomicBoolean hasWarned = new AtomicBoolean();

    Gate(Engine engine) {
        this.engine = engine;
    }

    @Override
    public Connection open(ConnectionInfo info, Outlet outlet) {
        return engine.open(info, outlet);
    }

    @Override
    public CompletionStage<PublishResult> publish(ChannelId channel, Payload data, PublishOptions options) {
        return engine.publishRaw(channel, data, options);
    }

    @Override
    public Mailboxes mailboxes() {
        return engine.mail;
    }

    @Override
    public boolean isOpen() {
        return engine.isOpen();
    }

    @Override
    public boolean isAccepting() {
        return engine.isAccepting();
    }

    @Override
    public ClientLimits limits() {
        return engine.settings.limits();
    }

    @Override
    public int maxChannelsPerConnection() {
        return engine.settings.maxChannelsPerConnection();
    }

    @Override
    public @Nullable ChannelRules rules(ChannelId channel) {
        return engine.rules(channel);
    }

    @Override
    public void transportStarted(int maxMessageBytes) {
        Settings settings = engine.settings;
        if (settings.authorizer() == null
                && settings.subscriptionAuthenticator() == null
                && hasWarned.compareAndSet(false, true)) {
            NO_AUTHORIZER.log();
        }
        List<String> larger = settings.namespaces().entrySet().stream()
                .filter(namespace -> namespace.getValue().maxMessageBytes() > maxMessageBytes)
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
        if (!larger.isEmpty()) {
            LARGER.log("namespaces", larger, "maxMessageBytes", maxMessageBytes);
        }
    }

    @Override
    public Executor hostExecutor() {
        return engine.calls::inHostCode;
    }

    @Override
    public boolean isInCallback() {
        return engine.calls.isInHostCode();
    }

    @Override
    public TimeSource time() {
        return engine.threads.time();
    }

    @Override
    public FanfareListener listener() {
        return engine.listener();
    }

    @Override
    public void listen(FanfareListener listener) {
        engine.listen(listener);
    }

    @Override
    public Runnable countUnsent(LongSupplier bytes) {
        return engine.countUnsent(bytes);
    }

    @Override
    public List<ChannelView> channels(String part, int limit) {
        return engine.hub.views(part, limit);
    }

    @Override
    public List<ConnectionInfo> connections(String part, int limit) {
        return engine.clients.find(part, limit);
    }

    @Override
    public CompletionStage<List<ChannelId>> subscriptions(String connection) {
        return engine.clients.subscriptions(connection);
    }

    @Override
    public String newConnectionId() {
        return UUID.randomUUID().toString();
    }

    @Override
    public String node() {
        return engine.node();
    }
}
