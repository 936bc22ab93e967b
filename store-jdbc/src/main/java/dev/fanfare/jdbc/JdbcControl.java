package dev.fanfare.jdbc;

import static java.util.Objects.requireNonNull;

import dev.fanfare.FanfareException;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LogLine;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets nodes talk to each other through the bus table, and knows who lives. */
final class JdbcControl implements ControlBus {

    /*
     * State: the memberships of this store object; each is a row with an end, moved on by beat().
     *
     * Threads: thread-safe. Handlers are called on the bus reader's thread, so all nodes hear all messages in one order.
     */

    private static final Logger LOG = LoggerFactory.getLogger(JdbcControl.class);
    private static final LogLine THREW =
            LogLine.error(JdbcControl.class, "A control handler threw, which it must not; going on with the next");
    private static final LogLine NOT_RENEWED =
            LogLine.warn(JdbcControl.class, "Other nodes may think that this node is gone");
    static final Duration BEAT = Duration.ofSeconds(4);
    private static final long LEASE_MILLIS = 15_000;

    private final Database database;
    private final List<Place> places = new CopyOnWriteArrayList<>();
    private final JdbcBus bus;

    /** The last goodbye: who joins again waits for it. */
    private volatile CompletionStage<Boolean> leaving = CompletableFuture.completedStage(true);

    JdbcControl(Database database, JdbcBus bus) {
        this.database = database;
        this.bus = bus;
        bus.onControl(this::heard);
    }

    @Override
    public CompletionStage<Membership> join(String node, Consumer<String> handler) {
        Place place = new Place(requireNonNull(node, "node"), requireNonNull(handler, "handler"));
        return bus.start()
                .thenCompose(started -> leaving)
                .thenCompose(left -> {
                    places.add(place);
                    return database.transact("join as node " + node, connection -> renew(connection, place));
                })
                .thenApply(joined -> place);
    }

    @Override
    public CompletionStage<Void> send(String message) {
        if (message.length() > MAX_MESSAGE_LENGTH) {
            throw new IllegalArgumentException(
                    "A message has at most " + MAX_MESSAGE_LENGTH + " characters: " + message.length());
        }
        return bus.sendControl(message);
    }

    @Override
    public CompletionStage<Set<String>> nodes() {
        return database.query("list the nodes", connection -> {
            Set<String> nodes = new HashSet<>();
            try (PreparedStatement select = database.prepare(
                            connection,
                            "SELECT node FROM " + database.tables().node() + " WHERE ends_at > " + database.now());
                    ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    nodes.add(rows.getString(1));
                }
            }
            return Set.copyOf(nodes);
        });
    }

    private void heard(String message) {
        for (Place place : places) {
            try {
                place.handler.accept(message);
            } catch (RuntimeException broken) {
                THREW.logTrace(broken);
            }
        }
    }

    /** Says that this store's nodes live; called every {@link #BEAT}. */
    void beat() {
        for (Place place : places) {
            try {
                database.transactNow("renew node " + place.node, connection -> renew(connection, place));
            } catch (FanfareException failure) {
                NOT_RENEWED.log("node", place.node, "failure", failure);
            }
        }
    }

    private boolean renew(Connection connection, Place place) throws SQLException {
        if (!places.contains(place)) {
            return false;
        }
        String table = database.tables().node();
        String end = database.now() + " + " + LEASE_MILLIS;
        try (PreparedStatement update =
                database.prepare(connection, "UPDATE " + table + " SET ends_at = " + end + " WHERE node = ?")) {
            update.setString(1, place.node);
            if (update.executeUpdate() > 0) {
                return true;
            }
        }
        try (PreparedStatement insert = database.prepare(
                connection,
                "INSERT INTO " + table + " (node, ends_at) VALUES (?, " + end + ")"
                        + database.dialect().orIgnore())) {
            insert.setString(1, place.node);
            return database.dialect().insertIgnoring(insert);
        }
    }

    private boolean remove(Connection connection, String node) throws SQLException {
        boolean isHereAgain = places.stream().anyMatch(place -> place.node.equals(node));
        if (isHereAgain) {
            return false;
        }
        try (PreparedStatement delete = database.prepare(
                connection,
                "DELETE FROM " + database.tables().node() + " WHERE node = ? OR ends_at < " + database.now() + " - "
                        + LEASE_MILLIS)) {
            delete.setString(1, node);
            return delete.executeUpdate() > 0;
        }
    }

    private final class Place implements Membership {
        private final String node;
        private final Consumer<String> handler;

        Place(String node, Consumer<String> handler) {
            this.node = node;
            this.handler = handler;
        }

        @Override
        public void close() {
            if (places.remove(this)) {
                leaving = database.transact("leave as node " + node, connection -> remove(connection, node))
                        .exceptionally(failure -> {
                            LOG.atDebug()
                                    .addKeyValue("node", node)
                                    .setCause(failure)
                                    .log("A node is listed until its lease is over");
                            return false;
                        });
            }
        }
    }
}
