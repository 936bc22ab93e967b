package dev.fanfare.netty.http;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What requests have brought in their bodies and is still held, by the connection or by the host, over all connections of
 * one transport.
 *
 * <p><i>Bounds.</i> So many bytes as it is made with. Only what arrived counts, never what was announced: a client
 * could announce much, and send nothing.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class Bodies {

    private final long maxBytes;
    private final AtomicLong bytes = new AtomicLong();

    /** Has room for so many bytes. */
    public Bodies(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Returns how many bytes are held. */
    public long bytes() {
        return bytes.get();
    }

    /** Tells whether so many more would fit in now. */
    boolean hasRoomFor(long more) {
        return more <= maxBytes - bytes.get();
    }

    /** Takes room for so many more; false if there is none. */
    boolean take(int more) {
        if (bytes.addAndGet(more) > maxBytes) {
            bytes.addAndGet(-more);
            return false;
        }
        return true;
    }

    /** Gives room back that was taken. */
    void giveBack(int less) {
        bytes.addAndGet(-less);
    }
}
