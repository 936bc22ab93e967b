package dev.fanfare.internal;

import dev.fanfare.DropReason;
import dev.fanfare.spi.Announcement;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Takes announcements from the bus to the stripe of a topic, as many as there is room for.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Bounds.</i> Announcements of at most {@link #MAX_BYTES} wait for the stripe, each counted as {@link
 * #LEAST_BYTES} at least. Of more, what is logged is repaired from the log; the rest is dropped and counted, and
 * the subscribers are told.
 */
final class Intake {

    private static final long MAX_BYTES = 32L * 1024 * 1024;
    /** So that there are at most 4,096. */
    private static final int LEAST_BYTES = 8 * 1024;

    private final Topic topic;
    private final Stripe stripe;
    private final AtomicLong waitingBytes = new AtomicLong();
    private final AtomicLong lostPublications = new AtomicLong();
    private final AtomicLong lostPresence = new AtomicLong();
    private final AtomicBoolean hasLostLogged = new AtomicBoolean();

    Intake(Topic topic, Stripe stripe) {
        this.topic = topic;
        this.stripe = stripe;
    }

    void offer(Announcement announcement) {
        int bytes = bytesOf(announcement);
        if (waitingBytes.addAndGet(bytes) > MAX_BYTES) {
            waitingBytes.addAndGet(-bytes);
            lose(announcement);
        } else {
            stripe.execute(() -> {
                waitingBytes.addAndGet(-bytes);
                topic.receive(announcement);
            });
        }
    }

    private static int bytesOf(Announcement announcement) {
        return announcement instanceof Announcement.Published published
                ? Math.max(LEAST_BYTES, published.publication().data().size())
                : LEAST_BYTES;
    }

    private void lose(Announcement announcement) {
        boolean isLogged = announcement instanceof Announcement.Published published
                && published.publication().isLogged();
        if (isLogged || announcement instanceof Announcement.Moved) {
            loseLogged();
        } else if (announcement instanceof Announcement.Presence) {
            lose(lostPresence, DropReason.PRESENCE);
        } else {
            lose(lostPublications, DropReason.NOT_RETAINED);
        }
    }

    private void loseLogged() {
        if (hasLostLogged.compareAndSet(false, true)) {
            stripe.execute(() -> {
                hasLostLogged.set(false);
                topic.repair();
            });
        }
    }

    private void lose(AtomicLong count, DropReason reason) {
        topic.hub.listener.onDrop(topic.channel, reason, 1);
        if (count.getAndIncrement() == 0) {
            stripe.execute(() -> topic.passOver(lostPublications.getAndSet(0), lostPresence.getAndSet(0)));
        }
    }
}
