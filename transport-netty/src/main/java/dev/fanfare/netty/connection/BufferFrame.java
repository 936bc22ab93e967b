package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import dev.fanfare.spi.Frame;
import io.netty.buffer.ByteBuf;

/**
 * A frame in one reference-counted buffer, which many connections write at the same time.
 *
 * <p><b>Threading:</b> thread-safe, as long as nobody moves the indices of the buffer itself; whoever
 * made the frame releases it once.
 */
public final class BufferFrame implements Frame {

    private final ByteBuf buffer;

    /**
     * Takes over the buffer.
     *
     * @param buffer everything readable in it is the frame; not touched by the caller any more
     */
    public BufferFrame(ByteBuf buffer) {
        this.buffer = requireNonNull(buffer, "buffer");
    }

    /** Returns a view with indices and a hold of its own, to be written once and thereby released. */
    public ByteBuf share() {
        return buffer.retainedDuplicate();
    }

    /** Returns the buffer itself; its indices must not be moved. */
    ByteBuf buffer() {
        return buffer;
    }

    /** Takes one more hold, to be given back with {@link #release}. */
    void retain() {
        buffer.retain();
    }

    @Override
    public int bytes() {
        return buffer.readableBytes();
    }

    @Override
    public void release() {
        buffer.release();
    }
}
