package dev.fanfare.jdbc;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.PresenceStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Keeps who is present in tables, under leases that go by the database's clock. */
final class JdbcPresence implements PresenceStore {

    /*
     * State: per node leases, of which one may be alive; per user in a channel one row, from the join until the
     * departure is handed out; per connection one row under a lease. A user row with a due time has no
     * connections: it is in its grace.
     *
     * Locks: whoever changes a user's connections holds the user's row. Who enters holds the lease as well, shared and
     * before the user's row, so that a lease cannot end in between. A lease that anybody has found ended is marked so,
     * in a step of its own, before anything is concluded from it; after that its node cannot renew it.
     *
     * Threads: thread-safe. Every call is a transaction on a store thread.
     */

    private final Database database;
    private final Malformed malformed;
    private final Seats seats;
    private final Leases leases;

    JdbcPresence(Database database, Malformed malformed) {
        this.database = database;
        this.malformed = malformed;
        this.seats = new Seats(database, malformed);
        this.leases = new Leases(database);
    }

    @Override
    public CompletionStage<Boolean> renew(String node, Duration timeToLive) {
        requireNonNull(node, "node");
        return database.transact(
                "renew the lease of " + node,
                connection -> leases.renew(connection, node, ChannelRow.millis(timeToLive)));
    }

    @Override
    public CompletionStage<Void> retire(String node) {
        return database.<Integer>query("end the lease of " + node, connection -> leases.retire(connection, node))
                .thenAccept(ended -> {});
    }

    @Override
    public CompletionStage<Boolean> enter(String node, ChannelId channel, Member member, Duration grace) {
        requireNonNull(member, "member");
        return database.transact("enter " + channel, connection -> {
            long incarnation = leases.ofNode(connection, node);
            byte[] user = Keys.of(channel, member.identity());
            boolean joins = takeRow(connection, user, channel);
            seats.put(connection, user, Keys.of(channel, member.connection()), incarnation, member, grace.toMillis());
            return joins;
        });
    }

    /** Locks the user's row, and makes it if it is not there; returns whether it was not. */
    private boolean takeRow(Connection connection, byte[] user, ChannelId channel) throws SQLException {
        try (PreparedStatement update = database.prepare(
                connection,
                "UPDATE " + database.tables().present() + " SET due_at = NULL, last_member = NULL WHERE id = ?")) {
            update.setBytes(1, user);
            if (update.executeUpdate() > 0) {
                return false;
            }
        }
        try (PreparedStatement insert = database.prepare(
                connection,
                "INSERT INTO " + database.tables().present() + " (id, channel) VALUES (?, ?)"
                        + database.dialect().orIgnore())) {
            insert.setBytes(1, user);
            insert.setString(2, channel.value());
            if (!database.dialect().insertIgnoring(insert)) {
                throw new SQLException("Another connection of the user came first", "40001");
            }
            return true;
        }
    }

    @Override
    public CompletionStage<Boolean> leave(ChannelId channel, Member member, Duration grace) {
        byte[] user = Keys.of(channel, member.identity());
        byte[] seat = Keys.of(channel, member.connection());
        return database.query("leave " + channel, leases::markEnded)
                .thenCompose(ended -> database.transact("leave " + channel, connection -> {
                    List<byte[]> locked = seats.lock(connection, List.of(user));
                    return !locked.isEmpty() && seats.leave(connection, user, seat, grace.toMillis());
                }));
    }

    @Override
    public CompletionStage<List<Departure>> sweep(int limit) {
        return database.query("look for ended leases", leases::markEnded)
                .thenCompose(ended -> database.query("clear ended leases", connection -> leases.countEnded(connection)))
                .thenCompose(count -> count == 0 ? database.transact("sweep", c -> claim(c, limit)) : bury(limit));
    }

    private CompletionStage<List<Departure>> bury(int limit) {
        return database.transact("clear ended leases", seats::buryPage).thenCompose(isMore -> {
            if (isMore) {
                return bury(limit);
            }
            return database.query("forget ended leases", leases::deleteEmpty)
                    .thenCompose(deleted -> database.transact("sweep", connection -> claim(connection, limit)));
        });
    }

    /**
     * Takes out the users whose grace is over; each is found by one sweep. One that cannot be read goes untold, or no sweep
     * would ever come past it.
     */
    private List<Departure> claim(Connection connection, int limit) throws SQLException {
        List<Departure> departures = new ArrayList<>();
        List<byte[]> users = new ArrayList<>();
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT id, channel, last_member FROM " + database.tables().present() + " WHERE due_at <= "
                        + database.now() + " ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED")) {
            select.setInt(1, limit);
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    users.add(rows.getBytes(1));
                    departure(rows.getString(2), rows.getBytes(3)).ifPresent(departures::add);
                }
            }
        }
        if (!users.isEmpty()) {
            seats.deleteUsers(connection, users);
        }
        return List.copyOf(departures);
    }

    private Optional<Departure> departure(String channel, byte[] member) {
        try {
            return Optional.of(new Departure(ChannelId.of(channel), Wire.member(member)));
        } catch (RuntimeException unreadable) {
            malformed.member(channel, unreadable);
            return Optional.empty();
        }
    }

    @Override
    public CompletionStage<PresenceSnapshot> snapshot(ChannelId channel, int limit) {
        return database.query("look who is in " + channel, connection -> seats.snapshot(connection, channel, limit));
    }
}
