package dev.fanfare.internal;

import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds where a subscription begins, collects what it missed, and hands it over to the live path.
 *
 * <p>There is nothing to merge. The reader is already in its lane but not live; its lane knows up to
 * where it has been served. Replay moves a position forward, through the log and then through the
 * topic's ring, until it has reached the lane's. Both live on one thread, so at that instant the
 * subscription is live, and can neither miss nor repeat anything.
 *
 * <p><i>Threads.</i> Confined to the loop of its reader.
 *
 * <p><i>Bounds.</i> Answers with at most {@link #MOST_BYTES} of payloads, and more only for one publication
 * alone; the rest follows as the socket takes it. Collects at most as many publications as a resume may bring; tries {@link
 * #MAX_ATTEMPTS} reads.
 */
final class Replay {

    private static final int MAX_ATTEMPTS = 5;
    private static final int MOST_BYTES = 512 * 1024;

    private final StartAt start;
    private final boolean mustResume;
    private final Consumer<SubscribeResult> answer;
    private final List<Publication> missed = new ArrayList<>();
    private boolean isAnswered;
    private boolean hasLooked;
    private int attempts;

    Replay(SubscribeRequest request, Consumer<SubscribeResult> answer) {
        this.start = request.start();
        this.mustResume = request.mustResume();
        this.answer = answer;
    }

    /** Begins; the reader has just taken its place. */
    void begin(Reader reader, Lane lane) {
        missed.clear();
        if (!reader.rules.isRetained()) {
            beginUnretained(reader);
        } else if (start instanceof StartAt.After after) {
            if (!hasLooked && lane.isInDoubt()) {
                look(reader, lane);
            } else {
                beginAfter(reader, lane, after.cursor());
            }
        } else if (start instanceof StartAt.Latest latest && latest.count() > 0) {
            read(
                    reader,
                    lane,
                    LogRead.newest(reader.channel, latest.count()),
                    page -> takeNewest(reader, lane, latest.count(), page));
        } else {
            Cursor position = lane.position();
            finish(reader, new Resume.Fresh(position), position);
        }
    }

    /** The reader ended before it began. */
    void cancelled() {
        refuse(Refusal.CLOSED);
    }

    /** Answers that there will be no subscription. */
    void refuse(Refusal reason) {
        if (!isAnswered) {
            isAnswered = true;
            answer.accept(new SubscribeResult.Refused(reason));
        }
    }

    private void beginUnretained(Reader reader) {
        Cursor nowhere = Cursor.of("", 0);
        if (start instanceof StartAt.After && mustResume) {
            reader.refuse(Refusal.UNRECOVERABLE);
            return;
        }
        Resume resume = start instanceof StartAt.After
                ? new Resume.Reset(ResetReason.TRIMMED, nowhere)
                : new Resume.Fresh(nowhere);
        finish(reader, resume, nowhere);
    }

    // ---- resume after a cursor

    private void beginAfter(Reader reader, Lane lane, Cursor cursor) {
        Cursor served = lane.position();
        if (Positions.isAt(cursor, served) && (cursor.hasEpoch() || !reader.rules.resumesWithLatest())) {
            finish(reader, new Resume.Continued(served), served);
            return;
        }
        if (reader.rules.resumesWithLatest()) {
            beginWithLatest(reader, lane, cursor);
            return;
        }
        int limit = Math.min(reader.rules.recoveryLimit(), reader.rules.retainedCount());
        List<Publication> recent = lane.topic.ring().after(cursor, limit);
        if (recent != null && lane.topic.isRetained(recent.get(0))) {
            continueWith(reader, lane, cursor, recent);
        } else if (recent == null && !lane.topic.ring().isWarm() && isInReachOfRing(cursor, served)) {
            lane.topic.warm(lane.queue, () -> {
                if (!reader.isEnded()) {
                    begin(reader, lane);
                }
            });
        } else {
            int page = reader.rules.recoveryLimit() + 1;
            read(reader, lane, LogRead.after(reader.channel, cursor.offset(), page), read -> {
                ResetReason broken = Positions.judge(cursor, read);
                if (broken == null && read.head().offset() - cursor.offset() > reader.rules.recoveryLimit()) {
                    broken = ResetReason.TOO_FAR;
                }
                if (broken != null) {
                    reset(reader, lane, broken, read.head());
                } else if (read.publications().isEmpty()) {
                    continueWith(reader, lane, read.head(), List.of());
                } else {
                    continueWith(reader, lane, cursor, read.publications());
                }
            });
        }
    }

    private static boolean isInReachOfRing(Cursor cursor, Cursor served) {
        long missed = served.offset() - cursor.offset();
        return missed > 0 && missed <= Ring.MOST_SLOTS && (cursor.epoch().equals(served.epoch()) || !cursor.hasEpoch());
    }

    private void continueWith(Reader reader, Lane lane, Cursor from, List<Publication> publications) {
        missed.addAll(publications);
        Cursor proven = from;
        if (!publications.isEmpty()) {
            proven = Positions.before(publications.get(0));
        }
        walkToLane(reader, lane, new Resume.Continued(proven), proven);
    }

    // ---- resume with the newest alone

    private void beginWithLatest(Reader reader, Lane lane, Cursor cursor) {
        Cursor served = lane.position();
        Publication newest = lane.topic.ring().at(served.offset());
        if (newest != null && newest.cursor().equals(served) && lane.topic.isRetained(newest)) {
            missed.add(newest);
            finish(reader, new Resume.Latest(Positions.before(newest)), served);
            return;
        }
        read(reader, lane, LogRead.newest(reader.channel, 1), page -> {
            if (page.publications().isEmpty()) {
                ResetReason broken = Positions.judge(cursor, page);
                reset(reader, lane, broken == null ? ResetReason.TRIMMED : broken, page.head());
            } else {
                missed.addAll(page.publications());
                Cursor from = Positions.before(missed.get(0));
                walkToLane(reader, lane, new Resume.Latest(from), from);
            }
        });
    }

    // ---- begin with the newest few

    private void takeNewest(Reader reader, Lane lane, int count, LogPage page) {
        List<Publication> newest = new ArrayList<>(page.publications());
        Collections.reverse(newest);
        if (newest.isEmpty() || newest.size() == count || newest.get(0).offset() == 1) {
            beginWith(reader, lane, page.head(), newest);
            return;
        }
        // The log has no more, or the page is cut short: then the first of so many are to be had.
        long before = newest.get(newest.size() - 1).offset() - count;
        read(reader, lane, LogRead.after(reader.channel, Math.max(0, before), count), first -> {
            List<Publication> oldest = first.publications();
            boolean isOlder = !oldest.isEmpty()
                    && oldest.get(0).epoch().equals(newest.get(0).epoch())
                    && oldest.get(0).offset() < newest.get(0).offset();
            beginWith(reader, lane, page.head(), isOlder ? oldest : newest);
        });
    }

    private void beginWith(Reader reader, Lane lane, Cursor head, List<Publication> publications) {
        missed.addAll(publications);
        Cursor from = missed.isEmpty() ? head : Positions.before(missed.get(0));
        walkToLane(reader, lane, new Resume.Fresh(from), from);
    }

    // ---- reach the lane

    private void walkToLane(Reader reader, Lane lane, Resume resume, Cursor from) {
        Cursor served = lane.position();
        // What lies beyond the lane's position comes through the lane.
        missed.removeIf(publication ->
                publication.offset() > served.offset() && publication.epoch().equals(served.epoch()));
        Cursor position =
                missed.isEmpty() ? from : missed.get(missed.size() - 1).cursor();
        while (isBefore(position, served)) {
            Publication next = lane.topic.ring().at(position.offset() + 1);
            if (next == null || !next.follows(position)) {
                if (isEnoughForOneAnswer()) {
                    arrive(reader, lane, resume, position);
                } else {
                    readOn(reader, lane, resume, position);
                }
                return;
            }
            missed.add(next);
            position = next.cursor();
        }
        if (position.equals(served)) {
            arrive(reader, lane, resume, position);
        } else {
            look(reader, lane);
        }
    }

    /** Tells whether there is more than one answer brings anyway; the rest is left to catching up. */
    private boolean isEnoughForOneAnswer() {
        long bytes = 0;
        for (Publication publication : missed) {
            bytes += publication.data().size();
        }
        return bytes > MOST_BYTES;
    }

    /** Ends at that position, which is the lane's or on the way there. */
    private void arrive(Reader reader, Lane lane, Resume resume, Cursor position) {
        long left = lane.offset() - position.offset();
        if (resume instanceof Resume.Continued && missed.size() + left > reader.rules.recoveryLimit()) {
            reset(reader, lane, ResetReason.TOO_FAR, position);
        } else if (resume instanceof Resume.Latest && missed.size() > 1) {
            Publication newest = missed.get(missed.size() - 1);
            missed.clear();
            missed.add(newest);
            finish(reader, new Resume.Latest(Positions.before(newest)), position);
        } else {
            finish(reader, resume, position);
        }
    }

    private static boolean isBefore(Cursor position, Cursor served) {
        return position.epoch().equals(served.epoch()) && position.offset() < served.offset();
    }

    private void readOn(Reader reader, Lane lane, Resume resume, Cursor position) {
        if (missed.size() > reader.rules.recoveryLimit() && resume instanceof Resume.Continued) {
            reset(reader, lane, ResetReason.TOO_FAR, lane.position());
            return;
        }
        LogRead read = LogRead.after(reader.channel, position.offset(), reader.rules.recoveryLimit() + 1);
        read(reader, lane, read, page -> {
            if (Positions.judge(position, page) != null || page.publications().isEmpty()) {
                look(reader, lane);
            } else {
                missed.addAll(page.publications());
                walkToLane(reader, lane, resume, position);
            }
        });
    }

    /** Log and lane disagree, or may: lets the topic look at the log, then begins again. */
    private void look(Reader reader, Lane lane) {
        if (attempts++ >= MAX_ATTEMPTS) {
            fail(reader);
            return;
        }
        lane.topic.verify(lane.queue, isVerified -> {
            hasLooked = isVerified || lane.topic.isLogDurable();
            if (!reader.isEnded()) {
                begin(reader, lane);
            }
        });
    }

    private void reset(Reader reader, Lane lane, ResetReason reason, Cursor head) {
        Cursor served = lane.position();
        if (!served.epoch().equals(head.epoch())) {
            look(reader, lane);
            return;
        }
        if (mustResume) {
            reader.refuse(Refusal.UNRECOVERABLE);
            return;
        }
        missed.clear();
        finish(reader, new Resume.Reset(reason, served), served);
    }

    private void finish(Reader reader, Resume resume, Cursor position) {
        Cursor reached = cutToBudget(reader, position);
        reader.outgoing.answeredWith(missed);
        if (reader.isServedUpTo(reached)) {
            reader.goLive(reached);
        } else {
            reader.goCatchUp(reached);
        }
        reader.port.started(reader, resume);
        isAnswered = true;
        answer.accept(new SubscribeResult.Subscribed(
                resume,
                Collections.unmodifiableList(missed),
                reached,
                reader.rules.isRetained(),
                reader.outgoing.hasDeltas()));
        reader.resume();
    }

    /**
     * Keeps what the reader wants, and leaves to catching up, which goes by the pace of the socket, what would
     * be too much for one answer.
     */
    private Cursor cutToBudget(Reader reader, Cursor position) {
        if (missed.isEmpty()) {
            return position;
        }
        List<Publication> all = List.copyOf(missed);
        missed.clear();
        long bytes = 0;
        for (int i = 0; i < all.size(); i++) {
            Publication publication = all.get(i);
            if (reader.wants(publication)) {
                bytes += publication.data().size();
                if (bytes > MOST_BYTES && !missed.isEmpty()) {
                    return all.get(i - 1).cursor();
                }
                missed.add(publication);
            }
        }
        return position;
    }

    private void read(Reader reader, Lane lane, LogRead read, Consumer<LogPage> then) {
        if (attempts++ >= MAX_ATTEMPTS) {
            fail(reader);
            return;
        }
        lane.topic.read(read, lane.queue, (@Nullable LogPage page, @Nullable Throwable failure) -> {
            if (reader.isEnded()) {
                return;
            }
            if (page == null) {
                fail(reader);
            } else {
                then.accept(page);
            }
        });
    }

    private static void fail(Reader reader) {
        reader.refuse(Refusal.UNAVAILABLE);
    }
}
