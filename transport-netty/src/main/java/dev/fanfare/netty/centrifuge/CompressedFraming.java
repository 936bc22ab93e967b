package dev.fanfare.netty.centrifuge;

import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts messages into WebSocket frames whose payload is compressed where that is worth it.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class CompressedFraming implements Framing {

    /** In smaller ones compression finds little, and saves no packet. */
    static final int SMALLEST = 256;

    private final WebSocketFraming plain;
    private final Deflate deflate;

    CompressedFraming(WebSocketFraming plain, Deflate deflate) {
        this.plain = plain;
        this.deflate = deflate;
    }

    @Override
    public ByteBuf frame(ByteBufAllocator allocator, List<MessageBuffer> messages) {
        int size = plain.size(messages);
        byte[] shorter = size < SMALLEST ? null : deflate.compress(plain.payload(messages, size), size);
        return shorter == null ? plain.frame(allocator, messages) : plain.compressedFrame(allocator, shorter);
    }

    @Override
    public ByteBuf farewell(
            ByteBufAllocator allocator, MessageEncoder messages, DisconnectReason reason, @Nullable HostCode hostCode) {
        return plain.farewell(allocator, messages, reason, hostCode);
    }

    @Override
    public boolean isFarewellAnswered() {
        return plain.isFarewellAnswered();
    }

    @Override
    public boolean isTwoWay() {
        return plain.isTwoWay();
    }
}
