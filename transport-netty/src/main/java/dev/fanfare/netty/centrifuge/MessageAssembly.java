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

    /** More pieces than any sender has a reason for; each costs work before the message says anything. */
    static final int MAX_FRAGMENTS = 1024;

    private static final byte[] NOTHING = new byte[0];

    private final int maxBytes;
    private byte[] begun = NOTHING;
    private int length;
    private int fragments;

    MessageAssembly(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Tells whether the message at hand would become too large with that fragment. */
    boolean exceeds(ByteBuf fragment) {
        return fragment.readableBytes() > maxBytes - length;
    }

    /**
     * Adds a fragment after which others follow.
     *
     * @return false if the message has come in too many
     */
    boolean add(ByteBuf fragment) {
        append(fragment);
        fragments++;
        return fragments < MAX_FRAGMENTS;
    }

    /** Returns the message that ends with this fragment. */
    byte[] complete(ByteBuf fragment) {
        if (length == 0) {
            fragments = 0;
            return ByteBufUtil.getBytes(fragment);
        }
        append(fragment);
        byte[] message = length == begun.length ? begun : Arrays.copyOf(begun, length);
        begun = NOTHING;
        length = 0;
        fragments = 0;
        return message;
    }

    private void append(ByteBuf fragment) {
        int more = fragment.readableBytes();
        if (more == 0) {
            return;
        }
        if (length + more > begun.length) {
            begun = Arrays.copyOf(begun, Math.min(Math.max(length + more, 2 * length), maxBytes));
        }
        fragment.getBytes(fragment.readerIndex(), begun, length, more);
        length += more;
    }
}
