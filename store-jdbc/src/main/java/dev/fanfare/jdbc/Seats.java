package dev.fanfare.jdbc;

import dev.fanfare.ChannelId;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The connections of users in channels. A connection under a lease that is over has left when that ended. */
final class Seats {

    private static final int PAGE = 100;

    private final Database database;
    private final Malformed malformed;

    Seats(Database database, Malformed malformed) {
        this.database = database;
        this.malformed = malformed;
    }

    /** Enters a connection, or moves it under another lease; the caller holds the user's row. */
    void put(Connection connection, byte[] user, byte[] seat, long incarnation, Member member, long graceMillis)
            throws SQLException {
        deleteSeat(connection, user, seat);
        try (PreparedStatement insert = database.prepare(
                connection,
                "INSERT INTO " + database.tables().seat()
                        + " (present_id, connection, incarnation, grace_millis, member) VALUES (?, ?, ?, ?, ?)")) {
            insert.setBytes(1, user);
            insert.setBytes(2, seat);
            insert.setLong(3, incarnation);
            insert.setLong(4, graceMillis);
            insert.setBytes(5, Wire.member(member));
            insert.executeUpdate();
        }
    }

    /** Locks users' rows in the order of their ids; returns those that are there. */
    List<byte[]> lock(Connection connection, List<byte[]> users) throws SQLException {
        List<byte[]> locked = new ArrayList<>();
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT id FROM " + database.tables().present() + " WHERE id IN ("
                        + database.dialect().in(users.size()) + ") ORDER BY id FOR UPDATE")) {
            database.dialect().setIn(select, 1, users);
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    locked.add(rows.getBytes(1));
                }
            }
        }
        return locked;
    }

    /** Takes a connection out of a user's locked row; returns whether the user has left by this. */
    boolean leave(Connection connection, byte[] user, byte[] connectionId, long graceMillis) throws SQLException {
        List<Seat> seats = of(connection, user);
        Seat mine = seats.stream()
                .filter(seat -> Arrays.equals(seat.id, connectionId))
                .findFirst()
                .orElse(null);
        if (mine == null || !mine.isAlive) {
            bury(connection, user, seats);
            return false;
        }
        boolean isLast = seats.stream().noneMatch(seat -> seat.isAlive && seat != mine);
        if (!isLast) {
            deleteSeat(connection, user, mine.id);
            return false;
        }
        deleteSeats(connection, user);
        if (graceMillis == 0) {
            deleteUsers(connection, List.of(user));
            return true;
        }
        depart(connection, user, mine.member, mine.now + graceMillis);
        return false;
    }

    /** Takes out a page of connections under leases that are over; returns whether there may be more. */
    boolean buryPage(Connection connection) throws SQLException {
        List<byte[]> users = new ArrayList<>();
        try (PreparedStatement select = database.prepare(
                        connection,
                        "SELECT DISTINCT s.present_id FROM " + database.tables().seat() + " s JOIN "
                                + database.tables().lease()
                                + " l ON l.incarnation = s.incarnation WHERE l.is_over = TRUE"
                                + " LIMIT " + PAGE);
                ResultSet rows = select.executeQuery()) {
            while (rows.next()) {
                users.add(rows.getBytes(1));
            }
        }
        if (!users.isEmpty()) {
            for (byte[] user : lock(connection, users)) {
                bury(connection, user, of(connection, user));
            }
        }
        return users.size() == PAGE;
    }

    private void bury(Connection connection, byte[] user, List<Seat> seats) throws SQLException {
        Seat last = null;
        boolean isAlive = false;
        for (Seat seat : seats) {
            if (seat.isAlive) {
                isAlive = true;
            } else {
                deleteSeat(connection, user, seat.id);
                last = last == null || seat.dueAt() > last.dueAt() ? seat : last;
            }
        }
        if (last != null && !isAlive) {
            depart(connection, user, last.member, last.dueAt());
        }
    }

    private void depart(Connection connection, byte[] user, byte[] last, long dueAt) throws SQLException {
        try (PreparedStatement update = database.prepare(
                connection,
                "UPDATE " + database.tables().present() + " SET due_at = ?, last_member = ? WHERE id = ?")) {
            update.setLong(1, dueAt);
            update.setBytes(2, last);
            update.setBytes(3, user);
            update.executeUpdate();
        }
    }

    private List<Seat> of(Connection connection, byte[] user) throws SQLException {
        List<Seat> seats = new ArrayList<>();
        String now = database.now();
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT s.connection, s.member, s.grace_millis, l.ends_at, l.is_over, " + now + " FROM "
                        + database.tables().seat() + " s LEFT JOIN "
                        + database.tables().lease()
                        + " l ON l.incarnation = s.incarnation WHERE s.present_id = ?")) {
            select.setBytes(1, user);
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    seats.add(new Seat(rows, 1));
                }
            }
        }
        return seats;
    }

    private void deleteSeat(Connection connection, byte[] user, byte[] seat) throws SQLException {
        try (PreparedStatement delete = database.prepare(
                connection, "DELETE FROM " + database.tables().seat() + " WHERE present_id = ? AND connection = ?")) {
            delete.setBytes(1, user);
            delete.setBytes(2, seat);
            delete.executeUpdate();
        }
    }

    private void deleteSeats(Connection connection, byte[] user) throws SQLException {
        try (PreparedStatement delete =
                database.prepare(connection, "DELETE FROM " + database.tables().seat() + " WHERE present_id = ?")) {
            delete.setBytes(1, user);
            delete.executeUpdate();
        }
    }

    /** Deletes users' rows, which have no connections. */
    void deleteUsers(Connection connection, List<byte[]> users) throws SQLException {
        try (PreparedStatement delete = database.prepare(
                connection,
                "DELETE FROM " + database.tables().present() + " WHERE id IN ("
                        + database.dialect().in(users.size()) + ")")) {
            database.dialect().setIn(delete, 1, users);
            delete.executeUpdate();
        }
    }

    /** Counts all who are in a channel, and lists so many: one statement, so all are of one instant. */
    PresenceSnapshot snapshot(Connection connection, ChannelId channel, int limit) throws SQLException {
        Map<ByteBuffer, User> users = new LinkedHashMap<>();
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT p.id, p.last_member, s.connection, s.member, s.grace_millis, l.ends_at, l.is_over, "
                        + database.now() + " FROM " + database.tables().present() + " p LEFT JOIN "
                        + database.tables().seat() + " s ON s.present_id = p.id LEFT JOIN "
                        + database.tables().lease() + " l ON l.incarnation = s.incarnation WHERE p.channel = ?")) {
            select.setString(1, channel.value());
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    byte[] last = rows.getBytes(2);
                    User user = users.computeIfAbsent(ByteBuffer.wrap(rows.getBytes(1)), id -> new User(last));
                    if (rows.getBytes(3) != null) {
                        user.add(new Seat(rows, 3));
                    }
                }
            }
        }
        int connections = 0;
        List<Member> members = new ArrayList<>();
        for (User user : users.values()) {
            List<byte[]> shown = user.shown();
            connections += shown.size();
            for (int i = 0; i < shown.size() && members.size() < limit; i++) {
                readable(channel, shown.get(i)).ifPresent(members::add);
            }
        }
        return new PresenceSnapshot(members, connections, users.size());
    }

    /** Whose row cannot be read is there all the same, and counted; it leaves by its key. */
    private Optional<Member> readable(ChannelId channel, byte[] member) {
        try {
            return Optional.of(Wire.member(member));
        } catch (RuntimeException unreadable) {
            malformed.member(channel.value(), unreadable);
            return Optional.empty();
        }
    }

    /** One user of a snapshot. */
    private static final class User {
        private final List<byte[]> living = new ArrayList<>(1);
        private byte @Nullable [] last;
        private long lastDueAt = Long.MIN_VALUE;

        User(byte @Nullable [] last) {
            this.last = last;
        }

        void add(Seat seat) {
            if (seat.isAlive) {
                living.add(seat.member);
            } else if (seat.dueAt() > lastDueAt) {
                lastDueAt = seat.dueAt();
                last = seat.member;
            }
        }

        /** Returns the connections that stand for it; in its grace, the last one. */
        List<byte[]> shown() {
            byte[] only = last;
            return living.isEmpty() && only != null ? List.of(only) : living;
        }
    }

    /** One connection. */
    private static final class Seat {
        private final byte[] id;
        private final byte[] member;
        private final boolean isAlive;
        private final long now;
        private final long endsAt;
        private final long graceMillis;

        /** Reads connection, member, grace, the end of the lease, whether it is over, and the time. */
        Seat(ResultSet row, int first) throws SQLException {
            this.id = row.getBytes(first);
            this.member = row.getBytes(first + 1);
            this.graceMillis = row.getLong(first + 2);
            this.endsAt = row.getLong(first + 3);
            boolean hasLease = !row.wasNull();
            this.isAlive = hasLease && !row.getBoolean(first + 4);
            this.now = row.getLong(first + 5);
        }

        /** Returns when its user has left, if this was the last connection. */
        long dueAt() {
            return endsAt + graceMillis;
        }
    }
}
