package dev.fanfare.testkit;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishResult;
import dev.fanfare.Resume;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Judges by what clients saw and publishers were told, and by nothing else, whether Fanfare kept its promise:
 *
 * <ul>
 *   <li>what a client gets of a channel is consecutive by offset, and linked by tag where tags are known, within
 *       one epoch, until a reset or a skip is announced;
 *   <li>a client that goes on from its position goes on from exactly there, or is reset;
 *   <li>no publication comes twice;
 *   <li>all clients and publishers agree on what stands at a position;
 *   <li>a client that claims to have everything has each accepted publication of its runs.
 * </ul>
 *
 * <p>Feed it from {@link RecordingSubscriber}s or by hand, with whole publications or, for wire clients that know
 * no tags, with offset, epoch and data. Publications without offset have no run and are not judged.
 *
 * <p><b>Threading:</b> thread-safe. The calls of one client come in the order in which it saw things.
 */
public final class HistoryChecker {

    private static final int REMEMBERED = 12;

    private final ReentrantLock lock = new ReentrantLock();

    // All guarded by the lock.
    private final List<Client> clients = new ArrayList<>();
    private final Map<Place, List<Version>> places = new HashMap<>();
    private final List<Accepted> accepted = new ArrayList<>();
    private boolean uniquePayloads;
    private @Nullable String violation;

    /** Makes a checker that knows nothing. */
    public HistoryChecker() {}

    /**
     * Begins to watch a client in a channel. A client that comes back with an older cursor, or without one, is another
     * client; so is each return to a channel that resumes with the latest, which has no runs.
     */
    public Client client(String name, ChannelId channel) {
        Client client = new Client(requireNonNull(name, "name"), requireNonNull(channel, "channel"));
        lock.lock();
        try {
            clients.add(client);
            return client;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Says that no payload of a channel is published twice on purpose, so that one seen at two positions was
     * appended twice.
     */
    public void payloadsAreUnique() {
        lock.lock();
        try {
            uniquePayloads = true;
        } finally {
            lock.unlock();
        }
    }

    /** Notes what a publisher was told. Only accepted publications in channels that retain count. */
    public void published(ChannelId channel, Payload data, PublishResult result) {
        if (result.isAccepted()) {
            result.position().ifPresent(position -> accepted(channel, position, data));
        }
    }

    /** Notes that a publisher was told that position; without a tag if none is known. */
    public void accepted(ChannelId channel, Cursor position, Payload data) {
        lock.lock();
        try {
            Place place = new Place(channel, position.epoch(), position.offset());
            note(place, position.tag(), data, "a publisher");
            accepted.add(new Accepted(place, data));
        } finally {
            lock.unlock();
        }
    }

    /**
     * Notes that the store lost what it had accepted in the channel after that offset, as after a failover to a
     * stale replica: nobody needs to have that, and its offsets may stand for something else.
     */
    public void lost(ChannelId channel, long lastKeptOffset) {
        lock.lock();
        try {
            for (Accepted each : accepted) {
                if (each.place.channel().equals(channel) && each.place.offset() > lastKeptOffset) {
                    each.lost = true;
                }
            }
            places.forEach((place, versions) -> {
                if (place.channel().equals(channel) && place.offset() > lastKeptOffset) {
                    versions.forEach(version -> version.lost = true);
                }
            });
        } finally {
            lock.unlock();
        }
    }

    /** Returns the first thing that is wrong, for a human to read. */
    public Optional<String> firstViolation() {
        lock.lock();
        try {
            if (violation == null) {
                checkAgreement();
            }
            if (violation == null) {
                clients.forEach(Client::checkRepeats);
            }
            if (violation == null) {
                clients.forEach(Client::checkCompleteness);
            }
            return Optional.ofNullable(violation);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Fails if anything is wrong.
     *
     * @throws AssertionError that says what
     */
    public void assertHolds() {
        firstViolation().ifPresent(what -> {
            throw new AssertionError(what);
        });
    }

    private void violated(String what) {
        if (violation == null) {
            violation = what;
        }
    }

    private void note(Place place, long tag, Payload data, String witness) {
        List<Version> versions = places.computeIfAbsent(place, absent -> new ArrayList<>(1));
        for (Version version : versions) {
            if (version.isSame(tag, data)) {
                version.tag = tag == Cursor.NO_TAG ? version.tag : tag;
                return;
            }
        }
        versions.add(new Version(tag, data, witness));
    }

    private void checkAgreement() {
        Map<List<Object>, Place> payloads = new HashMap<>();
        places.forEach((place, versions) -> {
            List<Version> valid =
                    versions.stream().filter(version -> !version.lost).toList();
            if (valid.size() > 1) {
                violated("At " + place + " " + valid.get(0) + ", but " + valid.get(1));
            }
            if (uniquePayloads && !valid.isEmpty()) {
                Place twin = payloads.put(List.of(place.channel(), valid.get(0).data), place);
                if (twin != null) {
                    violated(
                            "The same payload stands at " + twin + " and at " + place + ": " + text(valid.get(0).data));
                }
            }
        });
    }

    private static String text(Payload data) {
        return data.size() <= 80 ? '"' + data.text() + '"' : data.toString();
    }

    /** What one client saw of one channel; see {@link HistoryChecker}. */
    public final class Client {
        private final String name;
        private final ChannelId channel;
        private final Deque<String> recent = new ArrayDeque<>();
        private final List<Run> runs = new ArrayList<>();
        private final List<Place> repeats = new ArrayList<>();
        private long skips;
        private boolean complete;
        private @Nullable Cursor position;

        private Client(String name, ChannelId channel) {
            this.name = name;
            this.channel = channel;
        }

        /** Returns where the client is: what it would present to resume. */
        public Optional<Cursor> position() {
            lock.lock();
            try {
                return Optional.ofNullable(position);
            } finally {
                lock.unlock();
            }
        }

        /** Notes how a subscription begins, or goes on after a reconnection, or that it was reset. */
        public void resumed(Resume resume) {
            lock.lock();
            try {
                remember(resume.toString());
                Cursor before = position;
                Cursor now = resume.position();
                if (resume instanceof Resume.Continued && before != null) {
                    if (!isSame(before, now)) {
                        fail("it continues from " + now + ", but it was at " + before);
                    }
                    if (skips == 0) {
                        position = now.tag() == Cursor.NO_TAG ? before : now;
                        return;
                    }
                } else if (!(resume instanceof Resume.Reset) && before != null) {
                    fail("it was at " + before + " and is not told what becomes of that, but " + resume);
                }
                position = now;
                skips = 0;
                runs.add(new Run(now.epoch(), now.offset()));
            } finally {
                lock.unlock();
            }
        }

        /** Notes a publication. */
        public void received(Publication publication) {
            if (publication.isLogged()) {
                received(publication.cursor(), publication.previousTag(), publication.data());
            }
        }

        /** Notes a publication of which no tags are known. */
        public void received(String epoch, long offset, Payload data) {
            received(Cursor.of(epoch, offset), Cursor.NO_TAG, data);
        }

        /** Notes that so many publications were announced as skipped; they lie before the next one. */
        public void skipped(long count) {
            lock.lock();
            try {
                remember("skipped " + count);
                skips += count;
            } finally {
                lock.unlock();
            }
        }

        /**
         * Says that the client has waited for everything: what was accepted after the beginning of its last run
         * in that run's epoch, and is not excused by a reset or skip, must be there when the history is judged.
         */
        public void claimsEverything() {
            lock.lock();
            try {
                complete = true;
            } finally {
                lock.unlock();
            }
        }

        private void received(Cursor at, long previousTag, Payload data) {
            lock.lock();
            try {
                remember(at.epoch() + '/' + at.offset() + ' ' + text(data));
                checkLink(at, previousTag);
                Place place = new Place(channel, at.epoch(), at.offset());
                note(place, at.tag(), data, "client " + name);
                if (runs.stream().anyMatch(run -> run.holds(at))) {
                    repeats.add(place);
                }
                extend(at);
            } finally {
                lock.unlock();
            }
        }

        private void checkLink(Cursor at, long previousTag) {
            Cursor before = position;
            if (before == null) {
                fail("a publication came before it was said how the subscription begins");
                return;
            }
            if (!at.epoch().equals(before.epoch())) {
                fail("the epoch changed from " + before.epoch() + " without a reset");
                return;
            }
            long expected = before.offset() + skips + 1;
            if (at.offset() <= before.offset()) {
                fail("offset " + at.offset() + " came again or too late: it was at " + before.offset());
            } else if (at.offset() != expected) {
                fail("a hole: offset " + expected + " was expected"
                        + (skips == 0 ? "" : " after " + skips + " skipped ones") + ", not " + at.offset());
            }
            boolean tagsKnown = at.tag() != Cursor.NO_TAG && (before.tag() != Cursor.NO_TAG || before.offset() == 0);
            if (tagsKnown && skips == 0 && previousTag != before.tag()) {
                fail("the chain is broken: it names " + Long.toHexString(previousTag)
                        + " as the tag before, but that is " + Long.toHexString(before.tag()));
            }
        }

        private void extend(Cursor at) {
            boolean linked = position != null && at.epoch().equals(position.epoch()) && at.offset() > position.offset();
            if (linked && skips == 0 && !runs.isEmpty()) {
                runs.get(runs.size() - 1).end = at.offset();
            } else {
                Run run = new Run(at.epoch(), at.offset() - 1);
                run.end = at.offset();
                runs.add(run);
            }
            position = at;
            skips = 0;
        }

        private void checkRepeats() {
            for (Place repeat : repeats) {
                if (places.getOrDefault(repeat, List.of()).size() < 2) {
                    fail(repeat + " came twice, before and after a reset");
                }
            }
        }

        private void checkCompleteness() {
            Cursor last = position;
            if (!complete || last == null || runs.isEmpty()) {
                return;
            }
            Run run = runs.get(runs.size() - 1);
            for (Accepted each : accepted) {
                Place place = each.place;
                boolean mine = place.channel().equals(channel) && place.epoch().equals(run.epoch);
                if (mine && !each.lost && place.offset() > last.offset() + skips) {
                    fail("it claims everything, but " + place + ' ' + text(each.data)
                            + " was accepted and is missing; it is at " + last.offset());
                }
            }
            accepted.stream()
                    .filter(each -> each.place.channel().equals(channel))
                    .reduce((first, second) -> second)
                    .filter(newest -> !newest.place.epoch().equals(run.epoch))
                    .ifPresent(newest -> fail("it claims everything, but is in epoch " + run.epoch + " while "
                            + newest.place + " was accepted last"));
        }

        private void remember(String what) {
            if (recent.size() == REMEMBERED) {
                recent.removeFirst();
            }
            recent.addLast(what);
        }

        private void fail(String what) {
            violated("Client " + name + " in " + channel + ": " + what + "\n  it saw lately: "
                    + String.join(", ", recent));
        }

        private static boolean isSame(Cursor a, Cursor b) {
            return a.epoch().equals(b.epoch())
                    && a.offset() == b.offset()
                    && (a.tag() == b.tag() || a.tag() == Cursor.NO_TAG || b.tag() == Cursor.NO_TAG);
        }
    }

    /** A stretch that a client saw without a hole: offsets after start, up to end. */
    private static final class Run {
        private final String epoch;
        private final long start;
        private long end;

        Run(String epoch, long start) {
            this.epoch = epoch;
            this.start = start;
            this.end = start;
        }

        boolean holds(Cursor at) {
            return at.epoch().equals(epoch) && at.offset() > start && at.offset() <= end;
        }
    }

    private record Place(ChannelId channel, String epoch, long offset) {
        @Override
        public String toString() {
            return channel + " " + epoch + '/' + offset;
        }
    }

    /** What somebody says stands at a place. */
    private static final class Version {
        private long tag;
        private final Payload data;
        private final String witness;
        private boolean lost;

        Version(long tag, Payload data, String witness) {
            this.tag = tag;
            this.data = data;
            this.witness = witness;
        }

        boolean isSame(long otherTag, Payload otherData) {
            boolean tagsAgree = tag == otherTag || tag == Cursor.NO_TAG || otherTag == Cursor.NO_TAG;
            return tagsAgree && data.equals(otherData);
        }

        @Override
        public String toString() {
            return witness + " has " + text(data) + " with tag " + Long.toHexString(tag);
        }
    }

    /** What a publisher was told. */
    private static final class Accepted {
        private final Place place;
        private final Payload data;
        private boolean lost;

        Accepted(Place place, Payload data) {
            this.place = place;
            this.data = data;
        }
    }
}
