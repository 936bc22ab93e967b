package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings a topic to where its log is: reads what comes after the position, and takes what links. If nothing does, the
 * run is broken, and the subscribers are reset.
 *
 * <p><i>State.</i> At rest; READING, one read at a time; or RETRYING, a while after a read failed. What is asked for
 * meanwhile is one more read afterwards. Those who wait go on after the first read that was begun after they came and agrees: who comes
 * later does not keep them waiting.
 *
 * <p><i>Threads.</i> Confined to the topic's stripe; {@link #isSettled} is read from anywhere.
 *
 * <p><i>Bounds.</i> As many publications as a ring holds wait for the end of a read; for more there is another one.
 * Each subscriber has at most one task waiting for a repair at a time.
 */
final class Repair {

    private static final int PAGE = 1000;

    private final Topic topic;
    private final Stripe stripe;
    private final Run run;
    /** Those for whom the next read is to be. */
    private final List<Consumer<Boolean>> afterwards = new ArrayList<>(1);
    /** Those for whom the read under way is, or was if it did not agree. */
    private final List<Consumer<Boolean>> served = new ArrayList<>(1);

    private final List<Publication> early = new ArrayList<>(0);
    private int earlyBytes;
    private boolean isReading;
    private boolean isRetrying;
    private boolean isWanted;
    private volatile boolean isSettled = true;

    Repair(Topic topic, Stripe stripe, Run run) {
        this.topic = topic;
        this.stripe = stripe;
        this.run = run;
    }

    /** Takes note that there will be something to repair. */
    void want() {
        isWanted = true;
        isSettled = false;
    }

    boolean isWanted() {
        return isWanted;
    }

    /** Tells whether there is nothing to repair, as far as is known. */
    boolean isSettled() {
        return isSettled;
    }

    /** Looks at the log; tells the task when position and log agree, or that the log cannot be read. */
    void begin(Consumer<Boolean> afterwards) {
        this.afterwards.add(afterwards);
        begin();
    }

    /** Looks at the log. */
    void begin() {
        isSettled = false;
        if (isReading || isRetrying || !topic.isOpen()) {
            isWanted = true;
        } else if (!topic.rules.isRetained()) {
            finish();
        } else {
            read();
        }
    }

    /** Takes in a publication that does not link, nor is it a repetition. */
    void takeUnlinked(Publication publication) {
        if (!isReading && !isRetrying) {
            begin();
        } else if (early.size() < Ring.MOST_SLOTS && earlyBytes < Ring.MOST_BYTES) {
            early.add(publication); // it follows what the read brings
            earlyBytes += publication.data().size();
        } else {
            isWanted = true;
        }
    }

    /** Lets those who wait go on: the log agrees or, if it is not verified, the topic closes or the log cannot be read. */
    void release(boolean isVerified) {
        List<Consumer<Boolean>> tasks = new ArrayList<>(served);
        tasks.addAll(afterwards);
        served.clear();
        afterwards.clear();
        tasks.forEach(task -> task.accept(isVerified));
    }

    private void read() {
        isReading = true;
        isWanted = false;
        served.addAll(afterwards);
        afterwards.clear();
        Cursor asked = run.position();
        topic.hub.readForRepair(
                LogRead.after(topic.channel, asked.offset(), PAGE),
                (page, failure) -> stripe.execute(() -> answered(asked, page, failure)));
    }

    private void answered(Cursor asked, @Nullable LogPage page, @Nullable Throwable failure) {
        isReading = false;
        if (!topic.isOpen()) {
            return;
        }
        if (page == null) {
            retryLater(requireNonNull(failure));
            return;
        }
        boolean isWantedByOthers = isWanted;
        isWanted = false;
        ResetReason broken = Positions.judge(asked, page);
        if (broken == null) {
            takeAll(page);
        } else if (asked.equals(run.position())) {
            topic.hub.listener.onRepair(topic.channel, true);
            topic.reset(new Resume.Reset(broken, page.head()));
        } else {
            isWanted = true; // announcements moved the position on meanwhile, and the page is of before
        }
        takeEarly();
        boolean agrees = !isWanted && !run.isBehind(page.head());
        List<Consumer<Boolean>> done = agrees ? List.copyOf(served) : List.of();
        if (agrees) {
            served.clear();
        }
        if (agrees && !isWantedByOthers) {
            finish();
        } else {
            begin();
        }
        done.forEach(task -> task.accept(true));
    }

    private void retryLater(Throwable failure) {
        topic.hub.log.repairFailed(topic.channel, failure);
        isRetrying = true;
        topic.hub.retryLater(() -> stripe.execute(() -> {
            isRetrying = false;
            begin();
        }));
        release(false); // those who wait have their own patience
    }

    /** Takes what the position does not have yet; announcements may have brought some of it meanwhile. */
    private void takeAll(LogPage page) {
        boolean hasTaken = false;
        for (Publication publication : page.publications()) {
            if (run.isNext(publication)) {
                topic.take(publication);
                hasTaken = true;
            } else if (publication.offset() > run.position().offset()
                    || run.ring().contradicts(publication)) {
                isWanted = true;
                break;
            }
        }
        if (hasTaken) {
            topic.hub.listener.onRepair(topic.channel, false);
        }
    }

    private void takeEarly() {
        for (Publication publication : early) {
            if (run.isNext(publication)) {
                topic.take(publication);
            } else if (!run.ring().holds(publication)) {
                isWanted = true;
            }
        }
        early.clear();
        earlyBytes = 0;
    }

    private void finish() {
        isWanted = false;
        isSettled = true;
        release(true);
    }
}
