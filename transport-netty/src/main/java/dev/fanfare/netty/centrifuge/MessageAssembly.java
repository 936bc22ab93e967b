package dev.fanfare.netty.centrifuge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.Arrays;

/**
 * Puts the fragments of a message together; the decoder before it sees to their order.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class MessageAssembly {

    private static final byte[] NOTHING = new byte[0];

    private final int maxBytes;
    private byte[] begun = NOTHING;

    MessageAssembly(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Tells whether the message at hand would become too large with that fragment. */
    boolean exceeds(ByteBuf fragment) {
        return fragment.readableBytes() > maxBytes - begun.length;
    }

    /** Adds a fragment after which others follow. */
    void add(ByteBuf fragment) {
        begun = joined(fragment);
    }

    /** Returns the message that ends with this fragment. */
    byte[] complete(ByteBuf fragment) {
        byte[] message = joined(fragment);
        begun = NOTHING;
        return message;
    }

    private byte[] joined(ByteBuf fragment) {
        if (begun.length == 0) {
            return ByteBufUtil.getBytes(fragment);
        }
        int length = fragment.readableBytes();
        byte[] joined = Arrays.copyOf(begun, begun.length + length);
        fragment.getBytes(fragment.readerIndex(), joined, begun.length, length);
        return joined;
    }
}
