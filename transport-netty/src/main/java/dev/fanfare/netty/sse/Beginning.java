package dev.fanfare.netty.sse;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.Resume;
import dev.fanfare.spi.Connection.SubscribeResult.Subscribed;
import org.jspecify.annotations.Nullable;

/**
 * How the stream of one channel begins.
 *
 * @param channel the channel
 * @param asked the cursor that the client showed; null for none
 * @param result what the core answered
 */
record Beginning(ChannelId channel, @Nullable Cursor asked, Subscribed result) {

    /**
     * Returns the position of the client before it is sent anything; null if the channel has none, or if
     * the client's is to stay what it was.
     */
    @Nullable
    Cursor before() {
        if (!result.isRetained() || !result.position().hasEpoch()) {
            return null;
        }
        if (result.resume() instanceof Resume.Reset) {
            return asked;
        }
        if (result.missed().isEmpty()) {
            return result.position();
        }
        Publication first = result.missed().get(0);
        return first.isLogged() ? new Cursor(first.epoch(), first.offset() - 1, first.previousTag()) : null;
    }

    /** Returns the position that a reset leads to; null if no client could come back with it. */
    @Nullable
    Cursor stamp() {
        Cursor position = result.resume().position();
        return result.isRetained() && position.hasEpoch() ? position : null;
    }
}
