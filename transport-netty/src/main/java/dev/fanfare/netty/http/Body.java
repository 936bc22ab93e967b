package dev.fanfare.netty.http;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The body of one request, as far as it has arrived.
 *
 * <p><i>Bounds.</i> It grows with what arrived, never with what was announced, and takes the room for that from {@link
 * Bodies} until it is released, or until those are done whom it was lent to.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class Body {

    private static final byte[] NOTHING = new byte[0];

    private final Bodies all;
    private byte[] bytes = NOTHING;
    private int length;
    private int taken;

    Body(Bodies all) {
        this.all = all;
    }

    /** Returns how long it is so far. */
    int length() {
        return length;
    }

    /**
     * Takes a piece in; false if there is no room for it.
     *
     * @param longest how long the whole can be
     */
    boolean add(ByteBuf piece, int longest) {
        int more = piece.readableBytes();
        if (length + more > bytes.length && !grow(length + more, longest)) {
            return false;
        }
        piece.readBytes(bytes, length, more);
        length += more;
        return true;
    }

    private boolean grow(int needed, int longest) {
        int room = length == 0 ? needed : Math.min(Math.max(needed, 2 * length), Math.max(needed, longest));
        if (!all.take(room - taken)) {
            return false;
        }
        taken = room;
        bytes = Arrays.copyOf(bytes, room);
        return true;
    }

    /** Returns it, when all of it is there; the caller may keep it. */
    byte[] whole() {
        if (length < bytes.length) {
            bytes = Arrays.copyOf(bytes, length);
        }
        return bytes;
    }

    /**
     * Has its room stay taken when it is released, since somebody else has the bytes too.
     *
     * @return gives that room back, once and on any thread
     */
    Runnable lend() {
        AtomicInteger lent = new AtomicInteger(taken);
        taken = 0;
        return () -> all.giveBack(lent.getAndSet(0));
    }

    /** Gives its room back: who needs the bytes any longer has them. */
    void release() {
        all.giveBack(taken);
        taken = 0;
        bytes = NOTHING;
        length = 0;
    }
}
