package dev.fanfare.netty.centrifuge;

import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.Resume;
import dev.fanfare.spi.Connection.SubscribeResult.Subscribed;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a subscription begins, in the words of the protocol.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param isRecoverable whether the channel has offsets, so that the client can come back with one
 * @param epoch of the position, perhaps {@code ""}
 * @param offset the client's own if it gets what it missed, because it counts on from there; otherwise the top
 * @param wasRecovering whether the client asked for what it missed
 * @param isRecovered whether it gets all of it
 * @param hasDeltas whether publications may be differences, in the form that goes with them
 * @param publications what it missed; empty unless it recovered
 * @param ttlSeconds how soon the client must have shown a new token; 0 if it need not
 */
record SubscriptionStart(
        boolean isRecoverable,
        String epoch,
        long offset,
        boolean wasRecovering,
        boolean isRecovered,
        boolean hasDeltas,
        List<Publication> publications,
        int ttlSeconds) {

    /** Lasts as long as the connection. */
    SubscriptionStart(
            boolean isRecoverable,
            String epoch,
            long offset,
            boolean wasRecovering,
            boolean isRecovered,
            boolean hasDeltas,
            List<Publication> publications) {
        this(isRecoverable, epoch, offset, wasRecovering, isRecovered, hasDeltas, publications, 0);
    }

    SubscriptionStart withTtl(int seconds) {
        return new SubscriptionStart(
                isRecoverable, epoch, offset, wasRecovering, isRecovered, hasDeltas, publications, seconds);
    }

    /** Puts the core's answer in the protocol's words. */
    static SubscriptionStart of(@Nullable Position recoverFrom, Subscribed subscribed) {
        boolean isRecovered = recoverFrom != null && isRecovered(subscribed.resume());
        List<Publication> missed = isRecovered ? subscribed.missed() : List.of();
        Cursor position = subscribed.position();
        long offset = recoverFrom == null || missed.isEmpty() ? position.offset() : recoverFrom.offset();
        return new SubscriptionStart(
                subscribed.isRetained(),
                position.epoch(),
                offset,
                recoverFrom != null,
                isRecovered,
                subscribed.hasDeltas(),
                missed);
    }

    private static boolean isRecovered(Resume resume) {
        return resume instanceof Resume.Continued || resume instanceof Resume.Latest;
    }
}
