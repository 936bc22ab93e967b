package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ClientLimits;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Selection;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The connections of this node, by id and by user. Thread-safe.
 *
 * <p><i>Bounds.</i> As many connections as {@link ClientLimits#connections} says; beyond it nobody is taken in. {@link
 * #MAX_GONE} users who are gone but have not got all allowances back; who goes when so many are remembered is forgotten at
 * once, and may do as much as a new one when it comes back. That is logged.
 */
final class Clients {

    private static final int MAX_GONE = 100_000;
    private static final LogLine FORGOTTEN = LogLine.warn(
            Clients.class, "More users went than are remembered; those who come back get their allowances anew");
    private static final LogLine NO_TIMER = LogLine.warn(
            Clients.class, "The time source took no task; a user who went gets the allowances anew when it comes back");

    private final Map<String, ClientConnection> byId = new ConcurrentHashMap<>();
    private final Map<String, User> byUser = new ConcurrentHashMap<>();
    /** How many of those by user have no connection. */
    private final AtomicInteger gone = new AtomicInteger();

    private final ClientLimits limits;
    private final TimeSource time;

    Clients(ClientLimits limits, TimeSource time) {
        this.limits = limits;
        this.time = time;
    }

    /** Tells whether there are as many connections as may be. */
    boolean isFull() {
        return byId.size() >= limits.connections();
    }

    /** Takes a connection in, and tells it which user's it is; false if the user has as many as may be. */
    boolean add(ClientConnection connection) {
        if (!connection.info().user().isEmpty() && !addToUser(connection)) {
            return false;
        }
        byId.put(connection.info().id(), connection);
        return true;
    }

    private boolean addToUser(ClientConnection connection) {
        User user = byUser.compute(connection.info().user(), (name, present) -> {
            User one = present == null ? new User(limits) : present;
            uncount(one);
            if (one.connections.size() < limits.connectionsPerUser()) {
                one.connections.add(connection);
            }
            return one;
        });
        connection.belongsTo(user);
        return user.connections.contains(connection);
    }

    void remove(ClientConnection connection) {
        byId.remove(connection.info().id(), connection);
        String name = connection.info().user();
        long now = time.nanos();
        User left = byUser.computeIfPresent(name, (same, present) -> {
            present.connections.remove(connection);
            return isStillNeeded(present, now) ? present : null;
        });
        forgetLater(name, left);
    }

    private boolean isStillNeeded(User user, long now) {
        if (!user.connections.isEmpty()) {
            return true;
        }
        if (user.nanosUntilFull(now) <= 0 || !isRemembered(user)) {
            uncount(user);
            return false;
        }
        return true;
    }

    /** Comes to look later if the user can go; outside the map, as the clock may be the host's. */
    private void forgetLater(String name, @Nullable User user) {
        if (user == null || !user.connections.isEmpty() || !user.isToBeForgotten.compareAndSet(false, true)) {
            return;
        }
        try {
            time.schedule(Duration.ofNanos(user.nanosUntilFull(time.nanos())), () -> forget(name));
        } catch (RuntimeException broken) {
            NO_TIMER.logTrace(broken);
            forgetNow(name);
        }
    }

    private void forgetNow(String name) {
        byUser.computeIfPresent(name, (same, user) -> {
            user.isToBeForgotten.set(false);
            if (!user.connections.isEmpty()) {
                return user;
            }
            uncount(user);
            return null;
        });
    }

    /** Counts the user among those who are gone, if there is room for one more. */
    private boolean isRemembered(User user) {
        if (!user.isGone && gone.get() >= MAX_GONE) {
            FORGOTTEN.log("remembered", MAX_GONE);
            return false;
        }
        if (!user.isGone) {
            user.isGone = true;
            gone.incrementAndGet();
        }
        return true;
    }

    private void uncount(User user) {
        if (user.isGone) {
            user.isGone = false;
            gone.decrementAndGet();
        }
    }

    private void forget(String name) {
        long now = time.nanos();
        User left = byUser.computeIfPresent(name, (same, user) -> {
            user.isToBeForgotten.set(false);
            return isStillNeeded(user, now) ? user : null;
        });
        forgetLater(name, left);
    }

    int count() {
        return byId.size();
    }

    /** Does something for every connection. */
    void forEach(Consumer<ClientConnection> action) {
        byId.values().forEach(action);
    }

    /** Does something for every connection that is selected. */
    void forEachOf(Selection who, Consumer<ClientConnection> action) {
        String id = who.connection();
        String user = who.user();
        Consumer<ClientConnection> ifMeant = connection -> {
            if (who.has(connection.info())) {
                action.accept(connection);
            }
        };
        if (id != null) {
            ClientConnection one = byId.get(id);
            if (one != null) {
                ifMeant.accept(one);
            }
        } else if (user != null) {
            forEachOf(user, ifMeant);
        }
    }

    /** Does something for every connection of a user. */
    private void forEachOf(String user, Consumer<ClientConnection> action) {
        if (user.isEmpty()) {
            byId.values().stream().filter(c -> c.info().user().isEmpty()).forEach(action);
        } else {
            User one = byUser.get(user);
            if (one != null) {
                one.connections.forEach(action);
            }
        }
    }

    /** Returns connections with that text in the user's name or the id. */
    List<ConnectionInfo> find(String part, int limit) {
        return byId.values().stream()
                .map(ClientConnection::info)
                .filter(info -> info.user().contains(part) || info.id().contains(part))
                .limit(limit)
                .collect(Collectors.toUnmodifiableList());
    }

    /** Asks a connection, on its loop, which channels it is subscribed to. */
    CompletionStage<List<ChannelId>> subscriptions(String id) {
        ClientConnection connection = byId.get(id);
        CompletableFuture<List<ChannelId>> answer = new CompletableFuture<>();
        if (connection == null) {
            answer.complete(List.of());
        } else {
            connection.queue.add(() -> answer.complete(connection.channels()));
        }
        return answer;
    }

    List<ConnectionInfo> list(int limit) {
        List<ConnectionInfo> found = new ArrayList<>();
        for (ClientConnection connection : byId.values()) {
            if (found.size() == limit) {
                break;
            }
            found.add(connection.info());
        }
        return found;
    }

    List<ConnectionInfo> listOf(String user, int limit) {
        List<ConnectionInfo> found = new ArrayList<>();
        forEachOf(user, connection -> {
            if (found.size() < limit) {
                found.add(connection.info());
            }
        });
        return found;
    }
}
