package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * The frames that one turn of an event loop owes to a connection, in order. Connections that are owed the
 * same share the object, so that the frames are joined into one buffer once, and each connection costs one
 * system call, however many frames there are.
 *
 * <p><i>State.</i> The last frame, what goes before it, and how many connections and longer ones hold it.
 * Each holds its frame; with the last hold all is given back.
 *
 * <p><b>Threading:</b> confined to its event loop.
 */
final class Owed {

    private final @Nullable Owed before;
    private final BufferFrame last;
    private final int bytes;
    private int holds = 1;
    private @Nullable Owed longer;
    private @Nullable ByteBuf joined;

    private Owed(@Nullable Owed before, BufferFrame last) {
        this.before = before;
        this.last = last;
        this.bytes = (before == null ? 0 : before.bytes) + last.bytes();
        last.retain();
    }

    /** Returns an object that holds this frame alone, and belongs to the caller. */
    static Owed of(BufferFrame frame) {
        return new Owed(null, frame);
    }

    /** Gives the caller a hold of this, if it is that frame alone and still held by somebody. */
    boolean isAlso(BufferFrame frame) {
        if (holds == 0 || before != null || last != frame) {
            return false;
        }
        holds++;
        return true;
    }

    /** Adds a frame: takes the caller's hold of this and returns what it holds instead. */
    Owed and(BufferFrame frame) {
        Owed known = longer;
        if (known != null && known.holds > 0 && known.last == frame) {
            known.holds++;
            release();
            return known;
        }
        Owed grown = new Owed(this, frame); // which now has the caller's hold
        longer = grown;
        return grown;
    }

    /** Returns how many bytes it is. */
    int bytes() {
        return bytes;
    }

    /** Returns the frames as one buffer, valid until {@link #release}; its indices must not be moved. */
    ByteBuf buffer() {
        if (before == null) {
            return last.buffer();
        }
        if (joined == null) {
            joined = join();
        }
        return joined;
    }

    private ByteBuf join() {
        ByteBuf all = PooledByteBufAllocator.DEFAULT.directBuffer(bytes, bytes);
        int end = bytes;
        for (Owed each = this; each != null; each = each.before) {
            ByteBuf frame = each.last.buffer();
            end -= frame.readableBytes();
            all.setBytes(end, frame, frame.readerIndex(), frame.readableBytes());
        }
        return all.writerIndex(bytes);
    }

    /** Gives the caller's hold back. */
    void release() {
        for (Owed each = this; each != null && --each.holds == 0; each = each.before) {
            each.last.release();
            if (each.joined != null) {
                requireNonNull(each.joined).release();
                each.joined = null;
            }
        }
    }
}
