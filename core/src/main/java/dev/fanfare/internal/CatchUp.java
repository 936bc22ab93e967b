package dev.fanfare.internal;

import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings one reader, at the pace of its socket, to where its lane is: from the topic's ring, or in pages from the log.
 *
 * <p>What lies beyond the lane's position comes through the lane. So a reader whose position is the lane's is live, on
 * this very thread, and can neither miss nor repeat anything.
 *
 * <p><i>State.</i> Going on, waiting for room, or reading a page, one at a time. It is over when the reader is live, or
 * ended.
 *
 * <p><i>Threads.</i> Confined to the loop of the reader's port.
 *
 * <p><i>Bounds.</i> One page, while it is being sent.
 */
final class CatchUp {

    private static final int PAGE = 100;
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final Reader reader;
    private final Lane lane;
    private final Outgoing outgoing;
    private boolean isReading;

    CatchUp(Reader reader, Lane lane, Outgoing outgoing) {
        this.reader = reader;
        this.lane = lane;
        this.outgoing = outgoing;
    }

    /** Goes on as far as there is room. */
    void goOn() {
        while (reader.isCatchingUp() && !isReading) {
            if (!outgoing.hasRoom()) {
                outgoing.awaitRoom();
                return;
            }
            Cursor served = lane.position();
            if (reader.isAt(served)) {
                reader.caughtUp();
                return;
            }
            Publication next = lane.topic.ring().at(reader.offset() + 1);
            if (next != null && next.offset() <= served.offset() && reader.follows(next)) {
                advance(next);
            } else {
                readPage();
            }
        }
    }

    private void advance(Publication publication) {
        reader.moveTo(publication);
        if (reader.wants(publication)) {
            outgoing.take(publication);
        }
    }

    private void readPage() {
        Cursor asked = reader.position();
        BiConsumer<@Nullable LogPage, @Nullable Throwable> then = (page, failure) -> {
            isReading = false;
            if (!reader.isCatchingUp()) {
                return;
            }
            if (page == null) {
                retryLater();
            } else {
                reader.port.guarded(() -> take(asked, page));
            }
        };
        isReading = true;
        lane.topic.read(LogRead.after(reader.channel, asked.offset(), PAGE), lane.queue, then);
    }

    private void take(Cursor asked, LogPage page) {
        ResetReason broken = Positions.judge(asked, page);
        if (broken != null) {
            reader.reset(new Resume.Reset(broken, page.head()));
            goOn();
            return;
        }
        long served = lane.position().offset();
        if (page.publications().isEmpty() || served <= reader.offset()) {
            verifyThenGoOn();
            return;
        }
        for (Publication publication : page.publications()) {
            if (publication.offset() > served || !reader.isCatchingUp() || !outgoing.hasRoom()) {
                break;
            }
            advance(publication);
        }
        goOn();
    }

    /** The log agrees with our position, and the lane does not: let the topic look at the log. */
    private void verifyThenGoOn() {
        isReading = true;
        lane.topic.verify(lane.queue, isVerified -> readAgain());
    }

    private void retryLater() {
        isReading = true;
        lane.topic.hub.time.schedule(RETRY, () -> lane.queue.add(this::readAgain));
    }

    private void readAgain() {
        isReading = false;
        reader.port.guarded(this::goOn);
    }
}
