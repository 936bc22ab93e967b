package dev.fanfare.netty.centrifuge;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Gateway;
import dev.fanfare.spi.Mailboxes;
import dev.fanfare.spi.Outlet;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * Stands in for the core where a test needs to choose the moment of each answer: everything happens when
 * the test says so, on the test's own thread.
 */
final class ScriptedGateway implements Gateway {

    final List<ScriptedConnection> connections = new ArrayList<>();
    final Deque<Runnable> hostTasks = new ArrayDeque<>();
    boolean isHostPaused;
    Mailboxes mailboxes;

    @Override
    public Connection open(ConnectionInfo info, Outlet outlet) {
        ScriptedConnection connection = new ScriptedConnection(info, outlet);
        connections.add(connection);
        return connection;
    }

    ScriptedConnection connection() {
        return connections.get(connections.size() - 1);
    }

    /** Lets the host's threads work. */
    void runHost() {
        while (!hostTasks.isEmpty()) {
            hostTasks.remove().run();
        }
    }

    @Override
    public CompletionStage<PublishResult> publish(ChannelId channel, Payload data, PublishOptions options) {
        throw new UnsupportedOperationException("clients publish through their connection");
    }

    @Override
    public Mailboxes mailboxes() {
        return mailboxes;
    }

    @Override
    public void listen(FanfareListener listener) {
        throw new UnsupportedOperationException("nobody listens here");
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public Executor hostExecutor() {
        return task -> {
            hostTasks.add(task);
            if (!isHostPaused) {
                runHost();
            }
        };
    }

    @Override
    public TimeSource time() {
        return new TimeSource() {
            @Override
            public long millis() {
                return 1_700_000_000_000L;
            }

            @Override
            public long nanos() {
                return 0;
            }

            @Override
            public Timer schedule(Duration delay, Runnable task) {
                throw new UnsupportedOperationException("no timers here");
            }
        };
    }

    @Override
    public FanfareListener listener() {
        return new FanfareListener() {};
    }

    @Override
    public String newConnectionId() {
        return "client-" + (connections.size() + 1);
    }

    @Override
    public String node() {
        return "node";
    }
}
