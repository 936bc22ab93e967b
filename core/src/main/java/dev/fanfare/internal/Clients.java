package dev.fanfare.internal;

import dev.fanfare.ConnectionInfo;
import dev.fanfare.Selection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * The connections of this node, by id and by user. Thread-safe.
 *
 * <p><i>Bounds.</i> One entry per open connection.
 */
final class Clients {

    private final Map<String, ClientConnection> byId = new ConcurrentHashMap<>();
    private final Map<String, Set<ClientConnection>> byUser = new ConcurrentHashMap<>();

    void add(ClientConnection connection) {
        byId.put(connection.info().id(), connection);
        if (!connection.info().user().isEmpty()) {
            byUser.compute(connection.info().user(), (user, present) -> {
                Set<ClientConnection> all = present == null ? ConcurrentHashMap.newKeySet(1) : present;
                all.add(connection);
                return all;
            });
        }
    }

    void remove(ClientConnection connection) {
        byId.remove(connection.info().id(), connection);
        byUser.computeIfPresent(connection.info().user(), (user, present) -> {
            present.remove(connection);
            return present.isEmpty() ? null : present;
        });
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
            byUser.getOrDefault(user, Set.of()).forEach(action);
        }
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
