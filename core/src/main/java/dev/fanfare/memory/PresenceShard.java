package dev.fanfare.memory;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.fanfare.ChannelId;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.PresenceStore.Departure;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/** Who is present in a part of the channels. */
final class PresenceShard {

    /*
     * State: per channel a Room with its users, per user its connections. A user without a connection is
     * in its grace period, stands in the queue of departures, and keeps the last connection for
     * show. It is present until its departure is handed out: so joins minus leaves is always
     * who is present, also when a sweep is late.
     *
     * Threads: thread-safe; one lock per shard, held for one call; nothing foreign is called.
     *
     * Bounds: as many entries as connections times channels. Every call first buries the connections under
     * ended leases: each connection is buried once, so the cost per call is constant when spread over all.
     */

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<ChannelId, Room> rooms = new HashMap<>();

    @GuardedBy("lock")
    private final Map<NodeLease, Set<Seat>> seats = new HashMap<>();

    @GuardedBy("lock")
    private final TreeSet<User> departing = new TreeSet<>(User.BY_DUE_TIME);

    @GuardedBy("lock")
    private long userCount;

    boolean enter(NodeLease lease, ChannelId channel, Member member, long graceNanos, long now) {
        lock.lock();
        try {
            bury(now);
            Room room = rooms.computeIfAbsent(channel, Room::new);
            User user = room.users.get(member.identity());
            boolean joins = user == null;
            if (user == null) {
                user = new User(room, member, userCount++);
                room.users.put(member.identity(), user);
            } else if (departing.remove(user)) {
                room.connections--;
            }
            Seat seat = new Seat(lease, user, member, graceNanos);
            Seat former = user.seats.put(member.connection(), seat);
            if (former == null) {
                room.connections++;
            } else {
                unlink(former);
            }
            seats.computeIfAbsent(lease, newcomer -> new LinkedHashSet<>()).add(seat);
            return joins;
        } finally {
            lock.unlock();
        }
    }

    boolean leave(ChannelId channel, Member member, long graceNanos, long now) {
        lock.lock();
        try {
            bury(now);
            Room room = rooms.get(channel);
            User user = room == null ? null : room.users.get(member.identity());
            Seat seat = user == null ? null : user.seats.remove(member.connection());
            if (user == null || seat == null) {
                return false;
            }
            unlink(seat);
            vacated(user, seat.member, now + graceNanos);
            if (graceNanos > 0 || !departing.remove(user)) {
                return false;
            }
            depart(user);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Adds departures that are due, until the list has that many. */
    void sweep(List<Departure> found, int limit, long now) {
        lock.lock();
        try {
            bury(now);
            while (found.size() < limit && !departing.isEmpty() && now - departing.first().dueNanos >= 0) {
                User user = departing.first();
                departing.remove(user);
                depart(user);
                found.add(new Departure(user.room.channel, user.last));
            }
        } finally {
            lock.unlock();
        }
    }

    PresenceSnapshot snapshot(ChannelId channel, int limit, long now) {
        List<Member> members = new ArrayList<>();
        lock.lock();
        try {
            bury(now);
            Room room = rooms.get(channel);
            if (room == null) {
                return new PresenceSnapshot(members, 0, 0);
            }
            for (User user : room.users.values()) {
                if (members.size() >= limit) {
                    break;
                }
                user.addTo(members, limit);
            }
            return new PresenceSnapshot(members, room.connections, room.users.size());
        } finally {
            lock.unlock();
        }
    }

    /** Takes out the connections under ended leases, in the order in which the leases ended. */
    @GuardedBy("lock")
    private void bury(long now) {
        while (true) {
            NodeLease ended = null;
            for (NodeLease lease : seats.keySet()) {
                if (lease.hasEnded(now) && (ended == null || lease.deadlineNanos() - ended.deadlineNanos() < 0)) {
                    ended = lease;
                }
            }
            Set<Seat> buried = ended == null ? null : seats.remove(ended);
            if (ended == null || buried == null) {
                return;
            }
            for (Seat seat : buried) {
                seat.user.seats.remove(seat.member.connection());
                vacated(seat.user, seat.member, ended.deadlineNanos() + seat.graceNanos);
            }
        }
    }

    @GuardedBy("lock")
    private void unlink(Seat seat) {
        Set<Seat> sameLease = seats.get(seat.lease);
        if (sameLease != null && sameLease.remove(seat) && sameLease.isEmpty()) {
            seats.remove(seat.lease);
        }
    }

    /** Goes on after a connection was taken out: the last one's place is kept until the user departs. */
    @GuardedBy("lock")
    private void vacated(User user, Member member, long dueNanos) {
        if (user.seats.isEmpty()) {
            user.last = member;
            user.dueNanos = dueNanos;
            departing.add(user);
        } else {
            user.room.connections--;
        }
    }

    @GuardedBy("lock")
    private void depart(User user) {
        Room room = user.room;
        room.connections--;
        room.users.remove(user.last.identity());
        if (room.users.isEmpty()) {
            rooms.remove(room.channel);
        }
    }

    /** One channel. */
    private static final class Room {
        final ChannelId channel;
        final Map<String, User> users = new LinkedHashMap<>();

        /** How many members a full snapshot lists. */
        int connections;

        Room(ChannelId channel) {
            this.channel = channel;
        }
    }

    /** One identity in one channel. */
    private static final class User {
        static final Comparator<User> BY_DUE_TIME = (a, b) -> {
            long later = a.dueNanos - b.dueNanos;
            return later != 0 ? Long.signum(later) : Long.compare(a.number, b.number);
        };

        final Room room;
        final long number;
        final Map<String, Seat> seats = new LinkedHashMap<>(2);

        /** The last connection; means something while there is none. */
        Member last;

        /** When it departs; changed only while the user is not in the queue of departures. */
        long dueNanos;

        User(Room room, Member first, long number) {
            this.room = room;
            this.last = first;
            this.number = number;
        }

        void addTo(List<Member> members, int limit) {
            if (seats.isEmpty()) {
                members.add(last);
                return;
            }
            for (Seat seat : seats.values()) {
                if (members.size() >= limit) {
                    return;
                }
                members.add(seat.member);
            }
        }
    }

    /** One connection of a user in a channel, under a lease. Compared by identity. */
    private static final class Seat {
        final NodeLease lease;
        final User user;
        final Member member;
        final long graceNanos;

        Seat(NodeLease lease, User user, Member member, long graceNanos) {
            this.lease = lease;
            this.user = user;
            this.member = member;
            this.graceNanos = graceNanos;
        }
    }
}
